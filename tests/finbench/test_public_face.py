"""`import finbench` is quick and imports nothing heavy; every public name is there, typed and documented."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import finbench

SOURCE = Path(finbench.__file__)
HEAVY = {"numpy", "pandas", "pyomo", "numba", "matplotlib", "pydantic", "networkx", "scipy", "highspy"}
LONGEST_IMPORT_S = 0.15

IMPORTED = """
import json, sys, time
before = {*sys.modules}
begun = time.perf_counter()
import finbench
seconds = time.perf_counter() - begun
new = sorted({name.split(".")[0] for name in {*sys.modules} - before} - set(sys.stdlib_module_names))
print(json.dumps({"seconds": seconds, "new": new}))
"""


def imported() -> tuple[float, set[str]]:
    """How long the import takes in a fresh interpreter, and what comes with it beside the standard library."""
    said = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True).stdout
    told = json.loads(said)
    return told["seconds"], set(told["new"])


def test_the_import_is_quick_and_brings_nothing_but_the_standard_library() -> None:
    runs = [imported() for _ in range(3)]
    assert all(new == {"finbench"} for _, new in runs)
    assert not HEAVY & runs[0][1]
    assert min(seconds for seconds, _ in runs) < LONGEST_IMPORT_S


@pytest.mark.parametrize("name", finbench.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(finbench, name)
    assert name in dir(finbench)
    if name != "__version__":
        first = inspect.getdoc(value) or ""
        assert first.split("\n")[0].endswith((".", ":")), first


def test_names_types_and_modules_are_one_list() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    typed = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted([*typed, "__version__"]) == sorted(finbench.__all__)
    for name, place in typed.items():
        value = getattr(finbench, name)
        assert getattr(value, "__name__", name).rpartition(".")[2] == place.rpartition(".")[2]
        if name != "plot":
            module = sys.modules[place.rpartition(".")[0]]
            assert getattr(module, name) is value, name


def test_everything_can_be_imported_by_a_star() -> None:
    names: dict[str, object] = {}
    exec("from finbench import *", names)
    assert set(finbench.__all__) <= set(names)


def test_a_name_that_finbench_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'finbench' has no attribute 'solver'"):
        finbench.solver  # noqa: B018


def test_versions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    finbench.show_versions()
    said = capsys.readouterr().out
    assert f"finbench    {finbench.__version__}" in said
    assert "highs " in said
    assert "numba " in said
