"""`mcp` for many applications: each takes its multi-constrained path on what those before it have left.

The path is that of `finbench.fin_graph.mcp`: to an exit f that is accurate enough, of the least

    latency / δ + α / α_f

For one exit it is the quickest path. It may miss δ, and is then no answer. Energy plays no part; of the alternatives of
an application (eq. 29) the one whose path takes least power is served. A path that does not fit into what is left
(eqs. 11, 12, 13, 21) is searched for again without what is too much, block by block or link by link. Who finds no place
is rejected, as `first_come` says.
"""

from __future__ import annotations

from functools import partial
from math import inf

from finbench.fin_graph.joint.fin.residual import LayeredPath, without_excess
from finbench.fin_graph.joint.first_come import first_come
from finbench.fin_graph.joint.system import Group, Usage
from finbench.fin_graph.paths.arrays import Floats, accurate_exits
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.instance import Instance
from finbench.models.result import Result
from finbench.models.tolerances import FLOAT_NOISE, relaxed

Ending = tuple[float, Group]
"""The share α/α_f of an exit f, and a group whose paths end there."""


def solve_many(instance: Instance, *, time_limit_s: float | None = None) -> Result:
    """Serve applications in the instance's order, each along its multi-constrained path.

    Parameters
    ----------
    instance : Instance
    time_limit_s : float, optional
        Looked at between two applications [s].

    Returns
    -------
    Result
        `feasible`, `no-solution` where an application without a penalty does not fit, or `time-limit`.
    """
    serve = partial(_served_by, instance, dict[str, list[list[Ending]]]())
    return first_come(instance, serve, "multi-constrained path", time_limit_s)


def _served_by(instance: Instance, known: dict[str, list[list[Ending]]], group: Group, room: Floats) -> Usage | None:
    """Return the usage of least power among the multi-constrained paths of a group's alternatives; None without any.

    `known` keeps the endings of every group, by its first member.
    """
    first = group.members[0]
    if first not in known:
        known[first] = [_endings(instance, choice) for choice in group.choices]
    found = [usage for endings in known[first] if (usage := _path_of_least_weight(endings, room)) is not None]
    return min(found, key=lambda usage: usage.power, default=None)


def _endings(instance: Instance, choice: Group) -> list[Ending]:
    """Return every exit of one alternative that is accurate enough, as a group that must reach it."""
    app = choice.application
    exits = instance.dnn_of(app).exits
    endings = []
    for f in accurate_exits(instance.dnn_of(app), app.min_accuracy):
        accuracy = exits[f - 1].accuracy
        there = app.model_copy(update={"min_accuracy": accuracy})
        share = app.min_accuracy / accuracy if app.min_accuracy > 0 else 0.0
        endings.append((share, Group(instance, choice.topology, [there])))
    return endings


def _path_of_least_weight(endings: list[Ending], room: Floats) -> Usage | None:
    """Return the usage of the path of least weight that fits; None where there is none, or it misses the target."""
    paths = []
    for number, (share, group) in enumerate(endings):
        found = _quickest_that_fits(group, room)
        if found is not None:
            latency, usage = found
            target = group.application.max_latency_s
            weight = share + _part(latency, target)
            paths.append((weight, number, latency, usage))
    if not paths:
        return None
    _, number, latency, usage = min(paths)
    return usage if latency <= relaxed(endings[number][1].application.max_latency_s) else None


def _part(latency: float, target: float) -> float:
    """Return latency / δ; of a δ of 0, no latency is nothing and any other infinitely much."""
    if latency == 0:
        return 0.0
    return latency / target if target > 0 else inf


def _quickest_that_fits(group: Group, room: Floats) -> tuple[float, Usage] | None:
    """Return latency and usage of a quick path that fits; None where none is left."""
    problem = group.problem(None, room)
    while problem is not None:
        path = least_latency_path(problem)
        if path is None:
            return None
        usage = group.usage(path.layers, path.nodes)
        exceeded = usage.resources[usage.fractions > room[usage.resources] + FLOAT_NOISE]
        if not len(exceeded):
            return path.latency, usage
        found = LayeredPath(path.latency, path.layers, path.nodes)
        problem = without_excess(group, problem, found, int(exceeded[0]))
    return None
