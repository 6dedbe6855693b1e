"""Tables of the library as CSV files: every row checked, an empty cell for what is not said."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from finbench.models.io import InputError, content_of, validate

MOST_BYTES = 2**24
"""Tables of the library are small; a larger one is a mistake."""

Record = TypeVar("Record", bound=BaseModel)


def text_of(file: Path) -> str:
    """Return what a text file of the library holds.

    Raises
    ------
    InputError
        If it cannot be read, is too large, or is not UTF-8.
    """
    try:
        return content_of(file, MOST_BYTES).decode()
    except UnicodeDecodeError:
        raise InputError(file, "is not UTF-8 text") from None


def read_table(file: Path, model: type[Record]) -> Iterator[Record]:
    """Yield the rows of a table.

    Raises
    ------
    InputError
        If the file cannot be read, its columns are not the fields of `model`, or a row breaks a rule.
    """
    reader = csv.DictReader(StringIO(text_of(file)), strict=True)
    fields = list(model.model_fields)
    try:
        if reader.fieldnames != fields:
            raise InputError(file, f"columns: must be {','.join(fields)}")
        for row in reader:
            if None in row or None in row.values():
                raise InputError(file, f"line {reader.line_num}: must have {len(fields)} cells")
            yield validate({field: cell for field, cell in row.items() if cell}, model, file, f"row '{row['name']}'")
    except csv.Error as error:
        raise InputError(file, f"line {reader.line_num}: {error}") from None


def table_text(model: type[Record], records: Iterable[Record], *, head: bool = True) -> str:
    """Return rows as the text of a table; equal rows give equal bytes, and every number can be read back exactly."""
    stream = StringIO()
    writer = csv.DictWriter(stream, list(model.model_fields), lineterminator="\n")
    if head:
        writer.writeheader()
    for record in records:
        cells = record.model_dump(mode="json")
        writer.writerow({field: "" if value is None else value for field, value in cells.items()})
    return stream.getvalue()
