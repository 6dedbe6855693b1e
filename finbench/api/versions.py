"""What is installed, for reports of faults."""

from __future__ import annotations


def show_versions() -> None:
    """Print the versions of finbench, of the libraries that decide about a run and of the solvers, and the machine."""
    from finbench.benchmarks.plugins.plugin import plugins
    from finbench.benchmarks.rows.environment import environment

    known = environment()
    print(f"python      {known['python']} on {known['system']}")
    print(f"cpu         {known['cpu']}, {known['cores']} cores")
    for heading in ("versions", "solvers"):
        for name, version in known[heading].items():
            print(f"{name:<11} {version or 'not installed'}")
    for plugin in plugins():
        print(f"plugin      {plugin.origin}")
