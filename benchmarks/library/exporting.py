"""Both formulations of instances as compressed files, with the values that solvers must meet in the files' units."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO
from pathlib import Path

from finbench.benchmarks.library.entry import LibraryEntry
from finbench.benchmarks.library.library import SOLU, Library
from finbench.benchmarks.library.solu import solu_line
from finbench.models.instance import Instance
from finbench.models.io import InputError, write_bytes, write_text
from finbench.models.milp.solvers.model_file import Format, ModelText

FORMULATIONS = ("milp-flow", "milp-assignment")

_TITLE = re.compile(r"^[*\\] .*; an objective of 1 is (\S+) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class ExportedProgram:
    """One line of `programs.csv`: a formulation of an instance, and its file."""

    instance: str
    formulation: str
    file: str
    """Name of the file; empty where there is none."""
    one_is: str
    """What an objective of 1 in the file stands for [unit]."""
    unit: str
    """Unit of the instance's objective."""
    reason: str = ""
    """Why there is no file."""


def export_library(
    library: Library,
    entries: Sequence[LibraryEntry],
    file_format: Format,
    folder: Path,
    *,
    plain: bool = False,
    told: Callable[[int, int], None] = lambda *_: None,
) -> list[ExportedProgram]:
    """Write both formulations of every instance, `programs.csv`, and `library.solu` over the files.

    Parameters
    ----------
    library : Library
    entries : sequence of LibraryEntry
    file_format : {"mps", "lp"}
    folder : Path
        Made where it is missing.
    plain : bool
        `milp-flow` whole, with nothing removed by bounds.
    told : callable
        Hears how many instances of how many are done.

    Returns
    -------
    list of ExportedProgram
    """
    folder.mkdir(parents=True, exist_ok=True)
    programs, lines = list[ExportedProgram](), list[str]()
    for k, entry in enumerate(entries):
        told(k, len(entries))
        for program, text in _programs(entry, file_format, plain):
            programs.append(program)
            if text is not None:
                lines.append(_solu_line(library, program))
                _write_program(folder / program.file, text)
    told(len(entries), len(entries))
    write_text(folder / "programs.csv", _table(programs))
    write_text(folder / SOLU, "".join(lines))
    return programs


def _programs(
    entry: LibraryEntry, file_format: Format, plain: bool
) -> Iterator[tuple[ExportedProgram, ModelText | None]]:
    """Yield both formulations of an instance, each with its text; None and a reason where it has none."""
    instance = entry.build()
    for formulation in FORMULATIONS:
        try:
            written = _text(instance, formulation, file_format, plain)
        except InputError as error:
            reason = str(error).removeprefix(f"{instance.name}: ")
            yield ExportedProgram(entry.name, formulation, "", "", instance.objective_unit, reason), None
            continue
        (one_is, unit) = _TITLE.findall(written.text)[0]
        file = f"{entry.name}.{formulation}.{file_format}.gz"
        yield ExportedProgram(entry.name, formulation, file, one_is, unit), written


def _text(instance: Instance, formulation: str, file_format: Format, plain: bool) -> ModelText:
    """Return a program; the whole one where bounds alone prove that nothing fits, for the others' sake."""
    from finbench.models.milp.export import program_text

    if plain or formulation != FORMULATIONS[0]:
        return program_text(instance, formulation, file_format, strengthen=False)
    try:
        return program_text(instance, formulation, file_format, strengthen=True)
    except InputError:
        return program_text(instance, formulation, file_format, strengthen=False)


def _solu_line(library: Library, program: ExportedProgram) -> str:
    """Return the line of a program's file, its value in the file's units."""
    name = program.file.rpartition(".")[0].rpartition(".")[0]
    return solu_line(name, library.values.get(program.instance), 1 / float(program.one_is))


def _write_program(file: Path, written: ModelText) -> None:
    """Write a program, compressed so that equal programs give equal bytes, and the names that had to be cut."""
    write_bytes(file, gzip.compress(written.text.encode(), mtime=0))
    if written.long_names:
        write_text(Path(f"{file}.names.csv"), written.map_csv)


def _table(programs: Sequence[ExportedProgram]) -> str:
    stream = StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(ExportedProgram)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(asdict, programs))
    return stream.getvalue()
