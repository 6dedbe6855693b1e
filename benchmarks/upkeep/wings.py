"""Which wing of the packages imports which, read from the sources.

A wing imports only wings on lower rungs of `ORDER`; neighbours on a rung do not know each other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import finbench

ORDER: tuple[tuple[str, ...], ...] = (
    ("models",),
    ("models.programs", "models.verify", "fin_graph.options"),
    ("models.milp.solvers", "fin_graph.paths"),
    ("models.milp", "models.cp_sat", "fin_graph.stages", "fin_graph.joint.system"),
    ("fin_graph.joint.fin", "fin_graph.joint.first_come"),
    ("fin_graph.joint.columns", "fin_graph.joint.greedy", "fin_graph.joint.mcp"),
    ("fin_graph.joint.explanation", "fin_graph.joint.branching"),
    ("fin_graph",),
    ("benchmarks.plugins",),
    ("benchmarks.methods", "benchmarks.families", "benchmarks.imports"),
    ("benchmarks.library",),
    ("benchmarks.campaigns", "benchmarks.judging", "benchmarks.simulation"),
    ("benchmarks.planning",),
    ("benchmarks.deploying",),
    ("benchmarks.robustness", "benchmarks.replanning"),
    ("benchmarks.rows",),
    ("benchmarks.execution", "benchmarks.analysis"),
    ("benchmarks.measuring", "benchmarks.leaderboard"),
    ("benchmarks.plots", "benchmarks.terminal"),
    ("benchmarks.report", "benchmarks.upkeep"),
    ("benchmarks.cli",),
)
"""Wings from the lowest rung up. A module belongs to the longest name here that begins its own."""

RUNG = {wing: rung for rung, wings in enumerate(ORDER) for wing in wings}

Arrow = tuple[str, str]
"""A wing, and another that it imports."""


def wing_of(module: str) -> str:
    """Return the wing of a module, whose name is given without `finbench.`."""
    parts = module.split(".")
    return next(name for k in range(len(parts), 0, -1) if (name := ".".join(parts[:k])) in RUNG)


@cache
def imports() -> tuple[tuple[str, str], ...]:
    """Return every import of one module of the packages by another, as names of modules without `finbench.`."""
    return tuple(_imports())


def _imports() -> Iterator[tuple[str, str]]:
    root = Path(finbench.__file__).resolve().parents[1]
    for package in ("models", "fin_graph", "benchmarks"):
        for file in sorted((root / package).rglob("*.py")):
            module = ".".join(file.relative_to(root).with_suffix("").parts)
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("finbench."):
                    yield from ((module, f"{node.module}.{name.name}".removeprefix("finbench.")) for name in node.names)


def arrows() -> set[Arrow]:
    """Return every pair of wings of which the first imports the second."""
    pairs = {(wing_of(module), wing_of(imported)) for module, imported in imports()}
    return {(one, other) for one, other in pairs if one != other}


def needed(found: set[Arrow]) -> set[Arrow]:
    """Return the arrows of `found` that do not follow from others: no way of several arrows leads the same way."""
    below: dict[str, set[str]] = {}
    for wing in sorted(RUNG, key=RUNG.__getitem__):
        direct = {other for one, other in found if one == wing}
        below[wing] = direct.union(*(below[other] for other in direct if RUNG[other] < RUNG[wing]))
    return {
        (one, other)
        for one, other in found
        if not any((one, middle) in found and other in below[middle] for middle in RUNG if middle != other)
    }
