"""A claim that cannot be true is named with its folder, method, instance and both numbers; honest ones are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from finbench.benchmarks.leaderboard.board import Leaderboard, leaderboard
from finbench.benchmarks.leaderboard.refutation import LIBRARY, Fault
from finbench.benchmarks.library.known_value import KnownValue
from finbench.benchmarks.library.library import Library, shipped_library
from finbench.benchmarks.rows.row import Row
from tests.benchmarks.conftest import OPTIMUM_J
from tests.benchmarks.leaderboard.conftest import EMPTY, OWN, Forge

SHIPPED = shipped_library()
HASHES = {name: SHIPPED.entries[name].content_hash for name in (OWN, EMPTY)}


def changed(of: str, by: str, /, **fields: object) -> Callable[[Row], Row]:
    """Return a change of one method's row on one instance."""

    def change(row: Row) -> Row:
        here = row["method"] == by and row["content_hash"] == HASHES[of]
        return {**row, **fields} if here else row

    return change


def ranked(*folders: Path, library: Library = SHIPPED) -> Leaderboard:
    return leaderboard(folders, library)


def test_honest_results_are_not_accused(honest: Path, forged: Forge) -> None:
    board = ranked(honest, forged())
    assert (board.refutations, board.improvements) == ((), ())
    assert (board.runs, board.instances) == (24, 3)


LOWER, HIGHER = 0.9 * OPTIMUM_J, 1.1 * OPTIMUM_J

FORGED = {
    "energy lowered": (changed(OWN, "mcp", objective=LOWER), "mcp", OWN, Fault.OTHER_OBJECTIVE, LOWER),
    "claim lowered": (changed(OWN, "fin", claimed_objective=LOWER), "fin", OWN, Fault.OTHER_OBJECTIVE, LOWER),
    "bound raised": (changed(OWN, "milp-flow", lower_bound=HIGHER), "milp-flow", OWN, Fault.BOUND, HIGHER),
    "bound lowered": (changed(OWN, "milp-flow", lower_bound=LOWER), "milp-flow", OWN, Fault.OWN_BOUND, None),
    "optimality claimed": (changed(OWN, "mcp", status="optimal"), "mcp", OWN, Fault.OPTIMUM, None),
    "infeasibility claimed": (changed(OWN, "fin", status="infeasible"), "fin", OWN, Fault.INFEASIBLE, None),
    "deployment lost": (changed(OWN, "fin", deployments=[]), "fin", OWN, Fault.NO_DEPLOYMENT, None),
    "deployment invented": (
        changed(EMPTY, "fin", status="optimal", found=True, objective=1.0, time_s=1.0),
        "fin", EMPTY, Fault.NO_DEPLOYMENT, 1.0,
    ),
    "instance renamed": (changed(OWN, "mcp", instance="another"), "mcp", OWN, Fault.OTHER_INSTANCE, None),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_claim_is_named(case: str, honest: Path, forged: Forge) -> None:
    change, method, instance, fault, claimed = FORGED[case]
    theirs = forged(change)
    found = ranked(honest, theirs).refutations
    assert {(one.folder, one.variant.split(" ")[0], one.instance) for one in found} == {(str(theirs), method, instance)}
    named = {one.fault: one for one in found}
    assert fault in named
    assert claimed in (None, named[fault].claimed)
    assert "\n" not in named[fault].line


def test_the_two_numbers_of_a_bound_are_the_bound_and_the_feasible_objective(honest: Path, forged: Forge) -> None:
    (one,) = ranked(honest, forged(changed(OWN, "milp-flow", lower_bound=HIGHER))).refutations
    assert one.claimed == HIGHER
    assert one.found == pytest.approx(OPTIMUM_J, rel=1e-9)
    assert repr(HIGHER) in one.sentence
    assert repr(one.found) in one.sentence


def test_a_deployment_that_misses_a_target_is_named_with_value_and_limit(honest: Path, forged: Forge) -> None:
    def slow(row: Row) -> Row:
        if row["method"] != "fin" or row["content_hash"] != HASHES[OWN]:
            return row
        (one,) = row["deployments"]
        return {**row, "deployments": [{**one, "placement": ["device"] * 5, "routes": [["device"]] * 5}]}

    theirs = forged(slow)
    (found,) = [one for one in ranked(theirs).refutations if one.fault is Fault.BROKEN_RULE]
    assert (found.folder, found.instance) == (str(theirs), OWN)
    assert "(eq. 8)" in found.sentence
    assert found.claimed is not None
    assert found.found is not None
    assert found.claimed > found.found


def test_another_folders_deployment_refutes_an_optimum_that_the_library_does_not_know(
    honest: Path, forged: Forge
) -> None:
    library = Library(SHIPPED.folder, SHIPPED.entries, {})
    theirs = forged(changed(OWN, "mcp", status="optimal"))
    (one,) = ranked(honest, theirs, library=library).refutations
    assert (one.folder, one.fault) == (str(theirs), Fault.OPTIMUM)
    assert f"{honest}: label-setting has {one.found!r}" in one.sentence


def with_value(**fields: object) -> Library:
    """Return the library with one value of `OWN` changed, unchecked."""
    value = SHIPPED.values[OWN]
    return Library(SHIPPED.folder, SHIPPED.entries, {OWN: (KnownValue.model_construct(**{**dict(value), **fields}),)})


def test_the_library_itself_may_be_refuted(honest: Path) -> None:
    found = ranked(honest, library=with_value(objective=HIGHER)).refutations
    assert {(one.folder, one.instance, one.fault, one.claimed) for one in found} == {
        (LIBRARY, OWN, Fault.OPTIMUM, HIGHER)
    }


def test_what_is_better_than_the_best_known_is_no_contradiction(honest: Path) -> None:
    board = ranked(honest, library=with_value(objective=HIGHER, known_as="best", bound=LOWER))
    assert board.refutations == ()
    (better,) = [one for one in board.improvements if one.instance == OWN]
    assert better.objective == pytest.approx(OPTIMUM_J, rel=1e-9)
    assert better.known == HIGHER
