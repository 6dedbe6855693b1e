"""Figures for papers: every kind on usual and on ugly data; no texts overlap, fonts and sizes are as asked."""

from __future__ import annotations

import re
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from finbench.benchmarks.analysis.curves import curves
from finbench.benchmarks.analysis.dimensions import find_dimension
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.gaps import gap_by_gamma
from finbench.benchmarks.analysis.measures import MEASURES
from finbench.benchmarks.plots.campaign_figures import campaign_figures
from finbench.benchmarks.plots.curves import curves_figure
from finbench.benchmarks.plots.formats import Look, Width
from finbench.benchmarks.plots.gaps import draw_gap_by_gamma
from finbench.benchmarks.plots.line_names import spread
from finbench.benchmarks.plots.profiles import draw_profiles
from finbench.benchmarks.plots.requested import PlotRequest, requested_figure
from finbench.benchmarks.plots.style import GREY, Paper, in_order, method_colour, method_styles, paper, save_picture
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError
from tests.benchmarks.conftest import made_up_row
from tests.few_and_many import few_and_many

COLUMN = paper(Look.IEEE, Width.COLUMN)
LONG = "a_method with $ome & 50 % of a name that_goes_on_for_60_chars"


def run(k: int, method: str, energy: float | None, time_s: float, **more: Any) -> Row:
    ended = "no-solution" if energy is None else "feasible"
    own = {"network_nodes": 3 * 2**k, "max_latency_s": 1e-3 * (k + 1), "objective": energy, "time_s": time_s}
    return made_up_row(f"i{k}", method, **{**own, "lower_bound": 1.0, "status": ended, **more})


def usual(methods: int = 4, sizes: int = 5) -> list[Row]:
    return [
        run(k, f"method {m}", None if m == 1 and k > 2 else 1 + m * k * 0.1, 0.001 * (m + 1) * 2**k)
        for m in range(methods)
        for k in range(sizes)
    ]


UGLY = {
    "usual": usual(),
    "one point": usual(1, 1),
    "all failures": [run(k, f"method {m}", None, 0.1) for m in range(3) for k in range(4)],
    "30 methods": usual(30),
    "long names": [run(k, f"{LONG} {m}", 1.0 + m, 0.1, group=LONG) for m in range(3) for k in range(4)],
    "12 decades": [run(k, f"method {m}", 10.0 ** (3 * k - m), 10.0 ** (3 * k - 9)) for m in range(3) for k in range(4)],
    "dark strings": [run(k, name, 2.0, 0.1, group="$x_$ & $") for name in ("_a$b$", "$\\frac{$") for k in range(4)],
}


