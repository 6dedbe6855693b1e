"""A day of drift: periods in which rates, exit shares and bandwidths of an instance differ from what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from finbench.models.dnn import DNN
from finbench.models.fields import (
    SCHEMA_VERSION,
    Frozen,
    Name,
    NonNegative,
    OptionalName,
    Positive,
    SchemaVersion,
    check_known,
)
from finbench.models.instance import Instance
from finbench.models.tolerances import EXIT_SHARE_TOLERANCE

EVERY = "all"
"""Key for every application, DNN or link that has no key of its own."""


class Period(Frozen):
    """A part of the day in which nothing changes."""

    name: OptionalName = ""
    """A label for people."""
    duration_s: Positive
    """How long it lasts [s]."""
    rates: dict[Name, Positive] = Field(default_factory=dict)
    """Factor of the rate, by application or `all`."""
    early_exits: dict[Name, NonNegative] = Field(default_factory=dict)
    """Factor of the share of every exit but the last, which takes the rest; by DNN or `all`."""
    links: dict[Name, Positive] = Field(default_factory=dict)
    """Factor of the bandwidth, by link as `n->m` or `all`."""


class Day(Frozen):
    """What happens to an instance, period after period."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    name: Name
    """Name of the day."""
    provenance: str = ""
    """Where the numbers come from."""
    instance: Name
    """A shipped instance, or the path of its file, relative to this one."""
    rate_per_s: Positive | None = None
    """Rate of applications that have none in the instance [1/s]; required where there is one."""
    periods: Annotated[tuple[Period, ...], Field(min_length=1, strict=False)]
    """The periods in order."""


def load_day(name_or_path: str | Path) -> tuple[Day, Instance]:
    """Read a day by shipped name or path, and the instance that it is about.

    Raises
    ------
    InputError
        If a file cannot be read or breaks a rule, or a period does not fit the instance.
    """
    from finbench.models.io import InputError, find_file, load_instance, read_document, validate

    path = find_file(str(name_or_path), "days")
    day = validate(read_document(path), Day, path)
    beside = path.parent / day.instance
    instance = _with_rates(load_instance(beside if beside.is_file() else day.instance), day.rate_per_s)
    for number, period in enumerate(day.periods, start=1):
        try:
            in_period(instance, period)
        except ValueError as error:
            raise InputError(path, f"period {number}: {str(error).splitlines()[0]}") from None
    return day, instance


def _with_rates(instance: Instance, rate_per_s: float | None) -> Instance:
    """Return the instance with a rate for the application that has none."""
    apps = (app.model_copy(update={"rate_per_s": app.rate_per_s or rate_per_s}) for app in instance.applications)
    return instance.model_copy(update={"applications": tuple(apps)})


def in_period(instance: Instance, period: Period) -> Instance:
    """Return the instance as it is in a period.

    Raises
    ------
    ValueError
        If a key is not the instance's, an application has no rate, or early exits would take more than all samples.
    """
    _check(instance, period)
    rated = (
        app.model_copy(update={"rate_per_s": app.weight * _factor(period.rates, app.name)})
        for app in instance.applications
    )
    network = instance.network
    links = (
        link.model_copy(
            update={
                "bandwidth_bit_per_s": link.bandwidth_bit_per_s * _factor(period.links, f"{link.source}->{link.target}")
            }
        )
        for link in network.links
    )
    own: dict[str, Any] = {name: getattr(instance, name) for name in Instance.model_fields}
    changed = {
        "network": network.model_copy(update={"links": tuple(links)}),
        "dnns": tuple(_with_exits(dnn, _factor(period.early_exits, dnn.name)) for dnn in instance.dnns),
        "applications": tuple(rated),
    }
    return Instance(**{**own, **changed})


def _check(instance: Instance, period: Period) -> None:
    for app in instance.applications:
        if app.rate_per_s is None:
            raise ValueError(f"application '{app.name}' has no rate: the day's rate_per_s must give it one")
    links = (f"{link.source}->{link.target}" for link in instance.network.links)
    _check_keys("rates", period.rates, (app.name for app in instance.applications), "application")
    _check_keys("early_exits", period.early_exits, instance.dnn_by_name, "DNN")
    _check_keys("links", period.links, links, "link, n->m,")


def _check_keys(field: str, factors: Mapping[str, float], known: Iterable[str], what: str) -> None:
    names = {EVERY, *known}
    for key in factors:
        check_known("period", field, key, names, f"{what} of the instance, or {EVERY}")


def _factor(factors: Mapping[str, float], name: str) -> float:
    return factors.get(name, factors.get(EVERY, 1.0))


def _with_exits(dnn: DNN, factor: float) -> DNN:
    """Return the DNN whose exits but the last take a factor of their shares."""
    if factor == 1:
        return dnn
    early = [one.exit_fraction * factor for one in dnn.exits[:-1]]
    left = 1 - sum(early)
    if left < -EXIT_SHARE_TOLERANCE:
        raise ValueError(
            f"early_exits = {factor:g}: exits of DNN '{dnn.name}' would take {1 - left:.3g} of the samples"
        )
    shares = [*early, max(0.0, left)]
    exits = [
        one.model_copy(update={"exit_fraction": min(1.0, share)}) for one, share in zip(dnn.exits, shares, strict=True)
    ]
    return dnn.model_copy(update={"exits": tuple(exits)})
