"""The leaderboard on a terminal."""

from __future__ import annotations

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.leaderboard.board import Leaderboard
from finbench.benchmarks.leaderboard.standing import TIERS
from finbench.benchmarks.leaderboard.tables import PAR10_HEADING, board_tables
from finbench.benchmarks.terminal import console

PRIORITY = ("method", *TIERS, PAR10_HEADING, "proven", "refuted")
"""Columns that stand beside each other as far as they fit; the others stand below each row."""


def print_board(board: Leaderboard, *, as_json: bool) -> None:
    """Print the tables and notes, or everything as JSON."""
    if as_json:
        console.print_json(board.to_json())
        return
    screen = console.output()
    for each in board_tables(board):
        screen.print(
            console.table(each.title, each.columns, each.rows, text_columns=each.text_columns, priority=PRIORITY)
        )
    for note in board.notes:
        screen.print(note, markup=False)
    screen.print(_verdict(board), markup=False)


def _verdict(board: Leaderboard) -> str:
    """Return what was checked, and how many claims cannot be true."""
    wrong = len(board.refutations)
    return (
        f"{board.runs:,} {plural(board.runs, 'run')} on {board.instances:,} {plural(board.instances, 'instance')} "
        f"checked in exact arithmetic: {wrong} {plural(wrong, 'claim')} cannot be true"
    )
