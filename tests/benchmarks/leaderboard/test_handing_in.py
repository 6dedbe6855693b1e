"""Folders of results improve the library: better deployments are appended, words and worse values refused in a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.leaderboard.handing_in import HandedIn, hand_in
from finbench.benchmarks.library.checking import check_library
from finbench.benchmarks.library.entry import LibraryEntry
from finbench.benchmarks.library.known_value import KnownAs, KnownValue
from finbench.benchmarks.library.library import INSTANCES, SOLU, VALUES, Library, load_library, shipped_library
from finbench.benchmarks.library.tables import table_text
from finbench.benchmarks.library.updating import update
from finbench.benchmarks.methods import run_method
from tests.benchmarks.conftest import OPTIMUM_J
from tests.benchmarks.leaderboard.conftest import EMPTY, OWN, Forge
from tests.benchmarks.leaderboard.conftest import INSTANCES as NAMES
from tests.benchmarks.library.conftest import DAY


@pytest.fixture
def young(tmp_path: Path) -> Library:
    """Return a library of the same instances that knows a poor deployment of one and nothing of the others."""
    folder = tmp_path / "young"
    folder.mkdir()
    entries = [shipped_library().entries[name] for name in NAMES]
    (folder / INSTANCES).write_text(table_text(LibraryEntry, entries))
    (folder / VALUES).write_text(table_text(KnownValue, []))
    (folder / SOLU).write_text("".join(f"=unkn= {entry.name}\n" for entry in entries))
    poor = run_method(entries[0].build(), "single-node").deployment
    update(load_library(folder), OWN, poor, None, method="single-node", on=DAY)
    return load_library(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def handed_in(library: Library, *folders: Path) -> dict[str, HandedIn]:
    return {each.instance: each for each in hand_in(library, folders)}


def test_a_better_deployment_is_appended_with_method_date_and_certificate(young: Library, honest: Path) -> None:
    before = contents(young.folder)
    new = handed_in(young, honest)[OWN].appended
    assert new is not None
    assert new.objective == pytest.approx(OPTIMUM_J)
    assert new.bound == pytest.approx(OPTIMUM_J)
    assert (new.method, new.date > DAY, new.certificate) == ("label-setting", True, f"certificates/{OWN}.json")
    after = contents(young.folder)
    assert after[VALUES].startswith(before[VALUES])
    assert {name: after[name] for name in before if name not in (VALUES, SOLU)} == {
        name: text for name, text in before.items() if name not in (VALUES, SOLU)
    }
    grown = load_library(young.folder)
    assert [found.fault for found in check_library(grown, list(grown.entries.values()))] == [None] * 3


def test_a_methods_word_that_it_is_optimal_is_not_taken_for_a_second_proof(young: Library, honest: Path) -> None:
    new = handed_in(young, honest)[OWN].appended
    assert new is not None
    assert new.known_as is KnownAs.BEST
    assert new.proven_by == ("certificate",)


def test_results_that_are_known_change_nothing(young: Library, honest: Path) -> None:
    list(hand_in(young, [honest]))
    grown, before = load_library(young.folder), contents(young.folder)
    assert not [each for each in hand_in(grown, [honest]) if each.appended]
    assert contents(young.folder) == before


def test_worse_values_are_refused_in_a_line(young: Library, honest: Path, forged: Forge) -> None:
    list(hand_in(young, [honest]))
    grown, before = load_library(young.folder), contents(young.folder)
    mcp = forged(lambda row: {**row, "lower_bound": None} if row["method"] == "mcp" else None)
    refused = handed_in(grown, mcp)[OWN]
    assert (refused.appended, refused.refuted) == (None, False)
    assert "is worse than" in refused.refusal
    assert contents(young.folder) == before


def test_a_refuted_run_is_not_taken_though_its_deployment_is_better(young: Library, forged: Forge) -> None:
    before = contents(young.folder)
    lowered = forged(lambda row: {**row, "objective": 1e-9} if row["found"] else row)
    found = [each for each in hand_in(young, [lowered]) if each.instance == OWN]
    assert all(each.refuted and "records 1e-09" in each.refusal for each in found)
    assert len(found) == 4
    assert contents(young.folder) == before


def test_a_bound_without_a_certificate_is_a_word(young: Library, forged: Forge) -> None:
    bounds = forged(lambda row: {**row, "deployments": [], "found": False, "status": "time-limit", "objective": None,
                                 "claimed_objective": None, "lower_bound": 0.01})  # fmt: skip
    refused = handed_in(young, bounds)
    assert set(refused) == set(NAMES)
    assert all("no certificate proves it" in each.refusal for each in refused.values())


def test_the_shipped_library_is_confirmed_by_honest_results(honest: Path) -> None:
    assert not [each for each in hand_in(shipped_library(), [honest]) if each.appended or each.refuted]


def test_the_command_says_what_became_of_each(young: Library, honest: Path, forged: Forge) -> None:
    run, into = CliRunner(), ["--folder", str(young.folder)]
    came = run.invoke(app, ["library", "update", str(honest), *into])
    assert came.exit_code == 0, came.output
    assert f"{OWN}: best, objective" in came.stdout
    assert "2 values appended, 1 refused" in came.stdout
    assert f"{EMPTY}: {honest}: label-setting: says that nothing fits, and no certificate" in came.stdout
    cheats = forged(lambda row: {**row, "lower_bound": 1e9} if row["method"] == "milp-flow" else row)
    came = run.invoke(app, ["library", "update", str(cheats), *into])
    assert came.exit_code == 5
    assert "refuted: claims a bound of 1000000000.0" in came.stdout


WRONG = {
    "both": ([OWN, "RESULTS"], "not both"),
    "a method beside results": (["RESULTS", "--method", "fin"], "rows of results name their methods"),
    "no file": ([OWN], "must stand beside an instance"),
    "no such instance": (["nowhere"], "no such instance"),
    "results twice": (["RESULTS", "RESULTS"], "named twice"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_it_cannot_take_is_one_line(case: str, young: Library, honest: Path) -> None:
    arguments, said = WRONG[case]
    given = [str(honest) if each == "RESULTS" else each for each in arguments]
    came = CliRunner().invoke(app, ["library", "update", *given, "--folder", str(young.folder)])
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1), came.output
    assert said in came.stderr
