"""Data flows one way: models ← fin_graph, models.milp ← benchmarks; heavy libraries load only where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"pyomo", "highspy", "networkx", "pandas", "matplotlib", "numba", "scipy"}
FORBIDDEN = {
    "models": {"fin_graph", "benchmarks", "tests"},
    "fin_graph": {
        "benchmarks",
        "tests",
        "finbench.models.milp",
        "finbench.models.exhaustive",
        "finbench.models.evaluate",
        "pyomo",
    },
    "benchmarks": {"tests"},
}


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


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


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


def test_the_evaluator_imports_no_method() -> None:
    allowed = {"finbench.models.deployment", "finbench.models.instance", "finbench.models.loads"}
    for path in ("models/evaluate.py", "models/loads.py"):
        names = [name for name in imported(ROOT / path) if within(name, "models")]
        assert all(any(within(name, module) for module in allowed) for name in names)


def test_exact_programs_do_not_use_the_heuristics_costs() -> None:
    for path in sources("models/milp"):
        assert not [name for name in imported(path) if within(name, "fin_graph")]


@pytest.mark.parametrize(
    "module",
    ["finbench.benchmarks.cli.app", "finbench.models.io", "finbench.models.evaluate", "finbench.fin_graph.fin"],
)
def test_heavy_libraries_stay_out_of_a_cold_start(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(run.stdout.split())
