"""The one decorator for compiled code, and where its machine code is kept between processes.

Machine code belongs to all sources that it was made from: callees and constants as well as the function itself. So it
is kept in a folder whose name is a hash of those sources; an edit leads to another folder, and taking it back leads to
the first one again. The folder lies in `FINBENCH_CACHE_DIR`, else in the user's cache folder, else in the temporary
folder; where none can be written, every process compiles anew. A file there that is not what was written is compiled
again. Processes that compile at once write files of different names, so that none takes another's code for its own.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import shutil
import tempfile
import uuid
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

ROOMS = ("fin_graph", "benchmarks/simulation")
"""Where modules with compiled functions lie."""

_IMPORT = re.compile(r"^from (finbench[\w.]*) import (\([^)]*\)|.*)$|^import (finbench[\w.]+)", re.MULTILINE)
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
                parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                _forget_oldest(parent)
            if folder.stat().st_uid != os.getuid():
                continue  # machine code that somebody else put there is not run
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
    rooms = [file for room in ROOMS for file in (root / room).rglob("*.py")]
    waiting = [file for file in rooms if _COMPILED.search(file.read_text("utf-8"))]
    found: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for module, names, whole in _IMPORT.findall(file.read_text("utf-8")):
            place = root.joinpath(*(module or whole).split(".")[1:])
            inside = [place / f"{name}.py" for name in re.findall(r"\w+", names)]
            waiting += [one for one in (place.with_suffix(".py"), place / "__init__.py", *inside) if one.exists()]
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


class _Files(caching.IndexDataCacheFile):  # type: ignore[misc]
    """The files of one function: an index and the machine code of each signature, with a checksum before it."""

    def _data_name(self, number: int) -> str:
        """Return a name that no other process chooses: two that save at once then differ in the index alone."""
        return f"{self._index_name.removesuffix('.nbi')}.{number}-{uuid.uuid4().hex[:12]}.nbc"

    def _save_data(self, name: str, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name: str) -> Any:
        checksum_and_content = Path(self._data_path(name)).read_bytes()
        checksum, content = checksum_and_content[:32], checksum_and_content[32:]
        if hashlib.sha256(content).digest() != checksum:
            raise ValueError(f"{name}: not what was written")
        return pickle.loads(content)


class _Kept(caching.Cache):  # type: ignore[misc]
    """Numba's cache of one function; what cannot be read is compiled again, what cannot be written is left out."""

    _impl_class = _Implementation

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp())

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
