"""The leaderboard as tables of text, Markdown and CSV."""

from __future__ import annotations

from collections.abc import Sequence

from finbench.benchmarks.analysis.numbers import number, plural
from finbench.benchmarks.analysis.table import TextTable, csv_text, markdown
from finbench.benchmarks.leaderboard.board import Leaderboard
from finbench.benchmarks.leaderboard.refutation import Refutation
from finbench.benchmarks.leaderboard.standing import CLOSE, TIERS, Standing

NOTHING = "–"

PAR10_HEADING = "PAR10 [s]"

CLOSE_HEADING = f"≤ {100 * CLOSE:g} %"

MEANING = (
    "Solved of run, by tier: the exact objective meets the least known. Proven: solved, and claimed as optimal or as "
    f"infeasible. {CLOSE_HEADING}: at most so far above the least known. Unanswered: no deployment and no proof in "
    "time. Refuted: a claim that cannot be true; it is worth nothing and counts as unanswered. PAR10 and the mean time "
    "(geometric, shifted by 10 s) are over the instances that all methods of the machine ran on; ranks follow what is "
    "solved there, then what is proven, then PAR10."
)
"""What the columns say."""


def board_tables(board: Leaderboard) -> list[TextTable]:
    """Return a table for each machine, then the claims that cannot be true, then what is better than the library."""
    tables = [standings_table(machine, found) for machine, found in board.standings.items()]
    if board.refutations:
        tables.append(refutations_table(board.refutations))
    if board.improvements:
        rows = tuple((one.instance, one.who, f"{one.objective!r}", number(one.known)) for one in board.improvements)
        columns = ("instance", "who", "objective", "library")
        tables.append(TextTable("better than the library knows", columns, rows, 2))
    return tables


def tiers_of(found: Sequence[Standing]) -> list[str]:
    """Return the tiers of the instances that methods ran on, in order."""
    return [tier for tier in TIERS if any(one.run.get(tier) for one in found)]


def standings_table(machine: str, found: Sequence[Standing]) -> TextTable:
    """Return the standings of one machine."""
    tiers = tiers_of(found)
    columns = ("#", "method", *tiers, "proven", CLOSE_HEADING, "unanswered", "refuted", PAR10_HEADING, "mean time [s]")
    shared = found[0].shared
    title = f"{machine}: ranked over {shared:,} {plural(shared, 'instance')} that all methods ran on"
    return TextTable(title, columns, tuple(_cells(one, tiers) for one in found), 2)


def _cells(one: Standing, tiers: Sequence[str]) -> tuple[str, ...]:
    return (
        NOTHING if one.rank is None else str(one.rank),
        one.variant,
        *(f"{one.solved[tier]}/{one.run[tier]}" if one.run.get(tier) else NOTHING for tier in tiers),
        *map(str, (one.proven, one.close, one.unanswered, one.refuted)),
        number(one.par10_s, 3),
        number(one.geometric_s, 3),
    )


def refutations_table(refutations: Sequence[Refutation]) -> TextTable:
    """Return the claims that cannot be true, one a line, each with its two numbers."""
    rows = tuple(
        (one.instance, one.variant, one.folder, one.sentence, _exact(one.claimed), _exact(one.found))
        for one in refutations
    )
    columns = ("instance", "method", "folder", "what cannot be true", "claimed", "against")
    return TextTable("claims that cannot be true", columns, rows, 4)


def _exact(value: float | None) -> str:
    return NOTHING if value is None else repr(value)


def board_markdown(board: Leaderboard) -> str:
    """Return the leaderboard as Markdown."""
    return markdown("Leaderboard", board_tables(board), [MEANING, *board.notes])


def board_csv(board: Leaderboard) -> str:
    """Return one line for each method on each machine, with every digit."""
    import pandas as pd

    return csv_text(pd.DataFrame([_record(one) for found in board.standings.values() for one in found]))


def _record(one: Standing) -> dict[str, object]:
    by_tier = {
        f"{what}_{tier}": counts.get(tier, 0)
        for tier in TIERS
        for what, counts in (("run", one.run), ("solved", one.solved))
    }
    return {
        "machine": one.machine,
        "rank": one.rank,
        "variant": one.variant,
        "folders": "; ".join(one.folders),
        **by_tier,
        **{name: getattr(one, name) for name in ("instances", "solved_in_all", "proven", "close", "unanswered")},
        **{name: getattr(one, name) for name in ("refuted", "shared", "shared_solved", "par10_s", "geometric_s")},
    }
