"""A simulation on a terminal: what samples met, beside what the plan says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.analysis.units import Quantity, significant, unit_of, with_unit
from finbench.benchmarks.simulation.causes import Lateness
from finbench.benchmarks.simulation.estimates import SampledValue
from finbench.benchmarks.simulation.simulate import SimulatedApplication, SimulatedStation, Simulation
from finbench.benchmarks.terminal.console import output, table

MOST_ROWS = 12
"""Applications, and stations, that are shown at most."""

MOST_REASONS = 5
"""Applications of which it is said where they wait."""

FULL = 0.999
"""Utilisation from which a queue does not settle within any time."""


def print_simulation(found: Simulation, late: Sequence[Lateness] = ()) -> None:
    """Print a table of applications, one of exits where there is one application, one of stations, and what to know."""
    console = output()
    console.print(
        f"{found.samples:,} samples in {with_unit(found.horizon_s, Quantity.SECONDS, 3)}, "
        f"the first {fixed_percent(found.options.warm_up, 0)} % of it left out; ± is a 95 % interval"
    )
    worst = sorted(found.applications, key=lambda one: one.within.value)[:MOST_ROWS]
    columns = (
        "application", "energy", "energy planned", "latency", "latency planned", "p95", "p99", "target δ", "within δ"
    )  # fmt: skip
    rows = [_application(one) for one in worst]
    title = "What samples met"
    if len(found.applications) > MOST_ROWS:
        title += f": the {MOST_ROWS} applications of {len(found.applications)} that keep their target least"
    console.print(table(title, columns, rows, priority=("within δ", "latency", "latency planned", "energy", "p99")))
    if len(found.applications) == 1:
        console.print(_exits(found.applications[0]))
    console.print(_stations(found))
    for line in (*remarks_on(found), *_reasons(late)):
        console.print(line)


def remarks_on(found: Simulation) -> list[str]:
    """Return what a reader must know before using the numbers, a line each."""
    lines = [
        f"{one.station.kind} {one.station.subject} is full: its queue grows while samples come, and no mean settles"
        for one in found.stations
        if (one.planned_utilisation or one.utilisation) >= FULL
    ]
    if found.unseen:
        named = ", ".join(found.unseen[:MOST_REASONS]) + (", …" if len(found.unseen) > MOST_REASONS else "")
        lines.append(f"no sample arose in the time watched of {len(found.unseen)} applications: {named}")
    if not found.precise:
        asked = found.options.until_ci or 0.0
        lines.append(f"the intervals are wider than {fixed_percent(asked)} % of the means at {found.samples:,} samples")
    return lines


def _reasons(late: Sequence[Lateness]) -> Iterator[str]:
    """Yield where those wait whose samples are late by waiting alone."""
    for one in late[:MOST_REASONS]:
        waits = f"{with_unit(one.waiting_s, Quantity.SECONDS, 3)} of {with_unit(one.of_s, Quantity.SECONDS, 3)}"
        where = f"{one.where.kind} {one.where.subject}"
        late_part = f"{fixed_percent(one.late)} % of its samples"
        yield f"{one.application}: {late_part} are late by waiting, most of it at {where} ({waits})"
    if len(late) > MOST_REASONS:
        yield f"{len(late) - MOST_REASONS} more applications are late by waiting"


def _application(one: SimulatedApplication) -> tuple[str, ...]:
    return (
        one.application,
        shown(one.energy_j, Quantity.JOULES),
        with_unit(one.planned_energy_j, Quantity.JOULES, 5),
        shown(one.latency_s, Quantity.SECONDS),
        with_unit(one.planned_latency_s, Quantity.SECONDS, 5),
        with_unit(one.p95_s.value, Quantity.SECONDS, 4),
        with_unit(one.p99_s.value, Quantity.SECONDS, 4),
        with_unit(one.max_latency_s, Quantity.SECONDS, 4),
        f"{fixed_percent(one.within.value, 3)} %",
    )


def _exits(one: SimulatedApplication) -> Any:
    rows = [
        (
            str(exit_),
            f"{fixed_percent(share)} %",
            with_unit(mean, Quantity.SECONDS, 5),
            with_unit(alone, Quantity.SECONDS, 5),
        )
        for exit_, (share, mean, alone) in one.exits.items()
    ]
    return table("By the exit where samples left", ("exit", "samples", "latency", "planned"), rows)


def _stations(found: Simulation) -> Any:
    title = "Where they were served"
    if len(found.stations) > MOST_ROWS:
        title += f": the fullest {MOST_ROWS} of {len(found.stations)}"
    columns = ("where", "places", "occupied", "planned", "wait", "waiting samples")
    return table(title, columns, [_station(one) for one in found.stations[:MOST_ROWS]])


def _station(one: SimulatedStation) -> tuple[str, ...]:
    planned = "–" if one.planned_utilisation is None else f"{fixed_percent(one.planned_utilisation)} %"
    return (
        f"{one.station.kind} {one.station.subject}",
        str(one.station.places),
        f"{fixed_percent(one.utilisation)} %",
        planned,
        with_unit(one.waiting_s, Quantity.SECONDS, 3),
        significant(one.queue, 3),
    )


def shown(one: SampledValue, quantity: Quantity) -> str:
    """Return an estimate with its interval, both in the unit that suits the value."""
    unit = unit_of(quantity, [one.value])
    if one.half_width is None:
        return f"{significant(one.value / unit.size, 5)} {unit.symbol}"
    width = significant(one.half_width / unit.size, 2)
    decimals = len(width.partition(".")[2])
    return f"{one.value / unit.size:.{decimals}f} ± {width} {unit.symbol}"


def to_json(found: Simulation) -> dict[str, Any]:
    """Return all numbers for `--json`."""
    return {
        "options": found.options.model_dump(),
        "samples": found.samples,
        "horizon_s": found.horizon_s,
        "precise": found.precise,
        "unseen": list(found.unseen),
        "applications": [_application_json(one) for one in found.applications],
        "stations": [_station_json(one) for one in found.stations],
    }


def _application_json(one: SimulatedApplication) -> dict[str, Any]:
    estimates = ("energy_j", "latency_s", "waiting_s", "p50_s", "p95_s", "p99_s", "within")
    plain = ("compute_energy_j", "transfer_energy_j", "planned_energy_j", "planned_latency_s", "deepest_s")
    exits = [
        {"exit": exit_, "share": share, "latency_s": mean, "planned_latency_s": alone}
        for exit_, (share, mean, alone) in one.exits.items()
    ]
    return {
        "application": one.application,
        "samples": one.samples,
        **{name: asdict(getattr(one, name)) for name in estimates},
        **{name: getattr(one, name) for name in plain},
        "max_latency_s": one.max_latency_s,
        "exits": exits,
    }


def _station_json(one: SimulatedStation) -> dict[str, Any]:
    own = {"kind": one.station.kind.value, "subject": one.station.subject, "places": one.station.places}
    names = ("utilisation", "planned_utilisation", "waiting_s", "queue", "inside", "littles_gap")
    return {**own, **{name: getattr(one, name) for name in names}}
