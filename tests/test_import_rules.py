"""Data flows one way, wing by wing down the ladder; heavy libraries load only where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import finbench
from finbench.benchmarks.upkeep.wings import RUNG, arrows, imports, wing_of

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"pyomo", "highspy", "networkx", "pandas", "matplotlib", "numba", "scipy"}
FORBIDDEN = {
    "models": {"tests"},
    "fin_graph": {"tests", "pyomo", *(f"finbench.models.{name}" for name in ("milp", "programs", "cp_sat"))}
    | {"finbench.models.exhaustive", "finbench.models.evaluate"},
    "benchmarks": {"tests"},
}
"""Beside what the ladder forbids."""


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Full names of everything a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def printed(code: str) -> list[str]:
    """Run code in a fresh interpreter and return the words that it prints."""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.split()


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_every_wing_imports_only_wings_on_lower_rungs() -> None:
    upward = [f"{one} imports {other}" for one, other in arrows() if RUNG[one] <= RUNG[other]]
    assert upward == []


def test_every_wing_of_the_ladder_has_modules() -> None:
    assert {wing_of(module) for module, _ in imports()} >= RUNG.keys()


@pytest.mark.parametrize("package", ["models", "fin_graph", "benchmarks"])
def test_finbench_is_the_only_name_by_which_parts_are_imported(package: str) -> None:
    for path in sources(package):
        assert not [name for name in imported(path) if within(name, package) or name == package], path


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_only_what_lies_below_them(package: str) -> None:
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in imported(path)
        for forbidden in FORBIDDEN[package]
        if within(name, forbidden)
    ]
    assert broken == []


def test_the_evaluator_reaches_the_problem_and_the_rule_of_feasibility_and_no_method() -> None:
    reached, waiting = set[str](), ["evaluate"]
    while waiting:
        module = waiting.pop()
        reached.add(module)
        names = [name.split(".") for name in imported(ROOT / "models" / f"{module}.py") if within(name, "finbench")]
        assert all(name[:2] == ["finbench", "models"] for name in names)
        waiting += {name[2] for name in names} - reached
    data = {"instance", "network", "dnn", "application", "fields"}
    assert reached == {"evaluate", "loads", "step_costs", "deployment", "tolerances", *data}


def test_exact_programs_do_not_use_the_heuristics_costs() -> None:
    for path in (*sources("models/milp"), *sources("models/programs"), *sources("models/cp_sat")):
        assert not [name for name in imported(path) if within(name, "finbench.fin_graph")]


@pytest.mark.parametrize(
    "module",
    [
        "finbench.benchmarks.cli.app",
        "finbench.models.io",
        "finbench.models.evaluate",
        "finbench.fin_graph.fin",
    ],
)
def test_heavy_libraries_stay_out_of_a_cold_start(module: str) -> None:
    assert HEAVY.isdisjoint(printed(f"import sys, {module}; print(*{{m.split('.')[0] for m in sys.modules}})"))


def test_importing_finbench_imports_nothing_but_the_standard_library() -> None:
    new = printed(
        "import sys; old = {*sys.modules}; import finbench; print(*{m.split('.')[0] for m in {*sys.modules} - old})"
    )
    assert set(new) - sys.stdlib_module_names == {"finbench"}


def test_every_name_of_the_public_face_is_there() -> None:
    names = printed("from finbench import *; print(__version__, load.__name__, solve.__name__, evaluate.__name__)")
    assert names[1:] == ["load", "solve", "evaluate"]
    assert sorted(finbench.__all__) == ["__version__", "evaluate", "load", "solve"]


def test_a_name_that_finbench_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'finbench' has no attribute 'solver'"):
        finbench.solver  # noqa: B018
