"""What is found in the sources: rows named after equations, and the public names."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import getdoc, isclass, isfunction, ismodule
from pathlib import Path
from typing import Any

import finbench
from finbench_docs.table import code, table

ROOT = Path(finbench.__file__).resolve().parents[1]
PAGES = ("instance", "deployment", "evaluate", "loads", "result", "io", "options", "tolerances")
"""Modules of `finbench.models` that have a page of their own in `docs/reference/python`."""

ROW = re.compile(r"\beq(\d+)_([a-z_]+)")


def rows_of_programs() -> dict[tuple[int, str], list[str]]:
    """Return every name of rows or of an objective that begins with an equation's number, and the files that say it."""
    found: dict[tuple[int, str], list[str]] = {}
    for file in sorted((ROOT / "models").rglob("*.py")):
        for number, _ in sorted(set(ROW.findall(file.read_text(encoding="utf-8")))):
            names = {match[0] for match in ROW.finditer(file.read_text(encoding="utf-8")) if match[1] == number}
            for name in sorted(names):
                found.setdefault((int(number), name), []).append(str(file.relative_to(ROOT)))
    return dict(sorted(found.items()))


def constraints() -> str:
    """Return the table of rows in the exact programs and the equation that each stands for."""
    return table(
        ("equation", "name in the program", "written in"),
        (
            (f"{{eq}}`eq-{number}`", code(name), ", ".join(code(file) for file in files))
            for (number, name), files in rows_of_programs().items()
        ),
    )


def api() -> str:
    """Return the public names of `finbench`: a table, and below it whatever no page of a module describes."""
    named = {name: getattr(finbench, name) for name in finbench.__all__}
    rows = [(_link(name, value), _first_sentence(value)) for name, value in named.items()]
    own = [name for name, value in named.items() if _is_described(value) and page_of(value) is None]
    described = "\n".join(_directive(name, named[name]) for name in own)
    return f"{table(('name', 'what it is'), rows)}\n```{{eval-rst}}\n{described}\n```\n"


def _directive(name: str, value: Any) -> str:
    """Return the directive that documents a public name; a module under its own name."""
    if ismodule(value):
        return f".. automodule:: {value.__name__}\n"
    return f".. auto{'class' if isclass(value) else 'function'}:: finbench.{name}\n"


def page_of(value: Any) -> str | None:
    """Return the module of `PAGES` that describes a class or function; None where none does."""
    for name in () if ismodule(value) else PAGES:
        module = import_module(f"finbench.models.{name}")
        public = getattr(module, "__all__", None)
        is_its = value.__module__ == module.__name__ if public is None else value.__name__ in public
        if is_its and getattr(module, value.__name__, None) is value:
            return module.__name__
    return None


def _is_described(value: object) -> bool:
    return isclass(value) or isfunction(value) or ismodule(value)


def _link(name: str, value: Any) -> str:
    if not _is_described(value):
        return f"`{name}`"
    if ismodule(value):
        return f"{{py:mod}}`{name} <{value.__name__}>`"
    role = "class" if isclass(value) else "func"
    module = page_of(value)
    return f"{{py:{role}}}`{name} <{f'finbench.{name}' if module is None else f'{module}.{value.__name__}'}>`"


def _first_sentence(value: object) -> str:
    if isinstance(value, str):
        return "The version of this installation."
    return " ".join((getdoc(value) or "").split("\n\n")[0].split())
