"""Templates run as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.plugins.plugin import forget, plugins

RUNS = {
    "instance": ["solve", "instance.toml"],
    "campaign": ["run", "campaign.toml", "-o", "results"],
    "method": ["solve", "instance.toml", "--plugin", "method.py", "--method", "my-method"],
    "family": [
        *("generate", "my-family", "--plugin", "family.py"),
        *("--nodes", "5", "--blocks", "4", "--exits", "2", "-o", "mine.json"),
    ],
}


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Forget the plugins that a test has loaded."""
    yield
    for plugin in plugins():
        forget(plugin)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUNS)
def test_a_template_runs_as_it_is(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for each in {kind, "instance"}:
        assert run("init", each).exit_code == 0
    came = run(*RUNS[kind])
    assert came.exit_code == 0, came.output


def test_a_template_replaces_no_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    came = run("init", "instance", "-o", str(path))
    assert (came.exit_code, path.read_text()) == (2, "mine")
    assert "must end in .py" in run("init", "method", "-o", str(tmp_path / "x.toml")).stderr
