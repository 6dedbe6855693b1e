r"""A table of methods as LaTeX that fits the column or the page of a paper in \footnotesize, by the fonts' metrics.

It needs the package booktabs alone. What does not fit is tried with less space between columns, then with headings
broken at their words, then with names of methods on several lines; what cannot fit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from finbench.benchmarks.analysis.table_cells import Heading
from finbench.benchmarks.analysis.table_methods import MethodsTable
from finbench.benchmarks.analysis.table_widths import text_width, wrapped
from finbench.models.io import InputError


class PaperWidth(StrEnum):
    """How wide a table or figure is."""

    COLUMN = "column"
    PAGE = "page"


WIDTHS_PT = {PaperWidth.COLUMN: 252.0, PaperWidth.PAGE: 516.0}
"""Widths of IEEE's two-column journals [pt]."""

COLUMN_SPACES_PT = (6.0, 5.0, 4.0, 3.0, 2.5)
"""Spaces on either side of a column that are tried (\\tabcolsep), the widest first."""

SYMBOLS = str.maketrans(
    {
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"$>$",
        "–": "--",
        "…": r"\ldots{}",
        "−": "$-$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "×": r"$\times$",
        "γ": r"$\gamma$",
        "λ": r"$\lambda$",
        "α": r"$\alpha$",
        "δ": r"$\delta$",
        "µ": r"$\mu$",
        "∞": r"$\infty$",
        "†": r"$^\dagger$",
        "=": "=",
    }
)
"""How characters that mean something else in LaTeX, or nothing there, are written."""


def named(label: str | None) -> str | None:
    """Return a label if LaTeX takes it as one.

    Raises
    ------
    InputError
        If it holds anything but letters, digits, and - : . / + _.
    """
    if label is not None and not re.fullmatch(r"[A-Za-z0-9:./+_-]+", label):
        raise InputError("--label", f"{label!r}: must be letters, digits, and - : . / + _")
    return label


def latex_text(text: str) -> str:
    """Return a text as LaTeX shows it character by character; symbols of mathematics as such."""
    return text.translate(SYMBOLS)


@dataclass(frozen=True)
class _Fit:
    """How a table is set so that it fits."""

    space_pt: float
    heads: tuple[tuple[str, ...], ...]
    """Lines of each heading, of equal number."""
    key_widths: tuple[float, ...]
    """Room for the texts that begin each row [pt]."""


def latex_table(table: MethodsTable, width: PaperWidth, caption: str, label: str | None = None) -> str:
    """Return a whole table environment.

    Parameters
    ----------
    table : MethodsTable
    width : PaperWidth
        `page` is a `table*` over both columns.
    caption : str
        As plain text.
    label : str, optional
        By which the text refers to it.

    Raises
    ------
    InputError
        If the table is too wide however it is set; the message says by how much.
    """
    fit = _fitted(table, WIDTHS_PT[width])
    environment = "table" if width is PaperWidth.COLUMN else "table*"
    keys = len(table.key_columns)
    lines = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{{environment}}}[t]",
        rf"\caption{{{latex_text(' '.join(caption.split()))}}}",
        *([] if label is None else [rf"\label{{{label}}}"]),
        r"\centering\footnotesize",
        rf"\setlength{{\tabcolsep}}{{{fit.space_pt:g}pt}}",
        rf"\begin{{tabular}}{{@{{}}{'l' * keys}{'r' * len(table.columns)}@{{}}}}",
        r"\toprule",
        *_head_lines(fit),
        *_body_lines(table, fit),
        r"\bottomrule",
        r"\end{tabular}",
        *_note_lines(table.notes, WIDTHS_PT[width]),
        rf"\end{{{environment}}}",
    ]
    return "\n".join(lines) + "\n"


def _head_lines(fit: _Fit) -> list[str]:
    return [" & ".join(latex_text(line[k]) for line in fit.heads) + r" \\" for k in range(len(fit.heads[0]))]


