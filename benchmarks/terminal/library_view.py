"""The library on a terminal: its list, one instance, and what a check found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from finbench.benchmarks.library.checking import LibraryFinding
from finbench.benchmarks.library.difficulty import DifficultySummary, difficulties, read_difficulty
from finbench.benchmarks.library.entry import LibraryEntry
from finbench.benchmarks.library.known_value import KnownValue
from finbench.benchmarks.library.library import Library
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable

NOTHING = "–"


def print_library(library: Library, entries: Sequence[LibraryEntry], *, as_json: bool) -> None:
    """Print a line for each instance."""
    values, measured = library.values, difficulties(library.folder)
    if as_json:
        console.print_json([_with_difficulty(entry, values, measured.get(entry.name)) for entry in entries])
        return
    columns = (
        *("instance", "tier", "known", "nodes", "blocks", "applications", "best value", "gap [%]", "found by"),
        *("proven by", "in [s]"),
    )
    rows = [(*_row(entry, values.get(entry.name)), *_difficulty_cells(measured.get(entry.name))) for entry in entries]
    console.output().print(console.table("library of instances", columns, rows, text_columns=3))


def _row(entry: LibraryEntry, value: KnownValue | None) -> tuple[str, ...]:
    size = (str(entry.nodes), str(entry.blocks), str(entry.applications))
    if value is None:
        return (entry.name, entry.tier, "unknown", *size, NOTHING, NOTHING, NOTHING)
    return (
        entry.name,
        entry.tier,
        value.known_as,
        *size,
        _number(value.objective, 1),
        _number(value.gap, 100),
        value.method,
    )


def _difficulty_cells(found: DifficultySummary | None) -> tuple[str, str]:
    """Return how many of the methods that were measured proved it, and in which processor times."""
    if found is None:
        return NOTHING, NOTHING
    count = f"{found.proven} of {found.methods}"
    if found.fastest_s is None or found.slowest_s is None:
        return count, NOTHING
    return count, f"{found.fastest_s:.3g} to {found.slowest_s:.3g}"


def _with_difficulty(
    entry: LibraryEntry, values: Mapping[str, KnownValue], found: DifficultySummary | None
) -> dict[str, Any]:
    measured = {} if found is None else {"difficulty": asdict(found)}
    return _entry_json(entry, values.get(entry.name)) | measured


def _number(value: float | None, factor: float) -> str:
    return NOTHING if value is None else f"{factor * value:.6g}"


def print_entry(library: Library, entry: LibraryEntry, *, as_json: bool) -> None:
    """Print what makes an instance, what is known of it since when, and how hard methods found it."""
    history = library.history.get(entry.name, ())
    measured = list(read_difficulty(library.folder, entry.name))
    if as_json:
        rows = [value.model_dump(mode="json") for value in history]
        hard = [row.model_dump(mode="json") for row in measured]
        console.print_json({**_entry_json(entry, None), "history": rows, "measured": hard})
        return
    screen = console.output()
    screen.print(console.table(f"library:{entry.name}", ("what", "value"), list(_facts(entry)), text_columns=2))
    known = ("date", "known", "found by", "proofs", "objective", "bound", "version")
    screen.print(console.table("what is known", known, [_known_row(value) for value in history], text_columns=4))
    cells = [
        (row.method, row.status.value, f"{row.cpu_s:.3g}", _number(row.objective, 1), _number(row.bound, 1))
        for row in measured
    ]
    of_runs = ("method", "status", "processor time [s]", "objective", "bound")
    screen.print(console.table("how hard it was found", of_runs, cells, text_columns=2))


def _facts(entry: LibraryEntry) -> Iterator[tuple[str, str]]:
    """Yield every field of an entry that says something."""
    for field, value in entry.model_dump(mode="json", exclude={"name"}).items():
        if value is not None:
            yield field, str(value)


def _known_row(value: KnownValue) -> tuple[str, ...]:
    numbers = (_number(value.objective, 1), _number(value.bound, 1))
    return (str(value.date), value.known_as, value.method, value.proofs or NOTHING, *numbers, value.version)


def _entry_json(entry: LibraryEntry, value: KnownValue | None) -> dict[str, Any]:
    known = {} if value is None else {"value": value.model_dump(mode="json")}
    return entry.model_dump(mode="json", exclude_none=True) | known


def print_findings(findings: Sequence[LibraryFinding], *, as_json: bool) -> None:
    """Print every fault, and what was checked."""
    if as_json:
        console.print_json([{**vars(each)} for each in findings])
        return
    for each in findings:
        if each.fault is not None:
            print(printable(each.fault))
    faults = sum(each.fault is not None for each in findings)
    values, files = sum(each.values for each in findings), sum(each.files for each in findings)
    proven = sum(each.proven for each in findings)
    print(
        f"{len(findings)} instances, {values} values and {files} files checked: {faults} faults; "
        f"the checker itself proves {proven} of the newest values"
    )
