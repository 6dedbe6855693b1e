"""The page's section on the library: what these runs made of its instances, and what is known of each since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.leaderboard.checked_run import OUTSIDE, checked_rows
from finbench.benchmarks.leaderboard.refutation import Judgement, judged_by_instance
from finbench.benchmarks.leaderboard.standing import outcome, standings
from finbench.benchmarks.leaderboard.tables import MEANING
from finbench.benchmarks.library.entry import LibraryTier
from finbench.benchmarks.library.library import Library
from finbench.benchmarks.report.board_tables import machine_table, refutations_table
from finbench.benchmarks.report.cells import Cell, PageTable, measured, percentage, text
from finbench.benchmarks.report.known_over_time import KnownOverTime, known_over_time
from finbench.benchmarks.report.order import in_order
from finbench.benchmarks.rows.row import Row
from finbench.models.instance import Instance

RESULTS = "these results"
"""What the folder of the page's runs is called on it."""


@dataclass(frozen=True)
class LibraryLine:
    """One instance of the library on the page."""

    cells: tuple[Cell, ...]
    picture: Markup
    """Least objective and best bound over time; words where nothing has moved and no gap is left."""


@dataclass(frozen=True)
class TierLines:
    """The instances of one tier."""

    tier: str
    title: str
    lines: tuple[LibraryLine, ...]


@dataclass(frozen=True)
class LibrarySection:
    """What the page says of the library."""

    machines: tuple[PageTable, ...]
    """Standings, a table for each machine."""
    tiers: tuple[TierLines, ...]
    refuted: PageTable | None
    """Claims that cannot be true, the library's values being held against them."""
    span: str
    """From when to when the pictures show, in words."""
    meaning: str = MEANING


COLUMNS = ("instance", "known", "value", "gap [%]", "solved by", "first solved", "over time")


def library_section(rows: Sequence[Row], instances: Mapping[str, Instance], library: Library) -> LibrarySection | None:
    """Return the section; None where no run is on an instance of the library.

    Parameters
    ----------
    rows : sequence of Row
        With their environments.
    instances : mapping
        By content hash.
    library : Library
    """
    hashes = {entry.content_hash for entry in library.entries.values()}
    here = [row for row in rows if row.get("content_hash") in hashes]
    runs = [run for run in checked_rows(RESULTS, here, instances, library).runs if run.tier != OUTSIDE]
    if not runs:
        return None
    judgements = judged_by_instance(runs, library.values)
    known = known_over_time(judgements, library)
    found = [one for judgement in judgements.values() for one in judgement.refutations]
    return LibrarySection(
        machines=tuple(machine_table(machine, ranks) for machine, ranks in standings(judgements).items()),
        tiers=tuple(_tiers(judgements, known)),
        refuted=refutations_table(found) if found else None,
        span=known.span,
    )


def _tiers(judgements: Mapping[str, Judgement], known: KnownOverTime) -> Iterable[TierLines]:
    for tier in LibraryTier:
        here = {key: each for key, each in judgements.items() if each.runs[0].tier == tier}
        if here:
            solved = sum(bool(_solvers(each)) for each in here.values())
            title = f"{tier}: {solved} of {len(here)} {plural(len(here), 'instance')} solved"
            lines = (LibraryLine(_cells(each, known.gap(key)), known.picture(key)) for key, each in here.items())
            yield TierLines(tier.value, title, tuple(sorted(lines, key=lambda line: line.cells[0].text)))


def _cells(judgement: Judgement, gap: float | None) -> tuple[Cell, ...]:
    """Return the cells of an instance, without the picture."""
    first, solvers = judgement.runs[0], _solvers(judgement)
    best = None if judgement.best is None else judgement.best.objective
    begun = min((moment for moment in solvers.values() if moment), default="")
    return (
        text(first.name),
        text(_status(judgement)),
        measured(best, first.instance.objective_unit, 6),
        percentage(gap),
        text(", ".join(in_order(solvers)) or "–"),
        text(begun[:10] or "–"),
    )


def _status(judgement: Judgement) -> str:
    """Return how much the library knows, and whether these runs know more."""
    known, best = judgement.known, judgement.best
    if best is not None and best.who.startswith(RESULTS):
        return "better in these runs"
    return "unknown" if known is None else known.known_as.value


def _solvers(judgement: Judgement) -> dict[str, str]:
    """Return the variants that solved an instance, and when the first run of each that did began."""
    found = dict[str, str]()
    for k, run in enumerate(judgement.runs):
        if outcome(run, judgement, refuted=k in judgement.refuted).solved:
            begun = str(run.row.get("started_at") or "")
            found[run.variant] = min(begun, found.get(run.variant, begun))
    return found
