"""Which code answers when a method runs: a hash that changes when its sources, or the libraries that decide, change."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from finbench.benchmarks.methods import METHODS, Method
from finbench.benchmarks.plugins.plugin import owner
from finbench.models.milp.solvers.registry import SOLVERS
from finbench.models.versions import package_version

FOLLOWED = ("finbench.models", "finbench.fin_graph")
"""Packages whose modules are followed from import to import."""

INCIDENTAL = frozenset({"pydantic", "pydantic_core", "psutil", "typing_extensions"})
"""Libraries that check or measure, and cannot change an answer."""


def code_version(method: Method, options: Mapping[str, Any]) -> str:
    """Return a hash over everything that decides how a method answers, and how its answer is judged.

    These are the source files of `models` and `fin_graph` that its module, the module of its `solver`, the method of
    its `warm_start` and the evaluator reach by imports, wherever in a file these stand, and the versions of the
    third-party libraries that they import. A plugin may call whatever there is: its own code counts, and that of every
    method.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    roots = [] if method.plugin else [method.path]
    roots.append("finbench.models.evaluate")
    if options.get("warm_start") in METHODS:
        roots.append(METHODS[options["warm_start"]].path)
    solver = options.get("solver")
    brought = [method.plugin]
    if solver in SOLVERS:
        brought.append(owner("solver", solver))
        if brought[-1] is None:
            roots.append(f"finbench.models.milp.solvers.{solver}")
    plugins = tuple(plugin.fingerprint for plugin in brought if plugin is not None)
    if plugins:
        roots += [own.path for own in METHODS.values() if own.plugin is None]
    return version_of(tuple(roots), solver if solver in SOLVERS else None, plugins)


@cache
def version_of(roots: tuple[str, ...], solver: str | None, plugins: tuple[str, ...] = ()) -> str:
    """Return the hash over all that modules `roots` reach, the version of a solver, and plugins; remembered."""
    files, libraries = reached(roots)
    digest = hashlib.sha256()
    for name, file in sorted(files.items()):
        digest.update(f"{name}\0".encode() + file.read_bytes() + b"\0")
    for library in sorted(libraries - INCIDENTAL):
        digest.update(f"{library} {package_version(library)}\0".encode())
    for plugin in plugins:
        digest.update(f"{plugin}\0".encode())
    if solver is not None:
        digest.update(f"{solver} {SOLVERS[solver].version()}".encode())
    return digest.hexdigest()[:16]


def reached(roots: Iterable[str]) -> tuple[dict[str, Path], set[str]]:
    """Return the modules that `roots` reach by imports, and the third-party packages that these import.

    Parameters
    ----------
    roots : iterable of str
        Names of modules.

    Returns
    -------
    dict of str to Path
        Origin file by module name.
    set of str
        Names of packages.
    """
    files: dict[str, Path] = {}
    libraries: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        file = None if name in files else source_file(name)
        if file is None:
            continue
        files[name] = file
        for imported in imports_of(name, file):
            top = imported.partition(".")[0]
            if imported.startswith(FOLLOWED):
                waiting += [imported, imported.rpartition(".")[0]]
            elif top not in (*sys.stdlib_module_names, "finbench"):
                libraries.add(top)
    return files, libraries


@cache
def source_file(module: str) -> Path | None:
    """Return the source file of a module; None where the name is that of something inside a module. Remembered."""
    try:
        spec = find_spec(module) if module else None
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


@cache
def imports_of(module: str, file: Path) -> tuple[str, ...]:
    """Return the full names of everything that a module imports; remembered."""
    return tuple(_imported(ast.parse(file.read_bytes()), module.rpartition(".")[0]))


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the full names of everything that is imported, wherever the import stands.

    Python files that a module names stand beside it and run in processes of their own: they count as imported.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".py"):
            yield f"{package}.{node.value.removesuffix('.py')}"
