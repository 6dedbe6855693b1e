"""What all tests share."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import typer.main
import typer.testing


@cache
def _built(app: Any, _: tuple[object, ...]) -> Any:
    return typer.main.get_command(app)


def built(app: Any) -> Any:
    """Return the commands of `app`, built once for each registry of methods: a method brings flags.

    To build them from their annotations takes longer than most commands that tests give.
    """
    from finbench.benchmarks.methods import METHODS

    return _built(app, tuple((name, id(method)) for name, method in METHODS.items()))


@pytest.fixture(scope="session", autouse=True)
def _commands_built_once() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", built)
        yield
