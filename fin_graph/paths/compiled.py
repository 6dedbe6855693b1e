"""The one decorator for compiled code, and where its machine code is kept between processes.

Machine code belongs to all sources that it was made from: callees and constants as well as the function itself. So it
is kept in a folder whose name is a hash of those sources; an edit leads to another folder, and taking it back leads to
the first one again. The folder lies in `FINBENCH_CACHE_DIR`, else in the user's cache folder, else in the temporary
folder; where none can be written, every process compiles anew. A file there that cannot be read is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching

import finbench

Function = TypeVar("Function", bound=Callable[..., object])

VARIABLE = "FINBENCH_CACHE_DIR"
"""Environment variable that says where machine code is kept."""

KEPT_VERSIONS = 8
"""Of how many versions of the sources machine code is kept."""

_IMPORT = re.compile(r"^from (finbench\.[\w.]+) import", re.MULTILINE)
_COMPILED = re.compile(r"^from finbench\.fin_graph\.paths\.compiled import compiled", re.MULTILINE)


def compiled(function: Function) -> Function:
    """Compile with Numba at first call (kept on disk; IEEE division instead of ZeroDivisionError)."""
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    if cache_folder() is not None:
        dispatcher._cache = _Kept(function)
    return cast(Function, dispatcher)


@cache
def cache_folder() -> Path | None:
    """Return the folder of this code's machine code, or None where no folder can be written."""
    for parent in _candidates():
        folder = parent / source_hash()
        with suppress(OSError):
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                _forget_oldest(parent)
            tempfile.TemporaryFile(dir=folder).close()
            return folder
    return None


def _candidates() -> Iterator[Path]:
    if given := os.environ.get(VARIABLE):
        yield Path(given)
        return
    with suppress(RuntimeError):  # there is no home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "finbench"
    yield Path(tempfile.gettempdir()) / f"finbench-{os.getuid()}"


@cache
def source_hash() -> str:
    """Return a hash over every source that compiled code is made from, and Numba's version.

    These are the modules with compiled functions and all modules of the package that they import at their top: only
    what is imported there can be one of their globals.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for file in sorted(compiled_sources()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def compiled_sources() -> set[Path]:
    """Return the files whose change changes compiled code."""
    root = Path(finbench.__file__).parent
    waiting = [file for file in (root / "fin_graph").rglob("*.py") if _COMPILED.search(file.read_text("utf-8"))]
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for module in _IMPORT.findall(file.read_text("utf-8")):
            imported = root.joinpath(*module.split(".")[1:]).with_suffix(".py")
            waiting += [imported] if imported.exists() else []
    return found


def _forget_oldest(parent: Path) -> None:
    """Remove machine code of all but the `KEPT_VERSIONS` versions of the sources that came last."""
    versions = [folder for folder in parent.iterdir() if re.fullmatch(r"[0-9a-f]{16}", folder.name)]
    for folder in sorted(versions, key=lambda folder: -folder.stat().st_mtime)[KEPT_VERSIONS:]:
        shutil.rmtree(folder, ignore_errors=True)


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    """Says that every function is kept in `cache_folder`, whatever its file's time stamp."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return source_hash()

    def get_disambiguator(self) -> str:
        return f"{self._function.__module__.rpartition('.')[2]}-{self._function.__code__.co_firstlineno}"

    @classmethod
    def from_function(cls, function: Callable[..., object], file: str) -> _Locator:  # noqa: ARG003
        return cls(function)


class _Implementation(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Locator]  # noqa: RUF012  (as Numba declares it)


class _Kept(caching.Cache):  # type: ignore[misc]
    """Numba's cache of one function; what cannot be read is compiled again, what cannot be written is left out."""

    _impl_class = _Implementation

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  (whatever a damaged file makes of unpickling and linking)
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)
