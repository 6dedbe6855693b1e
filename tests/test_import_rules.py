"""Data flows one way, wing by wing down the rungs; heavy libraries load only where they are used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from finbench.benchmarks.upkeep.wings import RUNG, arrows, imports, wing_of

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"pyomo", "highspy", "networkx", "pandas", "matplotlib", "numba", "scipy"}
FORBIDDEN = {
    "models": {"tests", "finbench.api"},
    "fin_graph": {
        "tests",
        "finbench.api",
        "pyomo",
        *(f"finbench.models.{name}" for name in ("milp", "programs", "cp_sat")),
    }
    | {"finbench.models.exhaustive", "finbench.models.evaluate"},
    "benchmarks": {"tests", "finbench.api"},
}
"""Beside what the order of wings forbids."""


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


def test_every_wing_of_the_order_has_modules() -> None:
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


PRIVATE_OF_OTHERS = {"_replace", "_make", "_asdict", "_fields", "_exit"}
"""Named tuples and `os` call these so, and mean them for everyone."""

ONLY_WAY = {"fin_graph/paths/compiled.py"}
"""Files that reach into Numba, which offers no other way to say where machine code is kept."""


def private_names(path: Path) -> Iterator[str]:
    """Yield the private names of other modules that a file uses: imported, as attributes, or as text for a patch."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if re.fullmatch("_[a-zA-Z].*", alias.name))
        elif isinstance(node, ast.Attribute) and re.fullmatch("_[a-zA-Z].*", node.attr):
            if node.attr not in PRIVATE_OF_OTHERS and ast.unparse(node.value) not in ("self", "cls"):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
            words = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
            yield from (word for word in words if re.search(r"(^|\.)_[a-zA-Z]\w*$", word))


@pytest.mark.parametrize("package", ["models", "fin_graph", "benchmarks", "tests"])
def test_no_file_uses_a_private_name_of_another(package: str) -> None:
    used = [(str(path.relative_to(ROOT)), name) for path in sources(package) for name in private_names(path)]
    assert [each for each in used if each[0] not in ONLY_WAY] == []


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
