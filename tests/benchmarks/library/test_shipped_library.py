"""The shipped library: what it promises of its instances, their optima, and who proves them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from hashlib import sha256

import pytest

from finbench.benchmarks.library.checking import check_entry, check_solu
from finbench.benchmarks.library.difficulty import MEASURED, MeasuredDifficulty
from finbench.benchmarks.library.entry import LibraryEntry, LibraryTier
from finbench.benchmarks.library.known_value import KnownAs
from finbench.benchmarks.library.library import INSTANCES, RELEASED, library_folder, shipped_library
from finbench.benchmarks.library.named import load_named
from finbench.benchmarks.library.proofs import CERTIFICATE, LINEAGES, independent, independent_pair
from finbench.benchmarks.library.tables import read_table
from finbench.benchmarks.methods import METHODS, run_method
from finbench.benchmarks.upkeep.wings import imports, wing_of
from finbench.models.evaluate import evaluate
from finbench.models.io import InputError, load_instance
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE, equal_energy

LIBRARY = shipped_library()
EASY = [entry for entry in LIBRARY.entries.values() if entry.tier in (LibraryTier.TINY, LibraryTier.SMALL)]


def test_it_has_instances_of_every_tier_and_of_every_family() -> None:
    assert {entry.tier for entry in LIBRARY.entries.values()} == set(LibraryTier)
    families = Counter(entry.group for entry in LIBRARY.entries.values())
    assert families.keys() == {
        *("shipped", "tiered", "mesh", "dense", "correlated", "deep"),
        *("campus", "zoo", "melbourne"),
    }
    assert min(families.values()) >= 6
    assert len(LIBRARY.entries) >= 100


def test_what_was_released_is_as_it_was() -> None:
    text = (library_folder() / INSTANCES).read_bytes()
    assert {"v1": sha256(text).hexdigest()} == RELEASED


def test_the_optima_of_the_easier_tiers_are_proven_by_two_methods_that_share_no_code() -> None:
    for entry in LIBRARY.entries.values():
        if entry.tier in (LibraryTier.TINY, LibraryTier.SMALL, LibraryTier.MEDIUM):
            value = LIBRARY.values[entry.name]
            assert value.known_as in (KnownAs.OPTIMAL, KnownAs.INFEASIBLE)
            assert independent_pair(proof for proof in value.proven_by if proof != CERTIFICATE) is not None, entry.name


def test_certificates_and_deployments_of_the_easiest_tiers_are_there() -> None:
    for entry in EASY:
        value = LIBRARY.values[entry.name]
        assert value.certificate is not None
        assert (value.deployment is None) == (value.known_as is KnownAs.INFEASIBLE)


def test_the_list_of_values_in_miplibs_style_says_what_the_values_say() -> None:
    check_solu(LIBRARY)
    lines = LIBRARY.solu().splitlines()
    assert {line.split()[0] for line in lines} <= {"=opt=", "=best=", "=inf=", "=unkn="}
    assert [line.split()[1] for line in lines] == list(LIBRARY.entries)


def test_tiers_are_what_was_measured() -> None:
    measured: dict[str, list[MeasuredDifficulty]] = {}
    for row in read_table(library_folder() / MEASURED, MeasuredDifficulty):
        measured.setdefault(row.name, []).append(row)
    assert measured.keys() == LIBRARY.entries.keys()
    settled = (Status.OPTIMAL, Status.INFEASIBLE)
    for entry in LIBRARY.entries.values():
        provers = [row.method for row in measured[entry.name] if row.status in settled]
        proven = independent_pair(each for each in provers if each.partition(" ")[0] in LINEAGES) is not None
        assert proven == (entry.tier in (LibraryTier.TINY, LibraryTier.SMALL, LibraryTier.MEDIUM)), entry.name
        assert bool(provers) == (entry.tier is not LibraryTier.OPEN), entry.name


def test_measured_objectives_and_bounds_contradict_no_value() -> None:
    for row in read_table(library_folder() / MEASURED, MeasuredDifficulty):
        value = LIBRARY.values[row.name]
        if row.objective is not None and value.bound is not None:
            assert row.objective >= value.bound * (1 - ENERGY_TOLERANCE)
        if row.objective is not None and value.known_as is KnownAs.OPTIMAL:
            assert value.objective is not None
            assert row.objective >= value.objective * (1 - ENERGY_TOLERANCE)
        if row.bound is not None and value.objective is not None:
            assert row.bound <= value.objective * (1 + ENERGY_TOLERANCE)


@cache
def importing() -> dict[str, set[str]]:
    """Return every module with those that it imports."""
    pairs = [(one, other) for one, other in imports()]
    known, found = {one for one, _ in pairs}, dict[str, set[str]]()
    for one, other in pairs:
        found.setdefault(one, set()).update({other, other.rpartition(".")[0]} & known)
    return found


@cache
def reached(module: str) -> frozenset[str]:
    """Return every module that a module imports, or that one of those does."""
    found, waiting = set[str](), [module]
    while waiting:
        at = waiting.pop()
        found.add(at)
        waiting += importing().get(at, set()) - found
    return frozenset(found)


def module_of(method: str) -> str:
    return "models.verify.verdict" if method == CERTIFICATE else METHODS[method].path.removeprefix("finbench.")


def test_methods_of_different_lineages_share_the_problems_data_and_nothing_else() -> None:
    for one, first in LINEAGES.items():
        for other, second in LINEAGES.items():
            if first < second:
                shared = reached(module_of(one)) & reached(module_of(other))
                assert {wing_of(module) for module in shared} <= {"models"}, (one, other)
                assert "models.evaluate" not in shared
                assert "models.exhaustive" not in shared


def test_a_solver_in_common_is_code_in_common() -> None:
    assert independent("label-setting", "milp-flow")
    assert independent("column-generation", "milp-flow (solver=scip)")
    assert not independent("column-generation", "milp-flow")
    assert not independent("milp-flow (solver=cbc)", "milp-assignment (solver=scip)")
    assert independent(CERTIFICATE, "column-generation")


def test_a_name_of_the_library_is_an_instance_wherever_one_is_named() -> None:
    assert load_named("library:balexnet-cifar10-own") == load_instance("balexnet-cifar10")
    assert load_named("balexnet-cifar10") == load_instance("balexnet-cifar10")
    for name, said in (("library:balexnet-own", "did you mean"), ("library:tiny", "is a tier")):
        with pytest.raises(InputError, match=said):
            load_named(name)


def found_in(entry: LibraryEntry, methods: tuple[str, ...]) -> list[tuple[str, Status, float | None]]:
    instance = entry.build()
    came = []
    for method in methods:
        result = run_method(instance, method, time_limit_s=20)
        evaluation = None if result.deployment is None else evaluate(instance, result.deployment)
        came.append((method, result.status, None if evaluation is None else evaluation.objective))
    return came


@pytest.mark.slow
def test_checker_and_methods_disagree_on_nothing() -> None:
    for entry in EASY:
        finding = check_entry(LIBRARY, entry)
        assert finding.fault is None
        value = LIBRARY.values[entry.name]
        exact = "label-setting" if entry.applications == 1 else "column-generation"
        for method, status, objective in found_in(entry, (exact, "fin")):
            if status is Status.INFEASIBLE:
                assert value.known_as is KnownAs.INFEASIBLE, (entry.name, method)
            if objective is not None:
                assert value.objective is not None
                assert objective >= value.objective * (1 - ENERGY_TOLERANCE), (entry.name, method)
            if status is Status.OPTIMAL:
                assert objective is not None
                assert equal_energy(objective, value.objective or 0.0), (entry.name, method)
