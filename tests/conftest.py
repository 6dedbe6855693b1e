"""What all tests share."""

from __future__ import annotations

from collections import Counter
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


TRACED = 2
"""So many cases of a test are traced. The others run the same lines with other numbers, in half of the time."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave slow tests, and all but the first cases of each other test, out of the coverage."""
    seen: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        seen[test] += 1
        if seen[test] > TRACED or item.get_closest_marker("slow"):
            item.add_marker("no_cover")
