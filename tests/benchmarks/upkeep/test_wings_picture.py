"""The picture of the wings: every wing once, short names, no arrow behind a wing, and a cost that tells."""

from __future__ import annotations

from io import BytesIO
from itertools import combinations

import pytest
from matplotlib.text import Text

from finbench.benchmarks.upkeep.wings import RUNG, arrows, needed
from finbench.benchmarks.upkeep.wings_picture import WIDTHS, cost_of, draw_wings, passes_behind, places_of

FOUND = frozenset(arrows())


@pytest.mark.no_cover  # the search for places takes five times as long where it is traced
def test_every_wing_has_a_box_and_no_two_overlap() -> None:
    figure = draw_wings()
    figure.savefig(BytesIO())
    boxes = [text for text in figure.findobj(Text) if text.get_bbox_patch() is not None]
    assert len(boxes) == len(RUNG)
    extents = [text.get_bbox_patch().get_window_extent() for text in boxes]  # type: ignore[union-attr]
    assert not any(one.overlaps(other) for one, other in combinations(extents, 2))
    assert max(len(line) for text in boxes for line in text.get_text().splitlines()) <= 12


@pytest.mark.parametrize("package", WIDTHS)
def test_arrows_point_down_and_pass_behind_no_wing(package: str) -> None:
    inside = {arrow for arrow in FOUND if all(wing.partition(".")[0] == package for wing in arrow)}
    places = places_of(package, frozenset(needed(inside)), FOUND)
    assert set(places) == {wing for wing in RUNG if wing.partition(".")[0] == package}
    assert all(places[one][1] > places[other][1] for one, other in inside)
    assert not [
        (arrow, wing)
        for arrow in needed(inside)
        for wing, place in places.items()
        if wing not in arrow and passes_behind(places[arrow[0]], places[arrow[1]], place)
    ]


def test_an_arrow_behind_a_wing_is_seen() -> None:
    assert passes_behind((0.5, 2.0), (0.5, 0.0), (0.5, 1.0))
    assert not passes_behind((0.5, 2.0), (0.5, 0.0), (1.5, 1.0))
    assert not passes_behind((0.5, 1.0), (0.5, 0.0), (0.5, 1.0))
    assert cost_of({"a": (0.5, 2.0), "b": (0.5, 1.0), "c": (0.5, 0.0)}, {("a", "c")}) == 10


def test_arrows_that_follow_from_others_are_left_out() -> None:
    wings = ("benchmarks.cli", "benchmarks.report", "benchmarks.plots")
    assert needed({wings[:2], wings[1:], (wings[0], wings[2])}) == {wings[:2], wings[1:]}
