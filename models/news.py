"""What a running method tells before it ends, so that it is not lost where the run has to be ended from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from finbench.models.deployment import Deployment


@dataclass(frozen=True)
class News:
    """What a method knows at some time; None where it has nothing (new) to say."""

    objective: float | None = None
    """Objective of the incumbent, as the method claims [J or W]."""
    lower_bound: float | None = None
    """Proven lower bound on the objective."""
    deployment: Callable[[], Deployment] | None = None
    """Makes the incumbent, whose objective is `objective`."""


Hearer = Callable[[News], None]

_hearers: list[Hearer] = []


@contextmanager
def heard_by(hearer: Hearer) -> Iterator[None]:
    """Hand what is told inside the block to `hearer`, and to no other."""
    _hearers.append(hearer)
    try:
        yield
    finally:
        _hearers.pop()


def tell(news: News) -> None:
    """Tell what a method knows to whoever hears it, if anybody does."""
    if _hearers:
        _hearers[-1](news)


@contextmanager
def told_in_units_of(scale: float) -> Iterator[None]:
    """Multiply the numbers that are told inside the block: whoever tells them knows a scaled objective only."""
    if not _hearers:
        yield
        return
    hearer = _hearers[-1]
    with heard_by(lambda news: hearer(_times(news, scale))):
        yield


def _times(news: News, scale: float) -> News:
    objective, bound = (None if value is None else value * scale for value in (news.objective, news.lower_bound))
    return replace(news, objective=objective, lower_bound=bound)
