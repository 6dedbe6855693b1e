"""Tables of the page about what samples met at the plans: simulated, and measured where they were served."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.served import (
    ServedLine,
    ServedPlan,
    exit_latencies,
    loads_by_method,
    parts_off,
    served_plans,
)
from finbench.benchmarks.report.cells import NONE, Cell, PageTable, counted, measured, percentage, plain, text
from finbench.benchmarks.report.order import in_order
from finbench.benchmarks.rows.row import Row
from finbench.models.tolerances import SUM_NOISE

MOST_ROWS = 40
"""Rows of a table of single exits or parts: the farthest off."""

Load = Mapping[str, Any]


def served_tables(rows: Sequence[Row], lines: Iterable[ServedLine]) -> tuple[PageTable, ...]:
    """Return the tables; none where no plan of these runs was served."""
    plans = served_plans(rows, lines)
    if not plans:
        return ()
    made = (_by_method(plans), _by_exit(plans), _by_part(plans))
    return tuple(table for table in made if table.rows)


def _by_method(plans: Sequence[ServedPlan]) -> PageTable:
    found = loads_by_method(plans)
    order = in_order([variant for variant, _ in found])
    keys = sorted(found, key=lambda key: (order.index(key[0]), key[1] != "simulated"))
    columns = ("method", "served", "plans of applications", "energy/plan", "latency/plan", "worst latency/plan")
    rows = tuple((text(variant), text(by), *_of_loads(found[variant, by])) for variant, by in keys)
    note = (
        "Means over the applications of all deployments that were found and served: what samples take over what the "
        "plan expects of them, 1 where it is right. δ is the target; p95 is the latency that 95 % of the samples keep. "
        "Where other shares of them leave at the exits than the plan says, latencies compare exit by exit, below."
    )
    title = "Plans beside what samples met, by method"
    return PageTable(title, (*columns, "p95/δ median", "within δ [%]", "worst within δ [%]"), rows, 2, note)


def _of_loads(loads: Sequence[Load]) -> tuple[Cell, ...]:
    energies = _ratios(loads, lambda load: (load.get("energy_j"), load.get("planned_energy_j")))
    latencies = _ratios(loads, lambda load: (load["latency_s"], load["planned_latency_s"]))
    tails = _ratios(loads, lambda load: (load["p95_s"], load["max_latency_s"]))
    within = [load["within"] for load in loads]
    return (
        counted(len(loads)),
        plain(fmean(energies)) if energies else NONE,
        plain(fmean(latencies)) if latencies else NONE,
        plain(max(latencies)) if latencies else NONE,
        plain(median(tails)) if tails else NONE,
        percentage(fmean(within)) if within else NONE,
        percentage(min(within)) if within else NONE,
    )


def _ratios(loads: Sequence[Load], pair: Callable[[Load], tuple[float | None, float | None]]) -> list[float]:
    return [met / planned for met, planned in map(pair, loads) if met is not None and planned]


def _by_exit(plans: Sequence[ServedPlan]) -> PageTable:
    found = exit_latencies(plans)
    rows = tuple(
        (
            *map(text, (each.plan.instance, each.plan.method, each.application)),
            counted(each.exit),
            measured(each.planned_s, "s", 4),
            *(measured(each.met_s.get(by), "s", 4) for by in ("simulated", "measured")),
            _off(each.off),
        )
        for each in found[:MOST_ROWS]
    )
    columns = ("instance", "methods", "application", "exit", "planned", "simulated", "measured", "off by [%]")
    note = f"Mean latency of the samples that leave at an exit. {_left_out(len(found), 'exit')}"
    return PageTable("Latency by exit", columns, rows, 3, note)


def _by_part(plans: Sequence[ServedPlan]) -> PageTable:
    found = parts_off(plans)
    rows = tuple(
        (*map(text, (each.plan.instance, each.plan.method, each.by, each.subject)), measured(each.added_s, "s", 3))
        for each in found[:MOST_ROWS]
    )
    columns = ("instance", "methods", "served", "where", "beyond the plan")
    note = (
        "What a sample takes at a node, a link or a block beyond the plan, on average; in a simulation it waits there "
        f"that long. {_left_out(len(found), 'place')}"
    )
    return PageTable("Where plans were off most", columns, rows, 4, note)


def _off(fraction: float) -> Cell:
    """Return a difference in percent, as far as it is more than the noise of sums."""
    return plain(100 * fraction if fraction > SUM_NOISE else 0.0, 3)


def _left_out(count: int, what: str) -> str:
    if count <= MOST_ROWS:
        return f"The farthest off {'stands' if count == 1 else 'stand'} first."
    return f"The {MOST_ROWS} farthest off of {count:,} {plural(count, what)}."
