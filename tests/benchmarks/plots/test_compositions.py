"""Stacked bars show what rows say: their heights are counted again, texts do not overlap, nothing is averaged in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from finbench.benchmarks.analysis.compositions import COMPOSITIONS, MOST_METHODS, compositions
from finbench.benchmarks.analysis.dimensions import DIMENSIONS
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.plots.compositions import compositions_figure, stacked_parts
from finbench.benchmarks.plots.requested import PlotRequest, requested_figure
from finbench.benchmarks.plots.style import paper
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError
from tests.benchmarks.conftest import made_up_row
from tests.benchmarks.plots.test_figures import COLUMN, outside, overlapping

USERS = (3, 30, 300)


def plan(total: float, k: int) -> dict[str, Any]:
    tiers = {"mobile": 5.0, "edge": float(k), "cloud": 1.0}
    return {"compute": 0.75 * total, "transfer": 0.25 * total, "executions": tiers, "last_exits": {"1": k, "3": 2}}


def row(users: int, method: str, k: int, *, copy: int = 0, group: str = "g", **fields: Any) -> Row:
    total = users * (k + 1 + copy) * 0.01
    made = {
        "group": group, "applications": users, "objective": total, "objective_unit": "W", "status": "feasible",
        "plan": plan(total, k), "content_hash": f"{group} {users} {copy}", **fields,
    }  # fmt: skip
    return made_up_row(f"{group} {users} {copy}", method, **made)


ROWS = [row(users, method, k) for users in USERS for k, method in enumerate(("milp-flow", "fin", "mcp"))]


def table(rows: list[Row], name: str, **asked: Any) -> Any:
    return compositions(frame(rows), COMPOSITIONS[name], DIMENSIONS["applications"], **asked)


def test_parts_of_a_bar_are_those_of_the_row() -> None:
    made = table(ROWS, "parts")
    one = made[(made["variant"] == "mcp") & (made["at"] == 30)].set_index("part")
    assert one["value"].to_dict() == pytest.approx({"computing": 0.75 * 0.9, "transfers": 0.25 * 0.9})
    tiers = table(ROWS, "tiers")
    assert tiers.groupby(["variant", "at"])["value"].sum().to_numpy() == pytest.approx(np.ones(9))
    mobile = tiers[(tiers["variant"] == "mcp") & (tiers["part"] == "mobile")]
    assert set(mobile["value"]) == {5 / 8}
    exits = table(ROWS, "exits")
    last = exits[(exits["variant"] == "mcp") & (exits["at"] == 3)].set_index("part")["value"]
    assert last.to_dict() == {"exit 1": 0.5, "exit 3": 0.5}


def test_means_are_over_the_instances_that_all_who_found_something_share() -> None:
    lost = row(3, "mcp", 2, copy=1, objective=None, status="no-solution", plan=None, found=False)
    rows = [*ROWS, row(3, "fin", 1, copy=1), row(3, "milp-flow", 0, copy=1), lost]
    made = table(rows, "parts")
    assert set(made[made["at"] == 3]["instances"]) == {1}
    twice = table([*ROWS, *[row(3, m, k, copy=1) for k, m in enumerate(("milp-flow", "fin", "mcp"))]], "parts")
    both = twice[(twice["variant"] == "fin") & (twice["at"] == 3)]
    assert set(both["instances"]) == {2}
    assert both["value"].sum() == pytest.approx((0.06 + 0.09) / 2)


def test_who_found_nothing_at_a_place_has_no_bar_there_and_takes_none_from_others() -> None:
    rows = [one for one in ROWS if (one["method"], one["applications"]) != ("mcp", 300)]
    made = table(rows, "parts")
    assert set(made[made["at"] == 300]["variant"]) == {"milp-flow", "fin"}


def test_without_a_choice_each_method_is_shown_once_and_few_are() -> None:
    fins = [
        row(users, "fin", 1, variant=f"fin (gamma={gamma})", options={"gamma": gamma}, key=f"{users} {gamma}")
        for users in USERS
        for gamma in (100, 3, 10)
    ]
    many = [row(users, f"method {k}", k) for k in range(6) for users in USERS]
    made = table([*fins, *many], "parts")
    assert list(dict.fromkeys(made["variant"])) == [
        "fin (gamma=100)",
        *(f"method {k}" for k in range(MOST_METHODS - 1)),
    ]
    weak = [one for one in many if one["method"] != "method 0" or one["applications"] == 3]
    assert "method 0" not in set(table([*fins, *weak], "parts")["variant"])
    asked = table([*fins, *many], "parts", methods=["fin", "method 5"])
    assert len(set(asked["variant"])) == 4


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_bars_are_as_high_as_their_numbers(name: str) -> None:
    made = table(ROWS, name)
    figure = compositions_figure(made, COMPOSITIONS[name], DIMENSIONS["applications"])
    for axes, variant in zip(figure.axes, ("milp-flow", "fin", "mcp"), strict=True):
        bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        heights = np.reshape([bar.get_height() for bar in bars], (-1, len(USERS)))
        own = made[made["variant"] == variant].pivot_table(index="part", columns="at", values="value")
        parts = [part for part in stacked_parts(made) if part in own.index]
        expected = own.loc[parts].to_numpy()
        assert heights / heights.sum() == pytest.approx(expected / expected.sum())
        tops = np.reshape([bar.get_y() for bar in bars], (-1, len(USERS)))
        assert tops[1:] == pytest.approx(np.cumsum(heights, axis=0)[:-1])


def test_energies_have_a_unit_that_suits_and_shares_are_percentages() -> None:
    parts = compositions_figure(table(ROWS, "parts"), COMPOSITIONS["parts"], DIMENSIONS["applications"])
    assert parts.axes[0].get_ylabel() == "power [W]"
    tiers = compositions_figure(table(ROWS, "tiers"), COMPOSITIONS["tiers"], DIMENSIONS["applications"])
    assert tiers.axes[0].get_ylabel() == "executions [%]"
    assert tiers.axes[0].get_ylim()[1] == pytest.approx(100)


LONG = "a group with a name that is as long as names of groups ever are, or longer"
WIDE = [row(3 * users, f"method {k}", k, group=LONG) for k in range(3) for users in range(1, 16)]


@pytest.mark.parametrize("rows", [ROWS, [*ROWS, *WIDE]], ids=["usual", "many bars and long names"])
def test_texts_neither_overlap_nor_leave_the_figure(rows: list[Row]) -> None:
    for on in (COLUMN, paper()):
        figure = requested_figure(frame(rows), PlotRequest("tiers", "applications"), on)
        assert figure is not None
        assert overlapping(figure) == []
        assert outside(figure) == []


def test_rows_that_do_not_say_what_deployments_are_made_of_are_refused() -> None:
    bare = [{**one, "plan": None} for one in ROWS]
    with pytest.raises(InputError, match="no run says what its deployment is made of"):
        requested_figure(frame(bare), PlotRequest("parts", "applications"), paper())
