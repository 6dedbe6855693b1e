"""Tables fit where they are shown, break no number and no name, and lose nothing."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from rich.cells import cell_len
from rich.console import Console

from finbench.benchmarks.terminal.console import PIPE_WIDTH
from finbench.benchmarks.terminal.sheet import Sheet

COLUMNS = ("method", "how", "energy [J]", "gap to best bound [%]", "time [s]")
ROWS = (
    ("milp-flow", "a unit flow for each block output", "0.02139546", "0.0000", "0.03185"),
    ("fin (gamma=1000)", "three stages", "0.02953946", "112.7123", "0.001258"),
    ("漢字", "", "–", "–", "0.0006569"),
)
SHEET = Sheet("results of all methods", COLUMNS, ROWS, text_columns=2, priority=("energy [J]", "time [s]"))


def drawn(sheet: Sheet, width: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=True, no_color=True, highlight=False, color_system=None).print(
        sheet
    )
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [30, 40, 50, 60, 70, 80, 90, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_every_number_and_name_is_whole(width: int) -> None:
    lines = drawn(SHEET, width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for name, how, *numbers in ROWS:
        assert all(part in text for part in (name, *numbers))
        assert all(word in text for word in how.split())


def test_columns_of_least_priority_go_below_first() -> None:
    kept = [set(SHEET.widths(width)) for width in range(20, 160)]
    assert kept[-1] == {0, 1, 2, 3, 4}
    assert all(less <= more for less, more in pairwise(kept))
    assert list(dict.fromkeys(map(len, kept))) == [1, 2, 3, 4, 5]
    assert {2} == next(each for each in kept if len(each) == 2) - {0}
    assert {2, 4} == next(each for each in kept if len(each) == 3) - {0}


def test_what_goes_below_has_its_name() -> None:
    assert "    time [s] 0.03185" in drawn(Sheet("", ("a", "time [s]"), [("a long name of it", "0.03185")]), 24)


def test_numbers_end_and_text_begins_in_one_place() -> None:
    lines = drawn(SHEET, 120)
    assert len({line.index(how) for line in lines for how in ("a unit", "three stages") if how in line}) == 1
    ends = {cell_len(line[: line.index(row[4])]) + len(row[4]) for line in lines for row in ROWS if row[4] in line}
    assert len(ends) == 1


def test_a_pipe_gets_tab_separated_text_without_padding_and_control_characters() -> None:
    stream = io.StringIO()
    Console(file=stream, width=PIPE_WIDTH).print(
        Sheet("long title of it", ("a", "b c"), [("x\ty", "1"), ("\x1b[31m", "2")])
    )
    assert stream.getvalue() == "# long title of it\na\tb c\nx\\ty\t1\n\\x1b[31m\t2\n\n"
