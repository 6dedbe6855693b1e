"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import pytest
import typer.main

build = typer.main.get_group


@pytest.fixture(scope="session", autouse=True)
def commands_are_built_once() -> Iterator[None]:
    """Build the commands once for each registry of methods, which bring flags.

    To build them from their annotations takes longer than most commands that tests give.
    """
    made: dict[tuple[object, ...], Any] = {}

    def built(app: Any) -> Any:
        from finbench.benchmarks.methods import METHODS

        key = (app, *METHODS.values())
        if key not in made:
            made[key] = build(app)
        group = copy(made[key])
        group.params = list(group.params)
        return group

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_group", built)
        yield
