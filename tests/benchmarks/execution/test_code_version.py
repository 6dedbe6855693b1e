"""The code version of a method: whatever its answer rests on, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.execution import code_version as module
from finbench.benchmarks.execution.code_version import code_version, reached
from finbench.benchmarks.methods import METHODS
from finbench.models.versions import package_version


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    for cached in (module.version_of, module.source_file, module.imports_of):
        cached.cache_clear()
    yield
    for cached in (module.version_of, module.source_file, module.imports_of):
        cached.cache_clear()


def test_imports_are_followed_wherever_they_stand() -> None:
    files, libraries = reached(["finbench.fin_graph.fin"])
    assert {
        "finbench.fin_graph.fin",
        "finbench.fin_graph.paths.kernel",
        "finbench.fin_graph.paths.certificate",
        "finbench.models.memory",
    } <= set(files)
    assert not any(name.startswith(("finbench.models.milp", "benchmarks")) for name in files)
    assert {"numba", "numpy", "networkx"} <= libraries
    assert not {"pyomo", "highspy", "sys", "models"} & libraries
    files, libraries = reached(["finbench.models.milp.flow", "finbench.models.milp.solvers.highs"])
    assert {"finbench.models.milp.rows", "finbench.models.milp.solvers.highs"} <= set(files)
    assert {"pyomo", "highspy"} <= libraries


def changed_by(monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any], touched: str) -> bool:
    """Whether a method's code version changes when a module's source does."""
    before = code_version(METHODS[name], options)
    read = Path.read_bytes
    touched_file = module.source_file(touched)
    module.version_of.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: read(path) + (b"# new" if path == touched_file else b""))
        return code_version(METHODS[name], options) != before


@pytest.mark.parametrize(
    ("name", "options", "touched", "changes"),
    [
        ("fin", {}, "finbench.fin_graph.paths.kernel", True),
        ("fin", {}, "finbench.models.evaluate", True),
        ("fin", {}, "finbench.fin_graph.mcp", False),
        ("fin", {}, "finbench.models.milp.flow", False),
        ("milp-flow", {"solver": "highs"}, "finbench.models.milp.rows", True),
        ("milp-flow", {"solver": "highs"}, "finbench.models.milp.solvers.highs", True),
        ("milp-flow", {"solver": "glpk"}, "finbench.models.milp.solvers.glpk", True),
        ("milp-flow", {"solver": "highs"}, "finbench.models.milp.solvers.glpk", False),
        ("milp-flow", {"solver": "highs", "warm_start": "fin"}, "finbench.fin_graph.paths.kernel", True),
        ("milp-flow", {"solver": "highs", "warm_start": "none"}, "finbench.fin_graph.fin", False),
        ("cp-sat", {}, "finbench.models.cp_sat.worker", True),
    ],
)
def test_only_code_that_a_method_uses_changes_its_version(
    name: str, options: dict[str, Any], touched: str, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert changed_by(monkeypatch, name, options, touched) == changes


def test_a_librarys_version_changes_it_where_the_method_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: code_version(METHODS[name], {}) for name in ("fin", "exhaustive")}
    module.version_of.cache_clear()
    monkeypatch.setattr(
        module, "package_version", lambda library: "9.9" if library == "numba" else package_version(library)
    )
    assert code_version(METHODS["fin"], {}) != before["fin"]
    assert code_version(METHODS["exhaustive"], {}) == before["exhaustive"]


def test_it_is_short_and_the_same_every_time() -> None:
    first = code_version(METHODS["larac"], {})
    module.version_of.cache_clear()
    assert len(first) == 16
    assert code_version(METHODS["larac"], {}) == first
