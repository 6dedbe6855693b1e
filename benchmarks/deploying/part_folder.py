"""A folder of parts, written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from finbench.benchmarks.deploying.manifest import MANIFEST, dump_manifest
from finbench.benchmarks.deploying.splitting import SplitModels
from finbench.models.io import InputError


def check_new_folder(folder: Path) -> Path:
    """Return a folder that does not exist or is empty, beside which files can be written; raise InputError else."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(folder, "is there already: must be a new folder or an empty one")
        if not folder.absolute().parent.is_dir():
            raise InputError(folder, f"cannot be written: '{folder.absolute().parent}' is no folder")
        with tempfile.TemporaryFile(dir=folder.absolute().parent):
            pass
    except OSError as error:
        raise InputError(folder, f"cannot be written: {error.strerror}") from None
    return folder


def write_parts(found: SplitModels, folder: Path) -> None:
    """Write parts and manifest to a new folder: beside it, then renamed.

    Raises
    ------
    InputError
        If there is something in the folder, or it cannot be written.
    """
    check_new_folder(folder)
    beside = None
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.absolute().parent))
        beside.chmod(0o777 & ~_umask())
        for name, content in found.contents.items():
            (beside / name).write_bytes(content)
        (beside / MANIFEST).write_text(dump_manifest(found.manifest), encoding="utf-8")
        os.replace(beside, folder)
    except OSError as error:
        raise InputError(folder, f"cannot be written: {error.strerror}") from None
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now
