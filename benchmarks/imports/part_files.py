"""Parts of an instance as files: TOML for people, JSON for programs, by the ending of the name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from finbench.models.fields import SCHEMA_VERSION
from finbench.models.io import write_text

PART_SUFFIXES = (".toml", ".json")


def part_text(part: BaseModel, suffix: str) -> str:
    """Return a part as the text of a file; what has its default is left out."""
    document: dict[str, Any] = {"schema_version": SCHEMA_VERSION, **part.model_dump(mode="json", exclude_defaults=True)}
    if suffix == ".json":
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    import tomli_w

    return tomli_w.dumps(document, multiline_strings=True)


def write_part(part: BaseModel, path: Path) -> None:
    """Write a part to a file; raise InputError if that cannot be done."""
    write_text(path, part_text(part, path.suffix))