def boxes(figure: Figure) -> dict[str, Any]:
    """Boxes of all texts that are drawn, ticks included [pixels]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    ticks = {id(tick.label1) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in _hidden(axis)}
    return {
        f"{k} {text.get_text()}": Text.get_window_extent(text, renderer)
        for k, text in enumerate(texts)
        if id(text) not in ticks
    }


def _hidden(axis: Any) -> list[Any]:
    """Ticks beyond the limits of an axis, which are not drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [tick for tick in ticks if not low * (1 - 1e-9) - 1e-12 <= tick.get_loc() <= high * (1 + 1e-9)]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    found = boxes(figure)
    return [
        (one, other)
        for (one, a), (other, b) in combinations(found.items(), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def outside(figure: Figure) -> list[str]:
    width, height = figure.get_size_inches() * figure.dpi
    return [
        name
        for name, box in boxes(figure).items()
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]


def drawn(kind: str, rows: list[Row], on: Paper) -> Figure | None:
    runs = frame(rows)
    if kind == "profile":
        return draw_profiles(runs, on=on)
    what, against = kind.split(" against ")
    return requested_figure(runs, PlotRequest(what, against, baseline=rows[0]["variant"]), on)


@pytest.mark.parametrize("case", few_and_many(UGLY, 1))
@pytest.mark.parametrize("kind", ["profile", "gap against nodes", "energy against latency"])
def test_texts_neither_overlap_nor_leave_the_figure(kind: str, case: str) -> None:
    for on in (COLUMN, paper()):
        figure = drawn(kind, UGLY[case], on)
        assert figure is not None
        assert overlapping(figure) == []
        assert outside(figure) == []


DRAWN = sorted(set(MEASURES) - {"instances"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "case"), [(what, [*UGLY][(k + turn) % len(UGLY)]) for k, what in enumerate(DRAWN) for turn in (0, 4)]
)
def test_every_measure_can_be_drawn_of_ugly_data(what: str, case: str) -> None:
    """Every measure with two kinds of ugly data, so that every kind is met by several measures."""
    figure = drawn(f"{what} against nodes", UGLY[case], COLUMN)
    assert figure is not None
    assert overlapping(figure) == []


def test_figures_have_the_width_that_is_asked_for(tmp_path: Path) -> None:
    for width, inches in ((Width.COLUMN, 3.5), (Width.PAGE, 7.16)):
        figure = drawn("gap against nodes", usual(), paper(Look.IEEE, width))
        assert figure is not None
        save_picture(figure, tmp_path / "f.pdf", Look.IEEE)
        written = (tmp_path / "f.pdf").read_bytes()
        box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", written)
        assert box is not None
        assert float(box[1]) == pytest.approx(72 * inches, abs=0.1)
        assert b"/Subtype /Type3" not in written, "fonts are embedded as TrueType"


def test_a_method_has_one_colour_everywhere_and_its_variants_differ() -> None:
    styles = method_styles(["fin (gamma=1000)", "mcp", "fin (gamma=10)"])
    assert list(styles) == ["fin (gamma=10)", "fin (gamma=1000)", "mcp"]
    assert styles["fin (gamma=1000)"]["color"] == method_styles(["fin (gamma=1000)"])["fin (gamma=1000)"]["color"]
    assert len({(style["color"], style["linestyle"]) for style in styles.values()}) == 3
    assert method_colour("a plugin of mine") == method_colour("a plugin of mine")
    assert in_order(["b (gamma=5)", "a", "b (gamma=1)"]) == ["b (gamma=1)", "b (gamma=5)", "a"]


def test_of_many_methods_the_best_are_named_and_the_rest_is_grey() -> None:
    figure = drawn("profile", usual(30), paper())
    assert figure is not None
    (axes,) = figure.axes
    lines = [line for line in axes.lines if len(np.asarray(line.get_xdata())) > 1]
    assert sum(line.get_color() == GREY for line in lines) == 22
    assert len(axes.texts) == 8
    assert "22 others" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_profiles_have_a_panel_for_each_group_and_a_curve_for_each_method() -> None:
    figure = draw_profiles(frame([{**row, "group": group} for group in "xyz" for row in usual(2)]))
    assert figure is not None
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"{group} (5 instances)" for group in "xyz"]
    ends = [np.asarray(line.get_ydata())[-1] for line in figure.axes[1].lines]
    assert ends == [100.0, 20.0], "only what has a gap of at most 1 % is solved"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["method 0", "method 1"]


def test_nothing_shared_is_no_figure() -> None:
    rows = [run(0, "a", 1.0, 1.0), run(1, "b", 1.0, 1.0)]
    assert draw_profiles(frame(rows)) is None
    assert drawn("gap against nodes", rows, paper()) is None


def test_curves_are_over_shared_instances_and_count_failures() -> None:
    rows = [run(k, "a", 1.1, 0.1, network_nodes=3 + k % 2) for k in range(6)]
    rows += [run(k, "b", None if k > 3 else 1.2, 0.1, network_nodes=3 + k % 2) for k in range(6)]
    rows += [run(9, "a", 9.0, 0.1, network_nodes=3)]
    runs = frame(rows)
    table = curves(runs, MEASURES["mean-gap"], find_dimension("nodes", runs))
    assert table[["variant", "at", "counted", "instances"]].to_numpy().tolist() == [
        ["a", 3.0, 3, 3],
        ["a", 4.0, 3, 3],
        ["b", 3.0, 2, 3],
        ["b", 4.0, 2, 3],
    ]
    assert table["value"].tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])
    shown = curves_figure(table, MEASURES["mean-gap"], find_dimension("nodes", runs))
    assert "hollow: failures left out" in [text.get_text() for text in shown.legends[0].get_texts()]


def test_methods_of_one_size_stand_beside_each_other_and_nothing_to_compare_is_said() -> None:
    rows = [{**row, "group": "several"} for row in usual(3)]
    rows += [{**run(7, f"method {k}", 1.5, 0.1, network_nodes=9), "group": "one"} for k in range(3)]
    rows += [{**run(8, f"method {k}", None, 0.1, network_nodes=5), "group": "none"} for k in range(3)]
    runs = frame(rows)
    nodes = find_dimension("nodes", runs)
    figure = curves_figure(curves(runs, MEASURES["energy"], nodes), MEASURES["energy"], nodes)
    several, one, none = figure.axes
    places = [float(np.asarray(line.get_xdata())[0]) for line in one.lines if len(np.asarray(line.get_xdata()))]
    assert len(set(places)) == 3, "none hides another"
    assert all(one.get_xlim()[0] < place < one.get_xlim()[1] for place in places)
    assert [tick.get_text() for tick in one.get_xticklabels()] == ["9"]
    assert "no deployments to compare" in [text.get_text() for text in none.texts]
    assert not several.texts
    assert not one.texts


