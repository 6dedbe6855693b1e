"""A served run on a terminal: latencies measured beside those of the plan, and where they part."""

from __future__ import annotations

from finbench.benchmarks.analysis.numbers import fixed_percent
from finbench.benchmarks.analysis.units import Quantity, significant, with_unit
from finbench.benchmarks.deploying.serving.served_run import ServedApplication, ServedLink, ServedPart, ServedRun
from finbench.benchmarks.terminal.console import output, table
from finbench.benchmarks.terminal.sheet import printable

MOST_ROWS = 20
"""Rows of each table that are shown at most."""


EXITS = (
    *(
        "application",
        "leaves at",
        "samples",
        "planned share",
        "mean",
        "planned",
        "off",
        "p95",
        "planned p95",
        "off p95",
    ),
)
PARTS = ("application", "node", "part", "blocks", "runs", "mean", "planned", "off")
LINKS = ("link", "messages", "bytes", "bit/s", "planned", "off", "delay", "planned delay")


def print_served(run: ServedRun) -> None:
    """Print a table of exits, one of parts and one of links, each measured beside planned."""
    console = output()
    rows = [row for app in run.applications for row in _application(app)]
    console.print(table("Latency, measured and planned", EXITS, rows[:MOST_ROWS], text_columns=2))
    console.print(table("Parts", PARTS, [_part(each) for each in run.parts[:MOST_ROWS]], text_columns=2))
    if run.links:
        console.print(table("Links", LINKS, [_link(each) for each in run.links[:MOST_ROWS]]))
    for app in run.applications:
        if app.other_answers is not None:
            said = f"{app.other_answers} of {app.samples} samples are answered otherwise than by the whole model"
            console.print(f"{printable(app.application)}: {said}")


def _application(app: ServedApplication) -> list[tuple[str, ...]]:
    """Return a row for all samples of an application, and one for each exit."""
    name = printable(app.application)
    first = (
        *(name, "all", str(app.samples), ""),
        *(_seconds(app.mean_s), _seconds(app.planned_mean_s), _off(app.mean_s, app.planned_mean_s)),
        *(_seconds(app.p95_s), _seconds(app.planned_p95_s), _off(app.p95_s, app.planned_p95_s)),
    )
    exits = [
        (
            *(name, f"exit {one.exit}", str(one.samples), f"{fixed_percent(one.planned_share, 1)} %"),
            *(_seconds(one.mean_s), _seconds(one.planned_s), _off(one.mean_s, one.planned_s)),
            *(_seconds(one.p95_s), _seconds(one.planned_s), _off(one.p95_s, one.planned_s)),
        )
        for one in app.exits
    ]
    return [first, *exits]


def _part(part: ServedPart) -> tuple[str, ...]:
    return (
        *(
            printable(part.application),
            printable(part.node),
            str(part.part),
            _blocks(part.first_block, part.last_block),
        ),
        *(str(part.runs), _seconds(part.mean_s), _seconds(part.planned_s), _off(part.mean_s, part.planned_s)),
    )


def _link(link: ServedLink) -> tuple[str, ...]:
    return (
        f"{printable(link.source)}->{printable(link.target)}",
        *(str(link.messages), f"{link.bytes:,}", _rate(link.bits_per_s), _rate(link.planned_bits_per_s)),
        *(_off(link.bits_per_s, link.planned_bits_per_s), _seconds(link.delay_s), _seconds(link.planned_delay_s)),
    )


def _blocks(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else with_unit(value, Quantity.SECONDS, 4)


def _rate(value: float | None) -> str:
    return "–" if value is None else significant(value, 4)


def _off(measured: float | None, planned: float) -> str:
    return "–" if measured is None or planned <= 0 else f"{100 * (measured / planned - 1):+.1f} %"
