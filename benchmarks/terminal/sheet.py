"""A table that fits where it is shown, and is plain text for other programs where nobody looks.

On a terminal numbers and names are never broken. Text after the first column wraps between words. Where the columns
still do not fit beside each other, those of least priority stand on lines of their own below each row: nothing is lost.
In a pipe or a file a table is tab-separated: `# title`, the names of the columns, one line a row, an empty line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

GAP = "  "
"""Between two columns."""

INDENT = "    "
"""Before what stands below a row."""

PROSE = 24
"""Least width of a column of text that is longer [characters]: narrower ones are hard to read."""

BOLD = Style(bold=True)


def printable(text: str) -> str:
    """Return `text` with an escape in place of every character that cannot be seen."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


@dataclass(frozen=True)
class Sheet:
    """A table of text cells that lays itself out when it is printed.

    Parameters
    ----------
    title : str
    columns : sequence of str
        Their names.
    rows : sequence of sequences of str
    text_columns : int
        How many of the first columns hold text; the others hold numbers.
    priority : sequence of str
        Names of columns, the most important first; those not named follow in their order. The first column always
        stands beside.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    priority: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines of the table."""
        if console.is_terminal:
            yield from self._drawn(options)
        else:
            yield Segment(self.tab_separated())

    def tab_separated(self) -> str:
        """Return the table as tab-separated text; a character that cannot be seen becomes an escape."""
        title = [f"# {printable(self.title)}"] if self.title else []
        lines = ["\t".join(map(printable, line)) for line in (self.columns, *self.rows)]
        return "\n".join([*title, *lines, "", ""])

    def widths(self, most: int) -> dict[int, int]:
        """Return the widths of the columns that stand beside each other within `most` characters, by their numbers."""
        least = [self._least(k) for k in range(len(self.columns))]
        wanted = [max(map(cell_len, self._cells(k)), default=0) for k in range(len(self.columns))]
        beside = self._by_priority()
        while len(beside) > 1 and sum(least[k] for k in beside) + len(GAP) * (len(beside) - 1) > most:
            beside.pop()
        room = most - sum(least[k] for k in beside) - len(GAP) * (len(beside) - 1)
        widths = {}
        for done, k in enumerate(sorted(beside, key=lambda k: wanted[k] - least[k])):
            more = max(0, min(wanted[k] - least[k], room // (len(beside) - done)))
            widths[k], room = least[k] + more, room - more
        return dict(sorted(widths.items()))

    def _by_priority(self) -> list[int]:
        ranks = {name: rank for rank, name in enumerate(self.priority)}
        numbers = range(1, len(self.columns))
        return [0, *sorted(numbers, key=lambda k: (ranks.get(self.columns[k], len(ranks)), k))]

    def _cells(self, k: int) -> list[str]:
        return [self.columns[k], *(row[k] for row in self.rows)]

    def _least(self, k: int) -> int:
        """Return the least width of a column: of its longest number, name, or word."""
        cells = [printable(row[k]) for row in self.rows]
        longest = max(map(cell_len, cells), default=0)
        words = self.columns[k].split() + (" ".join(cells).split() if self._wraps(k) else [])
        whole = min(longest, PROSE) if self._wraps(k) else longest
        return max([whole, *map(cell_len, words)])

    def _wraps(self, k: int) -> bool:
        return 0 < k < self.text_columns

    def _drawn(self, options: ConsoleOptions) -> Iterator[Segment]:
        widths, most = self.widths(options.max_width), options.max_width
        if self.title:
            for line in _wrapped(self.title, most):
                yield Segment(f"{line}\n", BOLD)
        for line in self._lines(self.columns, widths, head=True):
            yield Segment(f"{line}\n", BOLD)
        rule = "-" if options.ascii_only else "─"
        yield Segment(rule * min(most, sum(widths.values()) + len(GAP) * (len(widths) - 1)) + "\n")
        for row in self.rows:
            yield from (Segment(f"{line}\n") for line in self._lines(row, widths))
            yield from (Segment(f"{line}\n") for line in self._below(row, widths, most))
        yield Segment("\n")

    def _lines(self, cells: Sequence[str], widths: dict[int, int], *, head: bool = False) -> Iterator[str]:
        """Yield the lines of one row; heads of several lines stand at the bottom."""
        blocks = {k: _wrapped(cells[k], width) for k, width in widths.items()}
        height = max(map(len, blocks.values()))
        for block in blocks.values():
            block[0 if head else len(block) : 0 if head else len(block)] = [""] * (height - len(block))
        for k in range(height):
            parts = (self._aligned(column, block[k], widths[column]) for column, block in blocks.items())
            yield GAP.join(parts).rstrip()

    def _aligned(self, k: int, cell: str, width: int) -> str:
        blanks = " " * max(0, width - cell_len(cell))
        return f"{cell}{blanks}" if k < self.text_columns else f"{blanks}{cell}"

    def _below(self, row: Sequence[str], widths: dict[int, int], most: int) -> Iterator[str]:
        """Yield the lines below a row: the columns that do not fit beside, each with its name."""
        told = [f"{self.columns[k]} {row[k]}" for k in range(len(row)) if k not in widths and row[k]]
        for part in _joined(told, most - len(INDENT)):
            yield from (f"{INDENT}{line}" for line in _wrapped(part, most - len(INDENT)))


def _joined(parts: Sequence[str], most: int, between: str = " · ") -> list[str]:
    """Return the parts on as few lines as hold them whole, in their order; a longer part has a line of its own."""
    lines: list[str] = []
    for part in parts:
        together = f"{lines[-1]}{between}{part}" if lines else part
        if lines and cell_len(together) <= most:
            lines[-1] = together
        else:
            lines.append(part)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines that break between words alone."""
    seen = printable(text)
    return [seen] if cell_len(seen) <= width else _joined(seen.split(), width, " ")
