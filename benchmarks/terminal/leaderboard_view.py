"""The leaderboard on a terminal."""

from __future__ import annotations

from finbench.benchmarks.leaderboard.board import Leaderboard
from finbench.benchmarks.leaderboard.tables import board_tables
from finbench.benchmarks.terminal import console


def print_board(board: Leaderboard, *, as_json: bool) -> None:
    """Print the tables and notes, or everything as JSON."""
    if as_json:
        console.print_json(board.to_json())
        return
    screen = console.output()
    for each in board_tables(board):
        sheet = console.table(each.title, each.columns, each.rows, text_columns=each.text_columns)
        screen.print(sheet)
    for note in board.notes:
        screen.print(note, markup=False)
    screen.print(_verdict(board), markup=False)


def _verdict(board: Leaderboard) -> str:
    """Return what was checked, and how many claims cannot be true."""
    return (
        f"{board.runs:,} runs on {board.instances:,} instances checked in exact arithmetic: "
        f"{len(board.refutations)} claims cannot be true"
    )
