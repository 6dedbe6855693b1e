"""MPS and LP files of a program, written by HiGHS: for solvers that read files, here and elsewhere.

Between this package and a solver, columns and rows are called c0, c1, … and r0, r1, …; for people they carry their
symbol, application and indices, `x(app,1,device)`, and the equation of their row, `eq8_latency(app)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from highspy import HighsStatus

from finbench.models.milp.solvers.backend import Limits
from finbench.models.milp.solvers.highs import new_highs, pass_model
from finbench.models.milp.solvers.standard_form import StandardForm

Format = Literal["mps", "lp"]


def write_numbered(form: StandardForm, path: Path) -> None:
    """Write `form` as MPS with columns c0, c1 and so on, and rows r0, r1 and so on."""
    columns, rows = (f"c{j}" for j in range(len(form.variables))), (f"r{i}" for i in range(len(form.constraints)))
    _write(form, columns, rows, path)


def readable_text(form: StandardForm, file_format: Format) -> str:
    """The MPS or LP file of `form` with names for people."""
    columns, rows = distinct(map(readable_name, form.variables)), distinct(map(readable_name, form.constraints))
    with TemporaryDirectory() as folder:
        path = Path(folder, f"model.{file_format}")
        _write(form, columns, rows, path)
        text = path.read_text(encoding="utf-8")
    return text if file_format == "mps" else _widely_read(text)


def _widely_read(text: str) -> str:
    """HiGHS's LP file without its empty sections and with the name of the section of binaries that CBC knows too."""
    return re.sub(r"^bin$", "binary", re.sub(r"^(?:gen|semi)\n(?=semi$|end$)", "", text, flags=re.M), flags=re.M)


def readable_name(component: Any) -> str:
    """Symbol or equation, application and indices of a Pyomo variable or row, in characters every format allows."""
    application, index = component.parent_block().index(), component.index()
    indices = index if isinstance(index, tuple) else (index,)
    parts = [re.sub(r"[^A-Za-z0-9_.]", "_", str(part)) for part in (application, *indices) if part is not None]
    return f"{component.parent_component().local_name}({','.join(parts)})"


def distinct(names: Iterable[str]) -> list[str]:
    """The names, a later equal one numbered: `x(a_b)`, `x(a_b)#2`."""
    taken: dict[str, int] = {}
    made = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        made.append(name if taken[name] == 1 else f"{name}#{taken[name]}")
    return made


def _write(form: StandardForm, columns: Iterable[str], rows: Iterable[str], path: Path) -> None:
    highs = new_highs(Limits())
    said = [pass_model(highs, form)]
    said += [highs.passColName(j, name) for j, name in enumerate(columns)]
    said += [highs.passRowName(i, name) for i, name in enumerate(rows)]
    said.append(highs.writeModel(str(path)))
    if any(status != HighsStatus.kOk for status in said):
        raise RuntimeError(f"HiGHS could not write {path.name}")
