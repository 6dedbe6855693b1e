"""What `cp-sat` refuses, with the reason; OR-Tools is not needed to say so."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from finbench.benchmarks.methods import run_method
from finbench.benchmarks.terminal.lists import print_methods
from finbench.models.cp_sat import method
from finbench.models.io import load_instance
from finbench.models.result import Status


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)


@pytest.mark.usefixtures("absent")
def test_without_ortools_it_is_refused_with_the_command() -> None:
    result = run_method(load_instance("balexnet-cifar10"), "cp-sat")
    assert result.status is Status.UNSUPPORTED
    assert result.reason == "OR-Tools CP-SAT is not installed: pip install 'finbench[cp-sat]'"


@pytest.mark.usefixtures("absent")
def test_the_list_of_methods_has_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    print_methods()
    shown = capsys.readouterr().out
    assert "cp-sat" in shown
    assert "finbench[cp-sat]" in shown


def test_the_extra_is_declared() -> None:
    assert "cp-sat" in (metadata.metadata("finbench").get_all("Provides-Extra") or [])
    assert method.INSTALL == "pip install 'finbench[cp-sat]'"


def test_neither_ortools_nor_pyomo_is_loaded_here() -> None:
    """OR-Tools and HiGHS cannot share a process; the program is built without Pyomo."""
    code = (
        "import sys, finbench.benchmarks.methods as m, finbench.models.io as io\n"
        "m.run_method(io.load_instance('balexnet-cifar10'), 'cp-sat', time_limit_s=20)\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"ortools", "pyomo", "highspy"}.isdisjoint(run.stdout.split())
