"""New values are appended where the checker finds that they hold and say more, and nothing is written over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.library.checking import check_library
from finbench.benchmarks.library.known_value import KnownAs
from finbench.benchmarks.library.library import INSTANCES, SOLU, VALUES, Library, load_library
from finbench.benchmarks.library.updating import update
from finbench.fin_graph.certifying import certificate_of
from finbench.models.io import InputError
from tests.benchmarks.library.conftest import DAY, solved

GROWING = {VALUES, SOLU}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_better_deployment_with_its_proof_is_appended_and_nothing_written_over(small: Library) -> None:
    before, instance = contents(small.folder), small.entries["two"].build()
    best = solved(instance)
    proof = certificate_of(instance, "label-setting", best)
    new = update(small, "two", best.deployment, proof, method="label-setting", proofs=("label-setting",))
    assert new.known_as is KnownAs.OPTIMAL
    assert new.proven_by == ("label-setting", "certificate")
    after = contents(small.folder)
    assert {name: text for name, text in after.items() if name in before and name not in GROWING} == {
        name: text for name, text in before.items() if name not in GROWING
    }
    assert after[VALUES].startswith(before[VALUES])
    assert after.keys() - before.keys() == {"solutions/two.2.json", "certificates/two.json"}
    grown = load_library(small.folder)
    assert [value.method for value in grown.history["two"]] == ["single-node", "label-setting"]
    assert f"=opt=  two {new.objective!r}\n" in (small.folder / SOLU).read_text()
    assert [found.fault for found in check_library(grown, list(grown.entries.values()))] == [None] * 3


def test_a_proof_alone_is_appended_beside_the_deployment_that_is_known(small: Library) -> None:
    instance = small.entries["two"].build()
    best = solved(instance)
    update(small, "two", best.deployment, None, method="label-setting", on=DAY)
    library = load_library(small.folder)
    assert library.values["two"].known_as is KnownAs.BEST
    new = update(library, "two", None, certificate_of(instance, "larac", best), method="larac", proofs=("larac",))
    assert (new.known_as, new.deployment) == (KnownAs.OPTIMAL, "solutions/two.2.json")


def test_a_first_value_is_appended(small: Library) -> None:
    instance = small.entries["three"].build()
    new = update(small, "three", solved(instance, "mcp").deployment, None, method="mcp")
    assert (new.known_as, new.bound, new.gap) == (KnownAs.BEST, None, None)
    assert load_library(small.folder).values["three"] == new


REFUSED = {
    "worse than known": ("one", "single-node", (), "not appended: objective .* is worse than"),
    "nothing new": ("two", "single-node", (), "not appended: says no more than is known"),
    "no such prover": ("two", "label-setting", ("mcp",), "proof = 'mcp': must begin with one of"),
    "no such instance": ("four", "mcp", (), "library:four: no such instance"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_worse_or_nothing_new_is_refused_and_nothing_is_written(small: Library, case: str) -> None:
    name, method, proofs, said = REFUSED[case]
    before = contents(small.folder)
    instance = small.entries[name if name in small.entries else "three"].build()
    with pytest.raises(InputError, match=said):
        update(small, name, solved(instance, method).deployment, None, method=method, proofs=proofs)
    assert contents(small.folder) == before


def test_what_the_checker_refutes_is_refused(small: Library) -> None:
    other = solved(small.entries["one"].build()).deployment
    with pytest.raises(InputError, match="library:two: refuted: "):
        update(small, "two", other, None, method="label-setting")


def test_a_row_may_not_be_older_than_the_one_before(small: Library) -> None:
    best = solved(small.entries["two"].build()).deployment
    with pytest.raises(InputError, match="must not lie before 2026-11-01"):
        update(small, "two", best, None, method="label-setting", on=DAY - timedelta(days=1))


def test_the_command_appends_what_solve_wrote(small: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = tmp_path_factory.mktemp("made")
    run = CliRunner()
    best, proof = str(made / "best.json"), str(made / "proof.json")
    came = run.invoke(
        app, ["solve", "bresnet-cifar10", "--method", "label-setting", "-o", best, "--certificate", proof]
    )
    assert came.exit_code == 0
    came = run.invoke(app, ["library", "update", "two", best, proof, "--folder", str(small.folder)])
    assert came.exit_code == 0, came.output
    (first, second) = load_library(small.folder).history["two"]
    assert (second.method, second.known_as) == ("label-setting", KnownAs.BEST)
    assert second.bound == pytest.approx(second.objective)
    assert first.bound is None
    again = run.invoke(app, ["library", "update", "two", best, "--folder", str(small.folder)])
    assert again.exit_code == 2
    assert again.stderr.count("\n") == 1


def test_instances_are_not_touched(small: Library) -> None:
    before = (small.folder / INSTANCES).read_bytes()
    update(small, "three", solved(small.entries["three"].build(), "mcp").deployment, None, method="mcp")
    assert (small.folder / INSTANCES).read_bytes() == before
