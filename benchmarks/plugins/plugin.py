"""A plugin: code that registers methods, families or solvers, and how it is loaded, here and in other processes.

A plugin is a file that is named (`--plugin FILE`, the key `plugins` of a campaign) or a module of an installed
distribution (`benchmarks.plugins.installed`). A file's text travels with the runs of a campaign: a worker runs the text
that was planned, whatever has become of the file, and a Dask worker needs no copy of it.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.abc import ExecutionLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any, Literal

from finbench.models.io import InputError

Kind = Literal["method", "family", "solver"]

MAX_BYTES = 2**20
"""Largest plugin file that is read."""

FILE_MODULE = "finbench_plugin_"
"""How the names of modules begin that plugin files become."""


@dataclass(frozen=True)
class Plugin:
    """Code that registers methods, families or solvers."""

    module: str
    """Name of its module."""
    path: str | None = None
    """Its file, where it was named by one."""
    text: str | None = None
    """What the file held when it was read."""
    distribution: str | None = None
    """Name and version of the distribution that brings it, where an entry point led to it."""

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return self.path or self.distribution or self.module

    @property
    def portable(self) -> bool:
        """Whether another process can load it: what is typed in a notebook or a running script stays there."""
        return self.module != "__main__"

    @property
    def fingerprint(self) -> str:
        """A hash of its code: of the file's text, or of the package's sources and the distribution's version."""
        if self.text is not None:
            return hashlib.sha256(self.text.encode()).hexdigest()
        return f"{self.distribution} {_package_hash(self.module)}"

    def same_place(self, other: Plugin) -> bool:
        """Return whether another plugin is this one, perhaps an older edition of it."""
        return (self.path, None) == (other.path, None) if self.path else self.module == other.module

    def __reduce__(self) -> tuple[Callable[..., Plugin], tuple[str | None, ...]]:
        if not self.portable:
            raise InputError(self.origin, NOT_PORTABLE)
        return _arrived, (self.module, self.path, self.text, self.distribution)


NOT_PORTABLE = "is known to this script or notebook alone: put it into a file, and name that as a plugin"


def _arrived(*parts: str) -> Plugin:
    """Return a plugin that comes from another process, loaded."""
    plugin = Plugin(*parts)
    load(plugin)
    return plugin


@dataclass(frozen=True)
class _Owned:
    plugin: Plugin
    registry: dict[str, Any]
    value: Any


_owned: dict[tuple[Kind, str], _Owned] = {}
"""What plugins have registered."""

_loading: ContextVar[Plugin | None] = ContextVar("loading", default=None)


def owner(kind: Kind, name: str) -> Plugin | None:
    """Return the plugin that registered a name; None for what the suite has itself."""
    found = _owned.get((kind, name))
    return None if found is None else found.plugin


def plugins() -> tuple[Plugin, ...]:
    """Return the plugins that have registered something, in the order in which they did."""
    return tuple(dict.fromkeys(each.plugin for each in _owned.values()))


def brought() -> list[tuple[Kind, str, Plugin]]:
    """Return what plugins have registered: kind, name and plugin."""
    return [(kind, name, owned.plugin) for (kind, name), owned in _owned.items()]


def enter(kind: Kind, registry: dict[str, Any], name: str, value: Any, code: object) -> None:
    """Put something that a plugin brings into a registry.

    Parameters
    ----------
    kind : {'method', 'family', 'solver'}
    registry : dict
    name : str
        A newer edition of the same plugin may take the name again, nobody else may.
    value : object
    code : object
        A function of the plugin; its module is the plugin where none is being loaded.

    Raises
    ------
    InputError
        If the name is taken, or is none that a command line and a file can hold.
    """
    plugin = plugin_of(code)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        rule = "must be letters, digits, '.', '_' and '-', and begin with a letter or digit"
        raise InputError(plugin.origin, f"{kind} '{name}': name = {name!r}: {rule}")
    before = owner(kind, name)
    if name in registry and (before is None or not before.same_place(plugin)):
        whose = "finbench itself" if before is None else before.origin
        raise InputError(plugin.origin, f"{kind} '{name}': the name is taken by {whose}")
    registry[name] = value
    _owned[kind, name] = _Owned(plugin, registry, value)


def plugin_of(code: object) -> Plugin:
    """Return the plugin that is being loaded; where none is, the module that `code` was defined in."""
    loading = _loading.get()
    if loading is not None:
        return loading
    module = getattr(code, "__module__", None) or "__main__"
    known = next((plugin for plugin in plugins() if plugin.module == module), None)
    return known or Plugin(module)


