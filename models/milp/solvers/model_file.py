"""MPS and LP files of a program, written by HiGHS: for solvers that read files, here and elsewhere.

Between this package and a solver, columns and rows are called c0, c1, … and r0, r1, …; for people they carry their
symbol, application and indices, `x(app,1,device)`, and the equation of their row, `eq8_latency(app)`. Solvers read
names up to a length only: a longer one is cut and numbered, and a map leads back to it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from highspy import HighsStatus

from finbench.models.milp.solvers.highs import new_highs, pass_model
from finbench.models.milp.solvers.interface import Limits
from finbench.models.milp.solvers.standard_form import StandardForm

Format = Literal["mps", "lp"]


def write_numbered(form: StandardForm, path: Path) -> None:
    """Write `form` as MPS with columns c0, c1 and so on, and rows r0, r1 and so on."""
    columns, rows = (f"c{j}" for j in range(len(form.variables))), (f"r{i}" for i in range(len(form.constraints)))
    _write(form, columns, rows, path)


LONGEST_NAME: dict[Format, int] = {"mps": 255, "lp": 100}
"""Characters of a name that GLPK, CBC, SCIP and HiGHS all read; CBC takes 100 in an LP file."""


@dataclass(frozen=True)
class ModelText:
    """The text of an MPS or LP file."""

    text: str
    long_names: Mapping[str, str]
    """The whole name of every column and row that has a shorter one in the file, by that name."""

    @property
    def map_csv(self) -> str:
        """`long_names` as the text of a CSV file."""
        stream = StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("name_in_file", "name"))
        writer.writerows(self.long_names.items())
        return stream.getvalue()


def readable_text(form: StandardForm, file_format: Format) -> ModelText:
    """Return the MPS or LP file of `form` with names for people."""
    long_names: dict[str, str] = {}
    columns, rows = (
        [_short(name, LONGEST_NAME[file_format], long_names) for name in distinct(map(readable_name, components))]
        for components in (form.variables, form.constraints)
    )
    with TemporaryDirectory() as folder:
        path = Path(folder, f"model.{file_format}")
        _write(form, columns, rows, path)
        text = path.read_text(encoding="utf-8")
    return ModelText(text if file_format == "mps" else _widely_read(text), long_names)


def _short(name: str, longest: int, long_names: dict[str, str]) -> str:
    """Return a name that every solver reads; one that had to be cut ends in `~` and a number, and is noted."""
    if len(name) <= longest:
        return name
    ending = f"~{len(long_names) + 1}"
    short = name[: longest - len(ending)] + ending
    long_names[short] = name
    return short


def _widely_read(text: str) -> str:
    """Return HiGHS's LP file without empty sections, and with the name of the section of binaries that CBC knows."""
    return re.sub(r"^bin$", "binary", re.sub(r"^(?:gen|semi)\n(?=semi$|end$)", "", text, flags=re.M), flags=re.M)


def readable_name(component: Any) -> str:
    """Return a Pyomo variable's or row's symbol, application and indices in characters that every format allows."""
    application, index = component.parent_block().index(), component.index()
    indices = index if isinstance(index, tuple) else (index,)
    parts = [re.sub(r"[^A-Za-z0-9_.]", "_", str(part)) for part in (application, *indices) if part is not None]
    return f"{component.parent_component().local_name}({','.join(parts)})"


def distinct(names: Iterable[str]) -> list[str]:
    """Return the names, a later equal one numbered: `x(a_b)`, `x(a_b)#2`."""
    met: Counter[str] = Counter()
    made = []
    for name in names:
        met[name] += 1
        made.append(name if met[name] == 1 else f"{name}#{met[name]}")
    return made


def _write(form: StandardForm, columns: Iterable[str], rows: Iterable[str], path: Path) -> None:
    highs = new_highs(Limits())
    said = [pass_model(highs, form)]
    said += [highs.passColName(j, name) for j, name in enumerate(columns)]
    said += [highs.passRowName(i, name) for i, name in enumerate(rows)]
    said.append(highs.writeModel(str(path)))
    if HighsStatus.kError in said:  # a warning loses nothing: coefficients that HiGHS would drop are gone before
        raise RuntimeError(f"HiGHS could not write {path.name}")
