"""LaTeX of tables fits its column: measured by LaTeX where it is installed, else by fonts."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import matplotlib as mpl
import pytest

from finbench.benchmarks.analysis.frame import frame
from finbench.benchmarks.analysis.table_latex import WIDTHS_PT, PaperWidth, latex_table, latex_text, named
from finbench.benchmarks.analysis.table_methods import TableRequest, methods_table
from finbench.benchmarks.analysis.table_widths import text_width, wrapped
from finbench.benchmarks.rows.row import Row
from finbench.models.io import InputError
from tests.benchmarks.conftest import made_up_row

LONG = "a_method with $ome & 50 % of a name that_goes_on_for_60_chars"


def results(methods: int, name: str = "method") -> list[Row]:
    return [
        made_up_row(
            f"{k}", f"{name} {m}", objective=1.0 + m / 7, status="optimal", lower_bound=1.0, time_s=0.01 * 3**m,
            network_nodes=10**k, group=f"group {k % 2} & more",
        )
        for m in range(methods)
        for k in range(4)
    ]  # fmt: skip


def made(rows: list[Row], width: PaperWidth, **asked: str) -> str:
    columns = asked.get("columns", "answered,optimal,gap,worst-gap,time").split(",")
    request = TableRequest(columns, by=asked.get("by"), baseline=asked.get("baseline"))
    return latex_table(methods_table(frame(rows), request), width, "A caption", "tab:x")


@cache
def times() -> dict[str, float]:
    """Widths of the characters of Times by their names, in thousandths of its size."""
    metrics = (Path(mpl.get_data_path()) / "fonts" / "pdfcorefonts" / "Times-Roman.afm").read_text(encoding="ascii")
    return {name: float(width) for width, name in re.findall(r"WX ([\d.]+) ; N (\w+) ;", metrics)}


NAMES = {" ": "space", "_": "underscore", "-": "hyphen", ".": "period", ",": "comma", "%": "percent", "&": "ampersand"}
NAMES |= {"(": "parenleft", ")": "parenright", "[": "bracketleft", "]": "bracketright", "=": "equal", "$": "dollar"}
NAMES |= {"+": "plus", ">": "greater", "†": "dagger", "–": "endash", "γ": "mu", "µ": "mu", "∞": "emdash"}
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def plain(cell: str) -> str:
    """What a cell of LaTeX shows."""
    shown = cell.replace("$^\\dagger$", "†").replace("$\\gamma$", "γ").replace("$\\mu$", "µ").replace("$\\infty$", "∞")
    shown = re.sub(
        r"\\(textit|multicolumn\{\d+\}\{[^}]*\}\{?[^}]*\})", "", shown.replace("--", "–").replace("$>$", ">")
    )
    return re.sub(r"\\([&%$#_{}])", r"\1", shown)


def times_width(cell: str) -> float:
    """Its width in Times at 8 pt."""
    names = [DIGITS[int(c)] if c.isdigit() else NAMES.get(c, c) for c in plain(cell)]
    return 8 / 1000 * sum(times()[name] for name in names)


def measured_width(text: str) -> float:
    """Width of the tabular from the widths of Times, as LaTeX would make it [pt]."""
    space = float(re.search(r"tabcolsep\}\{([\d.]+)pt", text)[1])  # type: ignore[index]
    rows = [re.split(r"(?<!\\)&", line.removesuffix(r" \\")) for line in text.splitlines() if line.endswith(r"\\")]
    rows = [[cell.strip() for cell in row] for row in rows if len(row) > 1]
    assert len({len(row) for row in rows}) == 1
    return sum(max(map(times_width, column)) for column in zip(*rows, strict=True)) + 2 * space * (len(rows[0]) - 1)


CASES = {
    "small": (results(2), {}),
    "many columns": (results(8), {"columns": "answered,optimal,gap,worst-gap,time,worst-time"}),
    "long names": (results(3, LONG), {"columns": "answered,gap,time"}),
    "by size": (results(3), {"by": "nodes", "columns": "answered,gap,time", "baseline": "method 0"}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", list(PaperWidth))
def test_a_table_fits_its_width_by_the_metrics_of_times(case: str, width: PaperWidth) -> None:
    rows, asked = CASES[case]
    text = made(rows, width, **asked)
    assert 60 < measured_width(text) <= WIDTHS_PT[width]
    assert ("table*" in text) == (width is PaperWidth.PAGE)


def compiled(tables: str, folder: Path) -> str:
    """What LaTeX says of tables in the columns of a paper: IEEE's class where it is installed, else one as wide."""
    found = subprocess.run(["kpsewhich", "IEEEtran.cls"], capture_output=True, text=True, timeout=60, check=False)
    ieee = "\\documentclass[journal]{IEEEtran}"
    other = (
        "\\documentclass[10pt,twocolumn]{article}\\usepackage{mathptmx}\\setlength{\\textwidth}{516pt}"
        "\\setlength{\\columnsep}{12pt}"
    )
    head = (ieee if found.stdout.strip() else other) + "\\usepackage{booktabs}\\begin{document}"
    widths = "\\typeout{\\the\\columnwidth\\space\\the\\textwidth}"
    (folder / "t.tex").write_text(f"{head}{widths}{tables}\\end{{document}}", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("width", list(PaperWidth))
def test_latex_itself_finds_that_tables_fit(width: PaperWidth, tmp_path: Path) -> None:
    tables = "\n".join(made(rows, width, **asked) for rows, asked in CASES.values())
    said = compiled(tables, tmp_path)
    assert "252.0pt 516.0pt" in said
    assert "Overfull" not in said
    too_wide = compiled(tables.replace("\\begin{tabular}{@{}l", "\\begin{tabular}{l@{\\hspace{400pt}}"), tmp_path)
    assert "Overfull" in too_wide


def test_what_cannot_fit_is_refused_with_what_is_missing() -> None:
    every = "answered,optimal,solved,missed,gap,mean-gap,worst-gap,time,worst-time,latency,energy,instances"
    with pytest.raises(InputError, match=r"is \d+ pt wider than 252 pt: show fewer --columns, or --width page"):
        made(results(3), PaperWidth.COLUMN, columns=every)
    assert measured_width(made(results(3), PaperWidth.PAGE, columns=every)) <= 516


def test_long_names_go_on_in_further_rows_and_lose_nothing() -> None:
    text = made(results(1, LONG), PaperWidth.COLUMN, columns="answered,optimal,gap,worst-gap,time,worst-time")
    rows = [line.removesuffix(r"\\").split(" & ") for line in text.splitlines() if line.endswith(r"\\") and "&" in line]
    shown = "".join(plain(cells[0]).strip().replace(" ", "") for cells in rows)
    assert (LONG + " 0").replace(" ", "") in shown


def test_special_characters_are_escaped_and_symbols_are_mathematics() -> None:
    escaped = r"\textbackslash{}\textasciitilde{}\textasciicircum{}\&\%\$\#\{\}\textless{}$>$\_"
    assert latex_text(r"\~^&%$#{}<>_") == escaped
    assert latex_text("γ = 10, ≥ 1 – ∞ µ†") == r"$\gamma$ = 10, $\geq$ 1 -- $\infty$ $\mu$$^\dagger$"


@pytest.mark.parametrize("label", ["a b", "x}", "ü", ""])
def test_a_label_that_latex_would_not_take_is_refused(label: str) -> None:
    with pytest.raises(InputError, match="--label"):
        named(label)
    assert named("tab:my_table-1") == "tab:my_table-1"


def test_widths_are_at_least_those_of_times_and_wrapping_keeps_to_them() -> None:
    for text in ("label-setting", "0123456789", "fin (γ = 1000)", "[%]"):
        assert times_width(latex_text(text)) <= text_width(text) <= 1.35 * times_width(latex_text(text))
    for text in (LONG, "x" * 90, "a b c " * 20):
        lines = wrapped(text, 60)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert max(map(text_width, lines)) <= 60
