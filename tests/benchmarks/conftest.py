"""Made-up methods in the registry, and the instance that they answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from benchmarks.methods import METHODS, Method, Options
from models.deployment import ApplicationDeployment, Deployment
from models.instance import Instance
from models.io import load_instance
from models.result import Result, Status

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
        def supports(instance: Instance, **options: Any) -> str | None:
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
    """A `solve` that always says the same."""

    def solve(instance: Instance, *, time_limit_s: float | None, seed: int, **options: Any) -> Result:
        return Result(status, deployment, claimed, bound, **fields)

    return solve
