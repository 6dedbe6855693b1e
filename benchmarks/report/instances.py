"""The instances of a folder of results."""

from __future__ import annotations

import json
from pathlib import Path

from models.instance import Instance
from models.io import InputError, validate

FILE = "instances.jsonl"
"""One line for each distinct instance: `content_hash`, and `instance` as `models.io.dump_instance` writes it."""


def load_instances(folder: Path) -> dict[str, Instance]:
    """Read the instances that the runs of a folder name by content hash.

    Parameters
    ----------
    folder : Path
        A folder of results.

    Returns
    -------
    dict
        By content hash; empty where the folder has no such file.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is cut off or breaks a rule of the instance format.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"cannot be read: {error}") from None
    return dict(_parsed(line, number, path) for number, line in enumerate(lines, start=1))


def _parsed(line: str, number: int, path: Path) -> tuple[str, Instance]:
    at = f"line {number}"
    try:
        document = json.loads(line)
        key, data = document["content_hash"], document["instance"]
    except (ValueError, TypeError, KeyError):
        raise InputError(path, f"{at} is not an object with content_hash and instance") from None
    return str(key), validate(data, Instance, path, at)
