"""Files of TOML or JSON, parsed to tables: whole, regular, small enough, of a version that is known."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from finbench.models.fields import SCHEMA_VERSION
from finbench.models.input_errors import InputError, shortened, shown

MAX_TOML_BYTES = 8 * 2**20
"""Hand-written files are small; a larger one is a mistake (generated files are JSON)."""

MAX_JSON_BYTES = 2**30
"""Largest generated file that is read."""

_DEEP_TOML_KEY = re.compile(rb"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){32}")
"""Begins at a word's first character only and never goes back, or a long word would take time by its square."""

Document = dict[str, Any]


def read_document(path: Path) -> Document:
    """Parse a TOML or JSON file (by suffix) to a table.

    Raises
    ------
    InputError
        If it cannot be read, is too large or too deeply nested, repeats a key, is not a table, or is of no version
        of the format that this package knows.
    """
    if path.suffix not in (".toml", ".json"):
        raise InputError(path, "file name must end in .toml or .json")
    text = content_of(path, MAX_TOML_BYTES if path.suffix == ".toml" else MAX_JSON_BYTES)
    try:
        document = _parse_toml(text) if path.suffix == ".toml" else json.loads(text, object_pairs_hook=_no_repeats)
    except RecursionError:
        raise InputError(path, "is nested too deeply") from None
    except ValueError as error:
        raise InputError(path, f"is not valid {path.suffix[1:].upper()}: {shortened(str(error))}") from None
    if not isinstance(document, dict):
        raise InputError(path, f"must hold a table, holds {shown(document)}")
    _check_version(path, document.get("schema_version", SCHEMA_VERSION))
    return document


def _check_version(path: Path, version: object) -> None:
    told = f"schema_version = {shown(version)}"
    if type(version) is not int or version < 1:
        raise InputError(path, f"{told}: must be a version of the format: 1 to {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise InputError(path, f"{told}: written for a newer finbench; this one reads up to {SCHEMA_VERSION}")


def content_of(path: Path, most_bytes: int) -> bytes:
    """Return what a regular file holds: a pipe or a device might never end."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise InputError(path, "cannot be read: is not a regular file")
        if facts.st_size > most_bytes:
            raise InputError(path, f"file has {facts.st_size} bytes: must have at most {most_bytes}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None


def _parse_toml(text: bytes) -> Document:
    if _DEEP_TOML_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text.decode("utf-8-sig"))


def _no_repeats(pairs: list[tuple[str, object]]) -> Document:
    table = dict(pairs)
    if len(table) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"key {shown(name)} stands twice in a table")
    return table
