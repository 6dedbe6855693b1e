"""Verdicts on many applications follow from rows, and change with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.analysis.claim_tables import saving_of_many_table
from finbench.benchmarks.analysis.claims_of_many import KINDS_OF_USERS, ClaimsOfMany, claims_of_many
from finbench.benchmarks.analysis.claims_of_runs import UNKNOWN
from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.families.published_many import SCENARIOS
from tests.benchmarks.conftest import made_up_row, write_results


def run(users: int, method: str, power: float | None, group: str = "g", **fields: Any) -> dict[str, Any]:
    """A run on the instance with so many users of each DNN."""
    options = {"gamma": 100} if method == "fin" else {}
    common = {
        "variant": "fin (gamma=100)" if method == "fin" else method, "options": options, "group": group,
        "family": "published-many", "applications": 3 * users, "objective": power, "rejected": 0,
        "status": "no-solution" if power is None else "feasible", "content_hash": f"{group} {users}",
    }  # fmt: skip
    return made_up_row(f"{group} {users}", method, **{**common, **fields})


def judged(*rows: dict[str, Any]) -> ClaimsOfMany:
    return claims_of_many(frame(rows))


def verdicts(*rows: dict[str, Any]) -> list[str]:
    return [claim.verdict for claim in judged(*rows).claims]


MANY = (
    *(run(1, "fin", 50.0), run(1, "mcp", 100.0)),
    *(run(10, "fin", 10.0), run(10, "mcp", 100.0)),
    *(run(100, "fin", 5.0), run(100, "mcp", 100.0)),
)


def test_the_families_have_as_many_kinds_of_users_as_the_claims_count() -> None:
    assert len(SCENARIOS) == KINDS_OF_USERS


def test_a_saving_that_holds_somewhere_names_baseline_group_and_n() -> None:
    found = judged(*MANY)
    coexist, saving = found.claims
    assert found.points == 3
    assert coexist.verdict == "holds"
    assert "serves all users on 3 of 3 points" in coexist.measured
    assert "at n = 1, 10, 100 users of each DNN" in coexist.measured
    assert saving.verdict == "holds only if against mcp: g, n = 10, 100"
    assert "against mcp 50.00 % to 95.00 %, median 90.00 %, above 89 % on 2 of 3 points" in saving.measured


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ((), "holds only if against mcp: g, n = 10, 100"),
        ((run(1, "mcp", 1000.0),), "holds"),
        ((run(10, "mcp", 12.0), run(100, "mcp", 6.0)), "does not hold"),
        ((run(100, "mcp", None),), "holds only if against mcp: g, n = 10"),
        ((run(100, "fin", None),), "holds only if against mcp: g, n = 10"),
        ((run(100, "mcp", 100.0, rejected=2),), "holds only if against mcp: g, n = 10"),
        ((run(100, "greedy", 5.0),), "holds only if against mcp: g, n = 10, 100"),
        ((run(1, "greedy", 900.0),), "holds only if against mcp: g, n = 10, 100; against greedy: g, n = 1"),
        ((run(10, "fin", 11.0), run(100, "fin", 11.0)), "does not hold"),
    ],
)
def test_the_verdict_on_the_saving_changes_with_the_rows(change: tuple[dict[str, Any], ...], verdict: str) -> None:
    rows = {row["key"]: row for row in (*MANY, *change)}
    assert verdicts(*rows.values())[1] == verdict


def test_what_nobody_serves_is_not_judged_and_what_is_refuted_is_said() -> None:
    rows = [*MANY, run(200, "fin", None), run(200, "mcp", None)]
    rows += [run(300, "fin", None, status="infeasible"), run(300, "mcp", None)]
    found = judged(*rows)
    assert found.claims[0].verdict == "holds"
    assert found.claims[0].measured.endswith(
        "proven that there is none: g: n = 300; not judged, neither found nor refuted: g: n = 200"
    )
    (row,) = found.savings
    assert (row.left_out, row.refuted) == ((200,), (300,))
    assert saving_of_many_table(found.savings).rows[0][:6] == ("mcp", "g", "1, 10, 100", "10, 100", "200", "300")


def test_fin_must_serve_everybody_wherever_that_is_possible() -> None:
    assert verdicts(*MANY, run(200, "fin", None), run(200, "greedy", 7.0))[0] == "holds only if g: n = 1, 10, 100"
    assert verdicts(*MANY, run(200, "fin", 7.0, rejected=1))[0] == "holds only if g: n = 1, 10, 100"
    broken = run(1, "fin", 50.0, violations=["too late"], found=False, status="feasible")
    assert verdicts(broken, run(1, "mcp", 100.0))[0] == "does not hold"


def test_the_finest_of_fins_resolutions_counts() -> None:
    coarse = [run(k, "fin", 90.0, key=f"{k} coarse", variant="fin (gamma=3)", options={"gamma": 3}) for k in (1, 10)]
    assert verdicts(*MANY, *coarse) == verdicts(*MANY)


def test_runs_of_something_else_say_nothing() -> None:
    other = [run(1, "fin", 1.0, family="campus"), run(1, "mcp", 2.0, family="campus")]
    for found in (judged(*other), claims_of_many(None), judged(run(1, "mcp", 1.0))):
        assert [claim.verdict for claim in found.claims] == [UNKNOWN, UNKNOWN]
        assert all("finbench run published-many" in claim.measured for claim in found.claims)
    alone = judged(run(1, "fin", 1.0))
    assert alone.claims[1].verdict == UNKNOWN


def test_the_command_judges_finished_results(tmp_path: Path) -> None:
    folder = write_results(tmp_path, MANY)
    shown = json.loads(CliRunner().invoke(app, ["claims", str(folder), "--json"]).stdout)
    many = shown["many_applications"]
    assert [claim["verdict"] for claim in many["claims"]] == ["holds", "holds only if against mcp: g, n = 10, 100"]
    assert many["savings"][0]["savings"] == {"1": 0.5, "10": 0.9, "100": 0.95}
    assert [claim["verdict"] for claim in shown["claims"]] == [UNKNOWN] * 3
    printed = CliRunner().invoke(app, ["claims", str(folder)])
    assert printed.exit_code == 0
    assert "against mcp: g, n = 10, 100" in " ".join(printed.stdout.split())


def test_results_that_contradict_each_other_end_with_code_5(tmp_path: Path) -> None:
    lying = [*MANY, run(1, "column-generation", 60.0, status="optimal", lower_bound=60.0, claimed_objective=60.0)]
    came = CliRunner().invoke(app, ["claims", str(write_results(tmp_path, lying))])
    assert came.exit_code == 5
    assert "contradiction" in came.stdout


def test_no_results_are_refused_in_one_line(tmp_path: Path) -> None:
    came = CliRunner().invoke(app, ["claims", str(tmp_path / "nothing")])
    assert came.exit_code == 2
