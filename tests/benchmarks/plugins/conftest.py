"""Plugins written for one test, and forgotten after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from finbench.benchmarks.plugins.plugin import forget, plugins

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"

IDLE = '''
import finbench as fb

class IdleOptions(fb.Options):
    """Options of `idle`."""

    depth: int = {depth}
    """How deep it sleeps."""

@fb.method("{name}", options=IdleOptions)
def idle(instance, options, *, time_limit_s, seed):
    """Does nothing."""
    return fb.Result(fb.Status.NO_SOLUTION, reason=f"sleeps {{options.depth}} deep")
'''

SOLVER = '''
import finbench as fb
from finbench.models.milp.solvers.highs import solve_with_highs

def solve(model, limits, clock):
    """Let HiGHS do it."""
    CALLS.append(limits)
    return solve_with_highs(model, limits, clock)

CALLS = []
fb.register_solver(fb.Solver("mine", "HiGHS under another name", "is there", call=solve))
'''

WritePlugin = Callable[..., Path]


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    before = plugins()
    yield
    for plugin in plugins():
        if plugin not in before:
            forget(plugin)


@pytest.fixture
def write_plugin(tmp_path: Path) -> WritePlugin:
    """Write a plugin file: `write_plugin(file="idle.py", name="idle", depth=3)`, or any other text."""

    def write(text: str = IDLE, *, file: str = "idle.py", name: str = "idle", depth: int = 3) -> Path:
        path = tmp_path / file
        path.write_text(text.format(name=name, depth=depth) if text is IDLE else text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a distribution with a module and entry points, where Python looks first."""

    def installed(module: str, text: str, entry_points: str, *, distribution: str = "idle-dist") -> None:
        site = tmp_path / "site"
        facts = site / f"{distribution.replace('-', '_')}-1.5.dist-info"
        facts.mkdir(parents=True)
        (site / f"{module}.py").write_text(text, encoding="utf-8")
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (facts / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(site)

    return installed
