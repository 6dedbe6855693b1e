"""Folders of results over the library, honest ones and forged ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.library.library import shipped_library
from finbench.benchmarks.methods import run_method
from finbench.benchmarks.rows.environment import environment_id
from finbench.benchmarks.rows.row import Row, instance_columns, result_columns, run_columns
from finbench.models.instance import Instance
from tests.benchmarks.conftest import ENVIRONMENT, write_results

OWN, EMPTY = "balexnet-cifar10-own", "balexnet-cifar10-infeasible"
INSTANCES = (OWN, EMPTY, "blenet-mnist-tight")
"""Of the tier `tiny`."""

METHODS: dict[str, dict[str, Any]] = {
    "label-setting": {},
    "milp-flow": {"solver": "highs"},
    "fin": {"gamma": 20},
    "mcp": {},
}

LIMIT_S = 10.0

Forge = Callable[..., Path]


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of results of four methods over three instances of the library, as a campaign leaves it."""
    built = [shipped_library().entry(name).build() for name in INSTANCES]
    rows = [row_of(instance, method, options) for instance in built for method, options in METHODS.items()]
    folder = write_results(tmp_path_factory.mktemp("leaderboard") / "mine", rows)
    kept = [{"content_hash": one.content_hash, "instance": one.model_dump(mode="json")} for one in built]
    (folder / "instances.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
    return folder


def row_of(instance: Instance, method: str, options: dict[str, Any], **fields: Any) -> Row:
    """Return the row of a run that is made now."""
    judged = judge(instance, method, options, run_method(instance, method, time_limit_s=LIMIT_S, **options))
    return {
        "key": f"{instance.content_hash} {method}",
        "group": "tiny",
        "limit_s": LIMIT_S,
        "started_at": "2026-11-01T12:00:00.000Z",
        **run_columns(method, options, 0),
        **instance_columns(instance),
        **result_columns(judged, judged.time_s),
        "environment_id": environment_id(ENVIRONMENT),
        "environment": ENVIRONMENT,
        **fields,
    }


@pytest.fixture
def forged(honest: Path, tmp_path: Path) -> Forge:
    """Copy the honest folder with some rows changed: `forged(change, machine=…)`; `change` returns None to drop one."""

    def forge(
        change: Callable[[Row], Row | None] = lambda row: row, name: str = "theirs", cpu: str | None = None
    ) -> Path:
        folder = tmp_path / name
        shutil.copytree(honest, folder, ignore=shutil.ignore_patterns("figures", "logs"))
        rows = [changed for row in rows_of(folder) if (changed := change(row)) is not None]
        if cpu is not None:
            rows = [{**row, "environment_id": _on_another_machine(folder, cpu)} for row in rows]
        (folder / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return folder

    return forge


def rows_of(folder: Path) -> list[Row]:
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]


def _on_another_machine(folder: Path, cpu: str) -> str:
    """Write the folder's environment as one of another processor; return its id."""
    line = json.loads((folder / "environments.jsonl").read_text().splitlines()[0])
    environment = {**line["environment"], "cpu": cpu}
    name = environment_id(environment)
    (folder / "environments.jsonl").write_text(json.dumps({"environment_id": name, "environment": environment}) + "\n")
    return name
