"""Pictures of shared systems: no two nodes overlap, colours say how full it is, and `finbench draw` writes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import cbook
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from typer.testing import CliRunner, Result

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.families import SharedSize, generate
from finbench.benchmarks.families.campus import draw_with_balance
from finbench.benchmarks.plots.explained import draw_explanation
from finbench.benchmarks.plots.gaps import draw_gap_by_gamma
from finbench.benchmarks.plots.routes import hops_of, missing_capacities, ranges
from finbench.benchmarks.plots.system import PRICE_COLOUR, draw_system
from finbench.benchmarks.plots.system_texts import OVERLOAD_COLOUR
from finbench.fin_graph.joint.explanation.explain import explain
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, evaluate
from finbench.models.instance import Instance
from finbench.models.io import dump_deployment, dump_instance, write_text
from finbench.models.loads import Resource, uses
from tests.benchmarks.conftest import BEST, TOO_SLOW


def judged(load: float, nodes: int = 30) -> tuple[Instance, Evaluation]:
    instance, deployment = draw_with_balance(np.random.default_rng(1), SharedSize(nodes, 40, load))
    return instance, evaluate(instance, deployment)


def texts(figure: Figure) -> str:
    figure.savefig(BytesIO())
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def discs(figure: Figure) -> list[tuple[float, ...]]:
    """Colours of all nodes."""
    found = [c for c in figure.axes[0].collections if isinstance(c, PathCollection) and c.get_zorder() == 3]
    return [tuple(colour) for c in found for colour in np.atleast_2d(np.asarray(c.get_facecolor()))]


def positions(figure: Figure) -> Counter[tuple[float, ...]]:
    found = [c for c in figure.axes[0].collections if isinstance(c, PathCollection) and c.get_zorder() == 3]
    return Counter(tuple(np.round(position, 6)) for c in found for position in np.asarray(c.get_offsets()))


@pytest.mark.parametrize("nodes", [3, 30, 300])
def test_no_two_nodes_are_drawn_at_the_same_position(nodes: int) -> None:
    found = positions(draw_system(*judged(0.7, nodes)))
    assert sum(found.values()) == nodes
    assert max(found.values()) == 1


def test_tiers_lie_above_each_other_the_fastest_on_top() -> None:
    instance, evaluation = judged(0.7)
    figure = draw_system(instance, evaluation)
    heights = [
        (text.get_text().splitlines()[0], text.get_position()[1]) for text in figure.axes[0].texts if text.get_text()
    ]
    labels = {name: height for name, height in heights if name in ("mobile", "edge", "cloud")}
    assert labels["mobile"] < labels["edge"] < labels["cloud"]


def test_overloaded_nodes_have_a_colour_of_their_own() -> None:
    assert to_rgba(OVERLOAD_COLOUR) not in discs(draw_system(*judged(0.9)))
    instance, evaluation = judged(2.0)
    over = {
        use.subject
        for use in uses(instance, evaluation.loads)
        if use.resource is not Resource.BANDWIDTH and use.utilisation > 1.000001
    }
    colours = Counter(discs(draw_system(instance, evaluation)))
    assert over
    assert colours[to_rgba(OVERLOAD_COLOUR)] == len(over)


def test_fuller_is_darker() -> None:
    light, heavy = (np.mean(discs(draw_system(*judged(load)))) for load in (0.2, 0.9))
    assert heavy < light


def test_titles_and_lists_say_what_is_drawn() -> None:
    instance, evaluation = judged(0.7)
    shown = texts(draw_system(instance, evaluation))
    fullest = uses(instance, evaluation.loads)[0]
    for part in ("40 of 40 applications served", f"{evaluation.objective:.6g} W", "fullest resources"):
        assert part in shown
    assert f"{fullest.subject}  {fullest.resource}" in shown


def test_prices_are_listed_in_their_order_and_marked() -> None:
    instance, evaluation = judged(0.7)
    prices = {"edge0.0: memory": 2e-7, "edge0.1": 3e-10, "edge0.0->cloud0": 1.5e-9, "cloud0": 0.0}
    figure = draw_system(instance, evaluation, prices)
    shown = texts(figure)
    assert "prices and savings" in shown
    assert shown.index("edge0.0: memory") < shown.index("edge0.0->cloud0")
    marked = [c for c in figure.axes[0].collections if c.get_zorder() == 4]
    assert sum(len(c.get_paths()) for c in marked if not isinstance(c, PathCollection)) == 1
    rings = [c for c in marked if isinstance(c, PathCollection)]
    assert len(np.asarray(rings[0].get_offsets())) == 2, "a price of 0 marks nothing"
    assert tuple(np.asarray(rings[0].get_edgecolor())[0]) == to_rgba(PRICE_COLOUR)


def test_many_prices_are_counted() -> None:
    instance, evaluation = judged(0.7)
    assert "… and 3 more" in texts(draw_system(instance, evaluation, {f"price {k}": 1.0 for k in range(15)}))


@pytest.mark.parametrize("family", ["mesh", "dense", "tiered"])
def test_any_network_can_be_drawn_without_a_deployment(family: str) -> None:
    figure = draw_system(generate(family, nodes=25, blocks=3, exits=1, seed=1), None)
    assert sum(positions(figure).values()) == 25
    assert "fullest resources" not in texts(figure)
    assert "1 application" in texts(figure)


def test_draw_writes_a_picture(tmp_path: Path) -> None:
    instance, deployment = draw_with_balance(np.random.default_rng(1), SharedSize(10, 5, 0.7))
    write_text(tmp_path / "i.json", dump_instance(instance))
    write_text(tmp_path / "d.json", dump_deployment(deployment))
    arguments = ["draw", str(tmp_path / "i.json"), "--deployment", str(tmp_path / "d.json"), "-o"]
    assert CliRunner().invoke(app, [*arguments, str(tmp_path / "p.png")]).exit_code == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def drawing(tmp_path: Path) -> Callable[[Instance, Deployment], Result]:
    """What `finbench draw` says of an instance and a deployment."""

    def drawn(instance: Instance, deployment: Deployment) -> Result:
        write_text(tmp_path / "i.json", dump_instance(instance))
        write_text(tmp_path / "d.json", dump_deployment(deployment))
        arguments = ["draw", "i.json", "--deployment", "d.json", "-o", "p.png"]
        with chdir(tmp_path):
            return CliRunner().invoke(app, arguments)

    return drawn


ALIEN: dict[str, tuple[dict[str, Any], str]] = {
    "another application": ({"application": "nobody"}, "unknown application 'nobody'"),
    "another node": ({"placement": ("moon",) * 5}, "unknown node 'moon'"),
    "other blocks": ({"placement": ("device",) * 7}, "placement names 7 nodes"),
    "another exit": ({"last_exit": 9}, "last_exit = 9"),
}


@pytest.mark.parametrize("case", ALIEN)
def test_the_deployment_of_another_instance_is_not_drawn(
    case: str, drawing: Callable[[Instance, Deployment], Result], balexnet: Instance
) -> None:
    change, named = ALIEN[case]
    decision = BEST.deployments[0].model_copy(update=change)
    result = drawing(balexnet, Deployment(deployments=(decision,)))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "d.json: is no deployment of instance 'balexnet-cifar10'" in result.stderr
    assert named in result.stderr


def test_a_deployment_that_breaks_a_target_is_drawn_with_a_warning(
    drawing: Callable[[Instance, Deployment], Result], balexnet: Instance
) -> None:
    result = drawing(balexnet, TOO_SLOW)
    assert result.exit_code == 0
    assert "d.json: 1 violation, the first: application 'balexnet-cifar10': latency" in result.stderr
    assert "violation" not in drawing(balexnet, BEST).stderr


@pytest.mark.parametrize("name", ["a $ and $ b_1", "$x_$", "_hidden", "$\\frac{$", "a\\$b$"])
def test_names_are_drawn_as_they_are(name: str, balexnet: Instance) -> None:
    app_ = balexnet.applications[0].model_copy(update={"source": name, "pinned": {}})
    nodes = tuple(node.model_copy(update={"name": name, "tier": name}) for node in balexnet.network.nodes[:1])
    network = balexnet.network.model_copy(update={"nodes": nodes, "links": ()})
    system = draw_system(balexnet.model_copy(update={"name": name, "network": network, "applications": (app_,)}), None)
    runs = pd.DataFrame({"group": name, "gamma": [1, 2], "worst": 1.0, "mean": 1.0, "matched": 50.0, "found": 50.0})
    for figure in (system, draw_gap_by_gamma(runs)):
        figure.savefig(BytesIO())
        shown = [text for text in figure.findobj(Text) if name in text.get_text().replace(r"\$", "$")]
        assert shown
        assert not any(cbook.is_math_text(text.get_text()) for text in shown)


def test_blocks_stand_at_their_nodes_and_arrows_follow_the_route(balexnet: Instance) -> None:
    figure = draw_system(balexnet, evaluate(balexnet, BEST), deployment=BEST)
    shown = texts(figure)
    assert "device\nblocks 1–3" in shown
    assert "cloud\nblocks 4–5" in shown
    assert "%" not in shown, "an application without a rate loads nothing"
    arrows = [note for note in figure.axes[0].texts if getattr(note, "arrow_patch", None) is not None]
    assert len(arrows) == 1
    assert hops_of(balexnet, BEST) == {("device", "cloud")}
    heads = np.array([note.xy for note in arrows]), np.array([note.get_position() for note in arrows])  # type: ignore[attr-defined]
    assert np.all(heads[0][:, 1] > heads[1][:, 1]), "the arrow points up, from the device to the cloud"


@pytest.mark.parametrize(
    ("numbers", "text"), [([1], "1"), ([1, 2, 3], "1–3"), ([1, 3, 4, 7], "1, 3–4, 7")], ids=["one", "three", "gaps"]
)
def test_blocks_in_a_row_are_drawn_together(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_missing_capacities_are_listed_with_what_is_missing() -> None:
    instance, evaluation = judged(2.0)
    missing = missing_capacities(evaluation)
    over = [use for use in uses(instance, evaluation.loads) if use.utilisation > 1.000001]
    assert len(missing) == len(over) > 0
    use = over[0]
    assert (f"{use.subject}  {use.resource}", f"+{use.load - use.limit:.3g} executions") in missing
    shown = texts(draw_system(instance, evaluation))
    assert shown.index("missing capacities") < shown.index(missing[0][0])
    assert "missing capacities" not in texts(draw_system(*judged(0.7)))


@pytest.mark.parametrize("load", [0.7, 2.0])
def test_names_at_nodes_do_not_overlap(load: float) -> None:
    figure = draw_system(*judged(load))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    boxes = [Text.get_window_extent(text, renderer) for text in figure.findobj(Text) if text.get_text().strip()]
    assert not [
        (a, b)
        for a, b in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def test_the_picture_of_an_explanation_marks_and_lists_what_is_missing() -> None:
    instance = draw_with_balance(np.random.default_rng(1), SharedSize(12, 10, 1.5))[0]
    explanation = explain(instance, time_limit_s=20)
    assert explanation.needs
    figure = draw_explanation(instance, explanation)
    said = texts(figure)
    assert "missing capacities" in said
    for need in explanation.needs[:5]:
        assert f"{need.subject}: {need.resource}" in said
    rings = [c for c in figure.axes[0].collections if isinstance(c, PathCollection) and c.get_zorder() == 4]
    marked = [c for c in rings if to_rgba(np.atleast_2d(c.get_edgecolor())[0].tolist()) == to_rgba(OVERLOAD_COLOUR)]
    nodes = {need.subject for need in explanation.needs if "->" not in need.subject}
    assert sum(len(np.asarray(c.get_offsets())) for c in marked) == len(nodes)


def test_the_picture_of_a_target_out_of_reach_says_which_part_would_do(balexnet: Instance) -> None:
    hurried = balexnet.with_overrides(max_latency_s=1e-3)
    explanation = explain(hurried)
    assert explanation.enablers is not None
    assert "device: speed, enough alone" in texts(draw_explanation(hurried, explanation))
