"""Made-up methods in the registry, and the instance that they answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from finbench.benchmarks.methods import METHODS, Method
from finbench.benchmarks.rows.environment import Environment, environment_id
from finbench.benchmarks.rows.row import SCHEMA_VERSION, Row
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from finbench.models.options import Options
from finbench.models.result import Result, Status

OPTIMUM_J = 0.021395457435390206
"""Proven optimum of `balexnet-cifar10` at its own targets."""

AddMethod = Callable[..., None]


@pytest.fixture
def balexnet() -> Instance:
    return load_instance("balexnet-cifar10")


@pytest.fixture
def add_method(monkeypatch: pytest.MonkeyPatch) -> AddMethod:
    """Put a method into the registry for one test: `add_method(name, solve, refusal=…, options=…)`."""

    def add(
        name: str,
        solve: Callable[..., Result],
        refusal: str | None = None,
        options: type[Options] = Options,
    ) -> None:
        def supports(instance: Instance, options: Options) -> str | None:
            return refusal

        module: Any = ModuleType(f"made_up_{name}")
        module.solve, module.supports = solve, supports
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(METHODS, name, Method(name, "made up", False, module.__name__, options))

    return add


def placed(*nodes: str, last_exit: int = 3) -> Deployment:
    """A deployment of the single application of `balexnet-cifar10`."""
    return Deployment(
        deployments=(ApplicationDeployment(application="balexnet-cifar10", last_exit=last_exit, placement=nodes),)
    )


BEST = placed("device", "device", "device", "cloud", "cloud")
WORSE = placed("device", "device", "device", "edge", "edge")
TOO_SLOW = placed(*["device"] * 5)


def answer(
    deployment: Deployment | None = BEST,
    status: Status = Status.OPTIMAL,
    claimed: float | None = OPTIMUM_J,
    bound: float | None = None,
    **fields: Any,
) -> Callable[..., Result]:
    """Return a `solve` that always returns the same result."""

    def solve(instance: Instance, options: Options, *, time_limit_s: float | None, seed: int) -> Result:
        return Result(status, deployment, claimed, bound, **fields)

    return solve


def made_up_row(instance: str, method: str, **fields: Any) -> Row:
    """A row as a campaign with a limit of 60 s leaves it; its deployment is feasible where the status says so."""
    objective, environment = fields.get("objective"), fields.get("environment", ENVIRONMENT)
    return {
        "schema_version": SCHEMA_VERSION, "key": f"{instance} {method}", "group": "g", "instance": instance,
        "limit_s": 60.0, "content_hash": instance,
        "method": method, "variant": method, "options": {}, "seed": 0, "status": "feasible", "objective": None,
        "found": fields.get("objective") is not None and fields.get("status") in ("optimal", "feasible", "time-limit"),
        "energy_j": objective, "lower_bound": None, "latency_s": 1.0, "accuracy": 1.0, "time_s": 1.0, "times_s": {},
        "violations": [], "info": {}, "deployments": [], "gap": None,
        "environment_id": environment_id(environment), "environment": environment, **fields,
    }  # fmt: skip


ENVIRONMENT: Environment = {"cpu": "c", "cores": 1, "python": "3", "versions": {}}


def write_results(folder: Path, rows: Sequence[Row]) -> Path:
    """A folder of results that holds these rows."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = [{name: value for name, value in row.items() if name != "environment"} for row in rows]
    environments = {row["environment_id"]: row["environment"] for row in rows}
    named = [{"environment_id": name, "environment": environment} for name, environment in environments.items()]
    for name, lines in (("runs.jsonl", plain), ("environments.jsonl", named)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
