"""Lists of plugins: what each brings, where it comes from, and which cannot be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from finbench.benchmarks.plugins.installed import load_all_installed
from finbench.benchmarks.plugins.plugin import Kind, brought
from finbench.benchmarks.terminal.console import output, table


@contextmanager
def plugins_listed(*kinds: Kind) -> Iterator[None]:
    """Load what installed plugins bring before a list is printed; print below it where that comes from."""
    broken = {kind: load_all_installed(kind) for kind in kinds}
    yield
    rows = [(kind, name, plugin.origin) for kind, name, plugin in brought() if kind in kinds]
    rows += [(kind, name, reason) for kind, names in broken.items() for name, reason in names.items()]
    if rows:
        output().print(table("plugins", ("kind", "name", "from"), sorted(rows), text_columns=3))


def print_plugins() -> None:
    """Print all plugins, named and installed; where there are none, say how to name one."""
    kinds: tuple[Kind, ...] = ("method", "family", "solver")
    with plugins_listed(*kinds):
        pass
    if not brought():
        print("no plugins: `finbench --plugin FILE …` loads one;\ninstalled ones are found by their entry points")
