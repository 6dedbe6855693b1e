"""Applications that no placement serves in time, given the waits."""

from __future__ import annotations

from math import inf

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.fin_graph.paths.topology import Topology
from finbench.models.instance import Application, Instance
from finbench.models.tolerances import FLOAT_NOISE


def hopeless(instance: Instance) -> dict[str, float]:
    """Return the applications whose least possible latency is above their target, with that latency [s].

    Capacities are left aside: with them it could only be more. An application without any placement at all is not
    among them.
    """
    topology = Topology.of(instance)
    least = {app.name: _least_latency(instance, app, topology) for app in instance.applications}
    targets = {app.name: app.max_latency_s for app in instance.applications}
    return {name: latency for name, latency in least.items() if targets[name] < latency < inf}


def _least_latency(instance: Instance, app: Application, topology: Topology) -> float:
    found = inf
    for choice in app.choices:
        problem = path_problem(instance, choice, topology=topology)
        path = None if problem is None else least_latency_path(problem)
        found = found if path is None else min(found, path.latency)
    return found


def as_fast_as_possible(instance: Instance, least_s: dict[str, float]) -> Instance:
    """Return the instance in which these applications are asked for their least possible latency, and no less."""
    apps = tuple(
        app.model_copy(update={"max_latency_s": least_s[app.name] * (1 + FLOAT_NOISE)}) if app.name in least_s else app
        for app in instance.applications
    )
    return instance.model_copy(update={"applications": apps})
