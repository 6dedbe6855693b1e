"""Files that are written whole or not at all, and what instances and deployments look like in them."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from pathlib import Path

from finbench.models.deployment import Deployment, DeploymentOrigin
from finbench.models.fields import SCHEMA_VERSION
from finbench.models.input_errors import InputError
from finbench.models.instance import Instance

_SPECIAL_FOLDERS = ("/dev", "/proc")
"""What lies there stands for something else, and is never replaced by a file."""


def dump_instance(instance: Instance) -> str:
    """Return the instance as JSON text; the same instance gives the same bytes."""
    data = instance.model_dump(mode="json")
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def dump_deployment(deployment: Deployment, made_for: DeploymentOrigin | None = None) -> str:
    """Return the deployment as JSON text, with its origin where one is given."""
    decisions = deployment.model_dump(mode="json")
    origin = {} if made_for is None else {"made_for": made_for.model_dump(mode="json")}
    return json.dumps({"schema_version": SCHEMA_VERSION, **origin, **decisions}, indent=1, ensure_ascii=False) + "\n"


STANDARD_OUTPUT = "-"
"""The path that stands for standard output."""


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all: beside, flushed, then renamed.

    What a symbolic link leads to is written, and an existing file keeps its permissions. Standard output (`-`), pipes
    and devices are written to as they are.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written.
    """
    if str(path) == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    path = Path(path)
    try:
        if _is_written_in_place(path):
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise InputError(path, f"cannot be written: {error.strerror}") from None


def _is_written_in_place(path: Path) -> bool:
    """Return whether a path names something other than a file that may be replaced."""
    special = any(Path(os.path.abspath(path)).is_relative_to(folder) for folder in _SPECIAL_FOLDERS)
    return path.exists() and (special or not path.is_file())


def _replace(path: Path, content: bytes) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, mode)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