def test_the_gap_by_gamma_figure_shows_what_is_missed() -> None:
    rows = [
        run(k, "fin", None if k >= g // 5 else 1.1, 0.1, variant=f"fin (gamma={g})", options={"gamma": g})
        for k in range(4)
        for g in (5, 10, 15, 20)
    ] + [run(k, "exact", 1.0, 0.1, status="optimal") for k in range(4)]
    table = gap_by_gamma(frame(rows))
    for on in (COLUMN, paper()):
        figure = draw_gap_by_gamma(table, on)
        assert overlapping(figure) == []
        missed = next(axes for axes in figure.axes if axes.get_ylabel() == "missed [%]")
        assert list(np.asarray(missed.lines[0].get_ydata())) == [75.0, 50.0, 25.0, 0.0]


def test_gaps_of_two_roundings_are_not_mixed() -> None:
    told = {"": {}, ", rounding=cumulative": {"rounding": "cumulative"}}
    rows = [
        run(k, "fin", 1.0 if more else 1.5, 0.1, variant=f"fin (gamma={g}{said})", options={"gamma": g, **more})
        for k in range(2)
        for g in (5, 10)
        for said, more in told.items()
    ] + [run(k, "exact", 1.0, 0.1, status="optimal") for k in range(2)]
    table = gap_by_gamma(frame(rows)).set_index(["group", "gamma"])["worst"]
    group = rows[0]["group"]
    for gamma in (5, 10):
        assert table[f"{group}: fin", gamma] == pytest.approx(50.0)
        assert table[f"{group}: fin (rounding=cumulative)", gamma] == 0.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"what": "speed"}, "'speed': cannot be drawn; known: profile, answered, "),
        ({"against": "nodes"}, "--against: a profile is over ratios of times"),
        ({"what": "gap", "against": "load"}, "'load': no run of these has a value of it"),
        ({"what": "saving", "against": "nodes"}, "measure 'saving': needs a method to compare with"),
        ({"what": "gap", "methods": ["x"]}, "method 'x': not here; known: method 0"),
    ],
    ids=lambda case: case if isinstance(case, str) else " ".join(map(str, case.values())),
)
def test_what_cannot_be_drawn_is_said_with_what_can(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        requested_figure(frame(usual()), PlotRequest(**asked), paper())


def test_a_measure_goes_over_the_first_dimension_in_which_runs_differ() -> None:
    figure = requested_figure(frame(usual()), PlotRequest("gap"), paper())
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "nodes"
    with pytest.raises(InputError, match="alike in all"):
        requested_figure(frame(usual(2, 1)), PlotRequest("gap"), paper())


@pytest.mark.slow
def test_a_campaign_writes_the_figures_that_its_runs_support(tmp_path: Path) -> None:
    wanted = ("profiles", "gap_by_nodes", "time_by_nodes", "energy_by_latency")
    names = [path.name for path in campaign_figures(frame(usual()), tmp_path)]
    assert names == [f"{name}.{suffix}" for name in wanted for suffix in ("png", "pdf")]
    assert campaign_figures(frame(usual(2, 2)), tmp_path) == []


@pytest.mark.parametrize("count", [1, 2, 7])
def test_names_at_ends_of_lines_keep_their_distance_and_their_order(count: int) -> None:
    heights = np.random.default_rng(count).uniform(40, 60, count)
    placed = spread(heights, 10, 0, 100)
    assert sorted(range(count), key=lambda k: heights[k]) == sorted(range(count), key=lambda k: placed[k])
    assert np.all(np.diff(sorted(placed)) >= 10 - 1e-9)
    assert 0 <= min(placed) <= max(placed) <= 100
    assert spread([50.0, 80.0], 10, 0, 100) == [50.0, 80.0]


def test_every_figure_can_be_written_in_every_format(tmp_path: Path) -> None:
    figure = drawn("time against nodes", UGLY["dark strings"], paper())
    assert figure is not None
    for suffix in ("png", "pdf", "svg"):
        save_picture(figure, tmp_path / f"f.{suffix}")
        assert (tmp_path / f"f.{suffix}").stat().st_size > 3000
    figure.savefig(BytesIO())
