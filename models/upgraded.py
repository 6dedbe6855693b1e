"""What a file of an older version of the format says, written in the newest.

What version 2 added may be left out, so that the number is all that changes. Of a TOML file only its line is rewritten,
and comments stay; a JSON file, which has none, is written anew with the same values.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from finbench.models.fields import SCHEMA_VERSION
from finbench.models.io import Document, InputError, read_document

_LINE = f"schema_version = {SCHEMA_VERSION}"
_VERSION = re.compile(r"^([ \t]*schema_version[ \t]*=[ \t]*)[0-9]+", re.MULTILINE)
_FIRST_LINE = re.compile(r"^(?![ \t]*(#|\r?$))", re.MULTILINE)
"""Begin of the first line that is neither empty nor a comment alone."""


def upgraded(path: Path) -> tuple[bytes, Document]:
    """Return what a file holds when it is brought to the newest version of the format, and its table before.

    Raises
    ------
    InputError
        If it cannot be read, or says its version where it cannot be rewritten without a loss.
    """
    before = read_document(path)
    content = path.read_bytes()
    if before.get("schema_version") == SCHEMA_VERSION:
        return content, before
    if path.suffix == ".toml":
        return _toml(content.decode("utf-8"), before, path).encode("utf-8"), before
    return _json(_newest(before), path, escaped=b"\\u" in content).encode("utf-8"), before


def _newest(document: Document) -> Document:
    return {"schema_version": SCHEMA_VERSION, **document, **{"schema_version": SCHEMA_VERSION}}


def _json(document: Document, path: Path, *, escaped: bool) -> str:
    """Return JSON text; where a file escapes characters, so does this, because some have no other way to be written."""
    try:
        return json.dumps(document, indent=1, ensure_ascii=escaped) + "\n"
    except RecursionError:
        raise InputError(path, "is nested too deeply") from None


def _toml(text: str, document: Document, path: Path) -> str:
    if "schema_version" in document:
        changed = _VERSION.sub(rf"\g<1>{SCHEMA_VERSION}", text, count=1)
    else:
        changed = _FIRST_LINE.sub(f"{_LINE}\n", text.removeprefix("\ufeff"), count=1)
    if not _says(changed, _newest(document)):
        raise InputError(path, f"schema_version: cannot be rewritten here without a loss; write `{_LINE}` by hand")
    return changed


def _says(text: str, document: Document) -> bool:
    try:
        return tomllib.loads(text.removeprefix("\ufeff")) == document
    except tomllib.TOMLDecodeError:
        return False
