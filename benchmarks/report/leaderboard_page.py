"""The leaderboard as a file: an HTML page without scripts, Markdown, or CSV, by the ending of its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.leaderboard.board import BetterValue, Leaderboard
from finbench.benchmarks.leaderboard.tables import MEANING, board_csv, board_markdown
from finbench.benchmarks.report.board_tables import exact, machine_table, refutations_table
from finbench.benchmarks.report.cells import PageTable, text
from finbench.benchmarks.report.rendering import rendered
from finbench.benchmarks.report.summary import Fact
from finbench.models.io import write_text

WRITERS = {".md": board_markdown, ".csv": board_csv}
"""By ending; every other is a page."""


def write_board(board: Leaderboard, output: Path) -> None:
    """Write the leaderboard; raise InputError where the file cannot be written."""
    write_text(output, WRITERS.get(output.suffix, board_page)(board))


def board_page(board: Leaderboard) -> str:
    """Return the leaderboard as an HTML page."""
    return rendered(
        "leaderboard.html",
        folders=", ".join(board.folders),
        facts=_facts(board),
        meaning=MEANING,
        notes=board.notes,
        machines=[machine_table(machine, found) for machine, found in board.standings.items()],
        refutations=refutations_table(board.refutations) if board.refutations else None,
        improvements=_improvements(board.improvements) if board.improvements else None,
    )


def _facts(board: Leaderboard) -> list[Fact]:
    methods = {one.variant for found in board.standings.values() for one in found}
    counts = (
        (board.runs, "run"),
        (board.instances, "instance"),
        (len(methods), "method variant"),
        (len(board.standings), "machine"),
    )
    facts = [Fact(f"{count:,}", plural(count, noun)) for count, noun in counts]
    wrong = len(board.refutations)
    return [*facts, Fact(str(wrong), f"{plural(wrong, 'claim')} that cannot be true", warns=wrong > 0)]


def _improvements(improvements: Sequence[BetterValue]) -> PageTable:
    rows = tuple((text(one.instance), text(one.who), exact(one.objective), exact(one.known)) for one in improvements)
    return PageTable("Better than the library knows", ("instance", "who", "objective", "library"), rows, 2)
