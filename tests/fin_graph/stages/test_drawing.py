"""The picture: everything is in it, nothing covers anything."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from finbench.fin_graph.stages.drawing import draw_fin
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.instance import Instance
from tests.random_instances import random_instance


def drawn(instance: Instance, gamma: int) -> Figure:
    figure = draw_fin(fin_three_stages(instance, instance.applications[0], gamma), "A title")
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    return figure


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("gamma", [10, 20])
@pytest.mark.parametrize("budget", [0.004, 0.005, 0.007])
def test_no_text_covers_another_or_is_cut_off(balexnet: Instance, budget: float, gamma: int) -> None:
    figure = drawn(balexnet.with_overrides(max_latency_s=budget, min_accuracy=0.8), gamma)
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    boxes.append(figure.legends[0].get_window_extent())
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)


def test_labels_say_what_the_path_costs(balexnet: Instance) -> None:
    shown = texts(drawn(balexnet.with_overrides(max_latency_s=0.007, min_accuracy=0.8), 20))
    assert {"device", "edge", "cloud", "sample", "block 5", "exit 3", "A title"} <= set(shown)
    assert "12.3 mJ\n2.06 ms" in shown
    assert any("17.1 mJ in 6.56 ms, last exit 3" in text for text in shown)


def test_the_drawing_says_when_no_path_exists(balexnet: Instance) -> None:
    shown = texts(drawn(balexnet.with_overrides(max_latency_s=0.003, min_accuracy=0.8), 10))
    assert any("no path to an accepted exit" in text for text in shown)


@pytest.mark.parametrize("seed", [3, 10, 12, 13])
def test_any_instance_can_be_saved(seed: int, tmp_path: Path) -> None:
    drawn(random_instance(seed, max_nodes=4), 12).savefig(tmp_path / "fin.svg")
    assert (tmp_path / "fin.svg").stat().st_size > 10_000
