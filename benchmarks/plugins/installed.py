"""Plugins of installed distributions, by their entry points.

A distribution names what it brings in its `pyproject.toml`:

    [project.entry-points."finbench.methods"]
    nearest = "my_package.nearest"          # the name of the method, and the module that registers it

Entry points are looked for only where a name is none of the suite's own, or where everything is listed: to look takes
longer than a small solve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from finbench.benchmarks.plugins.plugin import Kind, Plugin, load, owner
from finbench.models.io import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint

GROUPS: dict[Kind, str] = {"method": "finbench.methods", "family": "finbench.families", "solver": "finbench.solvers"}
"""Groups of entry points."""


def installed_names(kind: Kind) -> list[str]:
    """Return the names that installed distributions bring; nothing is imported for that."""
    return sorted({point.name for point in _points(kind)})


def load_installed(kind: Kind, name: str) -> None:
    """Load the plugin that brings a name; nothing happens where no distribution does.

    Raises
    ------
    InputError
        If several distributions bring the name, or the plugin's code fails or does not register it.
    """
    points = list(dict.fromkeys(point for point in _points(kind) if point.name == name))
    if len({point.value for point in points}) > 1:
        whose = ", ".join(sorted(_distribution(point) or point.value for point in points))
        raise InputError(f"{kind} '{name}'", f"several installed plugins bring it: {whose}")
    for point in points[:1]:
        plugin = Plugin(point.module, distribution=_distribution(point))
        load(plugin)
        if owner(kind, name) is None:
            raise InputError(plugin.origin, f"entry point '{name}': '{point.module}' registers no {kind} of that name")


def load_all_installed(kind: Kind) -> dict[str, str]:
    """Load every plugin that brings something of a kind, for lists.

    Returns
    -------
    dict of str to str
        Names that cannot be loaded, and why.
    """
    broken = {}
    for name in installed_names(kind):
        try:
            load_installed(kind, name)
        except InputError as error:
            broken[name] = str(error)
    return broken


def _points(kind: Kind) -> Iterator[EntryPoint]:
    from importlib import metadata  # with all that reads e-mail, which metadata are written like

    yield from metadata.entry_points(group=GROUPS[kind])


def _distribution(point: EntryPoint) -> str | None:
    return None if point.dist is None else f"{point.dist.name} {point.dist.version}"