def _body_lines(table: MethodsTable, fit: _Fit) -> list[str]:
    across = len(table.key_columns) + len(table.columns)
    lines: list[str] = []
    for k, block in enumerate(table.blocks):
        lines.append(r"\midrule" if k == 0 or len(table.blocks) > 1 else "")
        if len(table.blocks) > 1:
            for part in wrapped(block.title, _whole_width(table, fit)):
                lines.append(rf"\multicolumn{{{across}}}{{@{{}}l@{{}}}}{{\textit{{{latex_text(part)}}}}} \\")
        before: tuple[str, ...] = ()
        for key, cells in zip(block.keys, block.cells, strict=True):
            if len(key) > 1 and before and before[0] != key[0]:
                lines.append(r"\addlinespace")
            shown = tuple(
                "" if len(key) > 1 and not k and before[:1] == key[:1] else text for k, text in enumerate(key)
            )
            lines += _row_lines(shown, cells, fit.key_widths)
            before = key
    return [line for line in lines if line]


def _row_lines(key: Sequence[str], cells: Sequence[str], widths: Sequence[float]) -> list[str]:
    """Return a row; texts that are too wide for their column go on in further rows."""
    parts = [wrapped(text, width) for text, width in zip(key, widths, strict=True)]
    rows = []
    for k in range(max(map(len, parts))):
        texts = [part[k] if k < len(part) else "" for part in parts]
        rows.append([*texts, *(cells if k == 0 else [""] * len(cells))])
    return [" & ".join(latex_text(text) for text in row).rstrip() + r" \\" for row in rows]


def _note_lines(notes: Sequence[str], width_pt: float) -> list[str]:
    if not notes:
        return []
    text = latex_text("; ".join(notes) + ".").replace("E\\_b", "$E_b$")
    return ["", r"\vspace{2pt}", rf"\parbox{{{width_pt:g}pt}}{{\scriptsize {text}}}"]


def _fitted(table: MethodsTable, width_pt: float) -> _Fit:
    """Return the first way of setting a table in which it fits."""
    columns = (*table.key_columns, *table.columns)
    longest = [
        max(text_width(key[k]) for block in table.blocks for key in block.keys) for k in range(len(table.key_columns))
    ]
    for heads in (_heads(columns, by_word=False), _heads(columns, by_word=True)):
        for space in COLUMN_SPACES_PT:
            if sum(_widths(table, heads, longest)) + _between(columns, space) <= width_pt:
                return _Fit(space, heads, tuple(longest))
    return _wrapping(table, heads, longest, width_pt)


def _wrapping(
    table: MethodsTable, heads: tuple[tuple[str, ...], ...], longest: Sequence[float], width_pt: float
) -> _Fit:
    """Return a fit in which the names of methods take several lines."""
    columns, space = (*table.key_columns, *table.columns), COLUMN_SPACES_PT[-1]
    widths = _widths(table, heads, [*longest[:-1], 0.0])
    head = max(map(text_width, heads[len(longest) - 1]))
    left = width_pt - _between(columns, space) - sum(widths) + widths[len(longest) - 1]
    if left < max(head, NARROWEST_PT):
        over = max(head, NARROWEST_PT) - left
        raise InputError("table", f"is {over:.0f} pt wider than {width_pt:g} pt: show fewer --columns, or --width page")
    return _Fit(space, heads, (*longest[:-1], left))


NARROWEST_PT = 40.0
"""Least room for the names of methods."""


def _widths(table: MethodsTable, heads: tuple[tuple[str, ...], ...], key_widths: Sequence[float]) -> list[float]:
    """Return the width of every column [pt]."""
    cells = [
        max((text_width(row[k]) for block in table.blocks for row in block.cells), default=0.0)
        for k in range(len(table.columns))
    ]
    return [max(inside, *map(text_width, head)) for inside, head in zip([*key_widths, *cells], heads, strict=True)]


def _between(columns: Sequence[Heading], space_pt: float) -> float:
    return 2 * space_pt * (len(columns) - 1)


def _whole_width(table: MethodsTable, fit: _Fit) -> float:
    columns = (*table.key_columns, *table.columns)
    return sum(_widths(table, fit.heads, fit.key_widths)) + _between(columns, fit.space_pt)


def _heads(columns: Sequence[Heading], *, by_word: bool) -> tuple[tuple[str, ...], ...]:
    """Return the lines of every heading, the unit last, filled up from above to the same number of lines."""
    lines = [
        [*(column.heading.split() if by_word else [column.heading]), *([f"[{column.unit}]"] if column.unit else [])]
        for column in columns
    ]
    most = max(map(len, lines))
    return tuple((*[""] * (most - len(each)), *each) for each in lines)
