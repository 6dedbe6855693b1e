"""Targets that no deployment of an application can meet, even if it had the system for itself."""

from __future__ import annotations

from collections.abc import Iterator

from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path
from finbench.fin_graph.paths.topology import Topology
from finbench.models.instance import Application, Instance
from finbench.models.tolerances import relaxed


def unreachable_targets(instance: Instance) -> Iterator[tuple[Application, str]]:
    """Yield every application that cannot be served alone, with the field, its value, and what is possible.

    The least latency of any deployment is that of a shortest path (eq. 2) to the earliest exit that is accurate enough.
    """
    topology = Topology.of(instance)
    known: dict[tuple[object, ...], list[tuple[float, str]]] = {}
    for app in instance.applications:
        key = (app.alternatives, app.source, app.min_accuracy, *app.pins.items(), *map(str, app.allowed.items()))
        if key not in known:
            problems = (path_problem(instance, choice, topology=topology) for choice in app.choices)
            known[key] = [_quickest(problem, instance) for problem in problems if problem is not None]
        if not known[key]:
            continue  # no exit is accurate enough, which needs no path to tell
        latency, told = min(known[key])
        if latency > relaxed(app.max_latency_s):
            yield app, f"application '{app.name}': max_latency_s = {app.max_latency_s:g}: {told}"


def _quickest(problem: PathProblem, instance: Instance) -> tuple[float, str]:
    """Return the least latency of a problem [s]; in words, what it costs, and the least cost of any deployment."""
    quickest, cheapest = least_latency_path(problem), least_energy_path(problem)
    if quickest is None or cheapest is None:
        return float("inf"), "no route leads from the source to nodes where its blocks may run"
    unit, least = instance.inference_unit, f"in {cheapest.latency:.6g} s"
    told = f"no deployment is quicker than {quickest.latency:.6g} s, which takes {quickest.energy:.6g} {unit}"
    return (
        quickest.latency,
        f"{told}; the least {instance.objective.value} of any is {cheapest.energy:.6g} {unit}, {least}",
    )
