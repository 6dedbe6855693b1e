"""Time to match FIN's energy, by hand."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from finbench.benchmarks.analysis.trajectories import Match, incumbents, matches, matching_tables, time_to_reach
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import made_up_row

POINTS = [(0.5, None, 1.0), (1.0, 8.0, 1.0), (2.0, 5.0, 3.0), (6.0, 4.0, 3.0), (9.0, 4.0, 4.0)]


def solver_run(instance: str, points: list[Any], **fields: Any) -> Row:
    defaults = {"status": "optimal", "objective": 4.0, "time_s": 9.0, "info": {"trajectory": points}, "limit_s": 10.0}
    return made_up_row(instance, "milp", **{**defaults, **fields})


def fin_run(instance: str, objective: float | None, **fields: Any) -> Row:
    status = "no-solution" if objective is None else "feasible"
    return made_up_row(
        instance, "fin", **{"objective": objective, "status": status, "time_s": 0.01, "limit_s": 10.0, **fields}
    )


@pytest.mark.parametrize(
    ("objective", "tolerance", "expected"),
    [
        (9.0, 0.0, 1.0),
        (8.0, 0.0, 1.0),
        (7.9, 0.0, 2.0),
        (7.9, 0.02, 1.0),
        (4.5, 0.0, 6.0),
        (4.0 * (1 - 5e-7), 1e-6, 6.0),
        (4.0 * (1 - 2e-6), 1e-6, None),
        (3.9, 0.0, None),
    ],
)
def test_the_time_to_reach_an_objective_is_that_of_the_first_incumbent_within_tolerance(
    objective: float, tolerance: float, expected: float | None
) -> None:
    assert time_to_reach(solver_run("a", POINTS), objective, tolerance) == expected


def test_beyond_the_limit_or_infeasible_in_the_end_is_never() -> None:
    assert time_to_reach(solver_run("a", POINTS, limit_s=5.0), 4.5) is None
    assert time_to_reach(solver_run("a", POINTS, limit_s=5.0), 5.0) == 2.0
    assert time_to_reach(solver_run("a", POINTS, found=False), 9.0) is None
    assert time_to_reach(fin_run("a", 4.0), 9.0) is None


def test_incumbents_leave_out_what_came_before_the_first() -> None:
    assert incumbents(solver_run("a", POINTS)) == [(1.0, 8.0), (2.0, 5.0), (6.0, 4.0), (9.0, 4.0)]


ROWS = [
    solver_run("a", POINTS),
    fin_run("a", 5.0, time_s=0.01),
    solver_run("b", [(4.0, 6.0, 1.0), (10.0, 6.0, 2.0)], status="time-limit", objective=6.0, time_s=10.0),
    fin_run("b", 3.0, time_s=0.03),
    solver_run("c", [(3.0, 2.0, 2.0)], objective=2.0, time_s=3.0),
    fin_run("c", 2.0, time_s=0.02),
    solver_run("d", [(1.0, 2.0, 2.0)], objective=2.0, time_s=1.0),
    fin_run("d", None),
    made_up_row("e", "milp", status="error", limit_s=10.0),
    fin_run("e", 1.0, time_s=0.04),
    solver_run("f", [(1.0, 2.0, 2.0)], objective=2.0),
    fin_run("g", 1.0),
]
"""FIN finds none on d; f has no run of FIN, g none of the program; the program failed on e and found worse on b."""


def test_matches_are_as_worked_out_by_hand() -> None:
    (match,) = matches(ROWS)
    assert isinstance(match, Match)
    assert (match.method, match.heuristic, match.shared) == ("milp", "fin", 5)
    assert match.heuristic_s == (0.01, 0.03, 0.02, 0.04)
    assert match.match_s == (2.0, inf, 3.0, inf)
    assert match.proof_s == (9.0, inf, 3.0, inf)
    # a: 1 s of 1, 1 s of |8 − 4|/8, 4 s of |5 − 4|/5;  b: 4 s of 1, 6 s of |6 − 3|/6;  c: 3 s of 1;  e: 10 s of 1
    assert match.integral_s == pytest.approx((1 + 0.5 + 0.8, 4 + 3, 3, 10))


def test_failures_are_counted_apart_and_never_averaged() -> None:
    (table,) = matching_tables(ROWS)
    (cells,) = table.rows
    assert cells == ("milp", "fin", "5", "4", "0.025", "2", "2", "∞", "2", "2", "∞", "5")
    (table,) = matching_tables([row for row in ROWS if row["instance"] != "e"])
    (cells,) = table.rows
    assert cells == ("milp", "fin", "4", "3", "0.02", "2", "1", "3", "2", "1", "9", "3")
    assert len(table.columns) == len(cells)


def test_repeated_runs_count_once_with_their_median() -> None:
    again = [solver_run("a", [(at + 2, *point) for at, *point in POINTS], time_s=10.0) for _ in range(2)]
    (match,) = matches([*ROWS[:2], *again])
    assert (match.match_s, match.proof_s, match.shared) == ((4.0,), (10.0,), 1)


def test_groups_and_values_of_gamma_are_kept_apart() -> None:
    other = [{**row, "group": "h"} for row in ROWS[:2]]
    finer = fin_run("a", 4.0, variant="fin (gamma=1000)")
    first, second = matching_tables([*ROWS, finer, *other])
    assert (first.title[0], second.title[0]) == ("g", "h")
    assert [row[1:4] for row in first.rows] == [("fin", "5", "4"), ("fin (gamma=1000)", "1", "1")]
    assert [row[7] for row in first.rows] == ["∞", "6"]


def test_no_table_where_nothing_is_told_or_nothing_to_match() -> None:
    assert matching_tables([solver_run("a", POINTS)]) == []
    assert matching_tables([fin_run("a", 5.0), made_up_row("a", "mcp", status="feasible", objective=1.0)]) == []