def load(plugin: Plugin) -> None:
    """Execute a plugin's code, so that it registers what it has; nothing is done where it has done so.

    Raises
    ------
    InputError
        If its code fails, or registers nothing.
    """
    if any(known == plugin or (plugin.text is None and known.module == plugin.module) for known in plugins()):
        return
    before = dict(_owned)
    try:
        with _being_loaded(plugin), _told_in_one_line(plugin):
            _execute(plugin)
        if plugin not in plugins():
            raise InputError(plugin.origin, "registers no method, family or solver (`@finbench.method` does)")
    except BaseException:
        _restore(before)
        if plugin.text is not None:
            sys.modules.pop(plugin.module, None)
        raise
    for older in plugins():
        if older != plugin and older.same_place(plugin):
            forget(older)


def forget(plugin: Plugin) -> None:
    """Take everything that a plugin has registered out of the registries."""
    for key, owned in list(_owned.items()):
        if owned.plugin == plugin:
            del _owned[key]
            owned.registry.pop(key[1], None)


def _restore(before: dict[tuple[Kind, str], _Owned]) -> None:
    """Make the registries what they were, after a plugin that failed half-way."""
    for key, owned in list(_owned.items()):
        if owned is not before.get(key):
            del _owned[key]
            owned.registry.pop(key[1], None)
    for key, owned in before.items():
        _owned[key] = owned
        owned.registry[key[1]] = owned.value


def load_file(path: str | Path) -> Plugin:
    """Load a plugin from a Python file, and return it.

    Raises
    ------
    InputError
        If the file cannot be read, its code fails, or it registers nothing or a name that is taken.
    """
    file = Path(path)
    if file.suffix != ".py":
        raise InputError(file, "a plugin's file name must end in .py")
    try:
        if not file.is_file():
            raise InputError(file, "is not a file" if file.exists() else "no such file")
        if file.stat().st_size > MAX_BYTES:
            raise InputError(file, f"file has {file.stat().st_size} bytes: must have at most {MAX_BYTES}")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(file, "is not UTF-8 text") from None
    stem = re.sub(r"\W", "_", file.stem)
    plugin = Plugin(f"{FILE_MODULE}{stem}_{hashlib.sha256(text.encode()).hexdigest()[:12]}", str(file.absolute()), text)
    load(plugin)
    return plugin


@contextmanager
def _being_loaded(plugin: Plugin) -> Iterator[None]:
    token = _loading.set(plugin)
    try:
        yield
    finally:
        _loading.reset(token)


@contextmanager
def _told_in_one_line(plugin: Plugin) -> Iterator[None]:
    """Turn whatever a plugin's code raises into one line that names the plugin."""
    try:
        yield
    except InputError as error:
        message = str(error)
        raise InputError(plugin.origin, message.removeprefix(f"{plugin.origin}: ")) from None
    except SyntaxError as error:
        raise InputError(plugin.origin, f"cannot be loaded: line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        where = _line_of(error, plugin)
        raise InputError(plugin.origin, f"cannot be loaded: {where}{type(error).__name__}: {error}") from error


def _line_of(error: BaseException, plugin: Plugin) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == plugin.path]
    return f"line {lines[-1]}: " if lines else ""


def _execute(plugin: Plugin) -> None:
    if plugin.text is None:
        import_module(plugin.module)
        return
    spec = spec_from_loader(plugin.module, _FromText(plugin))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[plugin.module] = module
    spec.loader.exec_module(module)


class _FromText(ExecutionLoader):
    """Gives a module the text of a plugin, also where its file is not there or holds something else by now."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002  (one loader for one module)
        """Return the file that the text was read from."""
        return str(self._plugin.path)

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        """Return the text."""
        return str(self._plugin.text)

    def is_package(self, fullname: str) -> bool:  # noqa: ARG002
        """Return False: a file is a module."""
        return False


@cache
def _package_hash(module: str) -> str:
    """Return a hash over the sources of the top-level package that a module belongs to."""
    digest = hashlib.sha256()
    for file in _files_of(module):
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files_of(module: str) -> list[Path]:
    top = module.partition(".")[0]
    spec = None if top == "__main__" else find_spec(top)
    if spec is not None and spec.submodule_search_locations:
        folders = [Path(folder) for folder in spec.submodule_search_locations]
        return sorted(file for folder in folders for file in folder.rglob("*.py"))
    known = inspect.getfile(sys.modules[module]) if hasattr(sys.modules.get(module), "__file__") else None
    return [Path(known)] if known is not None else []
