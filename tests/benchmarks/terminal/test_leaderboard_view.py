"""The leaderboard on a terminal of 80 columns: nothing is cut off, and nothing is lost."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from finbench.benchmarks.leaderboard.board import BetterValue, Leaderboard
from finbench.benchmarks.leaderboard.refutation import Fault, Refutation
from finbench.benchmarks.leaderboard.standing import TIERS, Standing
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.leaderboard_view import print_board

VARIANT = "milp-assignment (solver=highs, mip_gap=0.001, threads=16)"


def standing(rank: int) -> Standing:
    counts = {tier: 100 * (k + 1) for k, tier in enumerate(TIERS)}
    return Standing(
        VARIANT, "a processor", ("mine",), counts, counts, 1234, 1235, 17, 3, 777, 700, 600, (1.0, 2.0),
        98.7, 65.4, rank,
    )  # fmt: skip


REFUTED = Refutation("theirs", VARIANT, "campus-n20", Fault.BOUND, 0.1234567890123456, 0.1, "claims a bound of much")
BOARD = Leaderboard(
    ("mine", "theirs"), {"a processor": [standing(1), standing(2)]}, (REFUTED,),
    (BetterValue("campus-n20", "mine: fin", 0.1, 0.2),), 2000, 300, {},
)  # fmt: skip


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    screen = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(console, "output", lambda: screen)
    print_board(BOARD, as_json=False)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue().splitlines()


def test_it_fits_80_columns(shown: list[str]) -> None:
    assert max(map(len, shown)) <= 80


def test_every_number_of_a_row_is_there(shown: list[str]) -> None:
    text = "\n".join(shown)
    for number in ("100/100", "600/600", "1234", "1235", "17", "98.7", "65.4", "0.1234567890123456"):
        assert number in text


def test_what_was_checked_and_found_is_said_last(shown: list[str]) -> None:
    assert " ".join(shown[-2:]).endswith(
        "2,000 runs on 300 instances checked in exact arithmetic: 1 claim cannot be true"
    )
