"""`greedy`: first come, first served, as a practitioner would write it.

Applications come in the instance's order. Each is split at most once: blocks 1..k run where its samples arise, the
others on one node, reached over the least-energy route (or, where that is too slow, over the least-latency one) among
links with room; of all k and nodes, the split of least energy which meets the latency target and fits. On nodes that
reserve, all blocks of a part take the same share: the smallest that meets the target. Nothing is ever moved again. An
application that does not fit, or costs more than its penalty, is rejected; without a penalty there is no solution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import numpy as np

from finbench.fin_graph.joint.fin.alone import FRUGALITY
from finbench.fin_graph.joint.first_come import first_come
from finbench.fin_graph.joint.system import Group, Usage
from finbench.fin_graph.paths.arrays import Floats, PathProblem
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path, path_costs
from finbench.models.instance import Instance
from finbench.models.options import Options
from finbench.models.result import Result


def supports(instance: Instance, options: Options = Options()) -> str | None:  # noqa: ARG001
    """Return None: every instance is supported."""
    return None


def solve(
    instance: Instance,
    options: Options = Options(),  # noqa: ARG001
    *,
    time_limit_s: float | None = None,
    seed: int = 0,  # noqa: ARG001
) -> Result:
    """Serve applications in the instance's order.

    Parameters
    ----------
    instance : Instance
    options : Options
        There are none.
    time_limit_s : float, optional
        Looked at between two applications.
    seed : int
        Of no effect: nothing is random.

    Returns
    -------
    Result
        `feasible`, `no-solution` where an application without a penalty does not fit, or `time-limit`.
    """
    return first_come(instance, _best_split, "single split", time_limit_s)


def _best_split(group: Group, room: Floats) -> Usage | None:
    """Return the split of least energy that meets the target and fits."""
    splits = [
        (cost, v, layers, nodes)
        for v, choice in enumerate(group.choices)
        for cost, layers, nodes in _all_splits(choice, room)
    ]
    for _, v, layers, nodes in sorted(splits):
        usage = group.choices[v].usage(layers, nodes)
        if usage.fits(room):
            return usage
    return None


def _all_splits(group: Group, room: Floats) -> Iterator[tuple[float, list[int], list[int]]]:
    """Yield cost, layers and vertices of all splits of one alternative that meet the target."""
    problem = _frugal(group, room)
    if problem is not None:
        for k in range(problem.depth + 1):
            yield from _splits(group, problem, room, k)


def _frugal(group: Group, room: Floats) -> PathProblem | None:
    """Return the path problem on what is left, in which reservations cost just enough to break ties."""
    problem = group.problem(None, room)
    if problem is None or not group.topology.has_levels:
        return problem
    least, prices = problem.edges.run_energy.min(axis=1), np.zeros(len(room))
    nodes = group.topology.network.nodes
    prices[: len(nodes)] = [FRUGALITY * least[least < inf].sum() * node.reserves for node in nodes]
    return group.problem(prices, room)


def _splits(group: Group, problem: PathProblem, room: Floats, k: int) -> Iterator[tuple[float, list[int], list[int]]]:
    """Yield cost, layers and vertices of the splits after block k that meet the target."""
    source, at = problem.source, group.topology.node_of_vertex
    head = problem.edges.run_energy[:k].sum(axis=0) < inf
    starts = np.flatnonzero((at == at[source]) & head & group.fits_together(0, k, room)).tolist() if k else [source]
    ways = list(_ways(group, problem, room, k)) if k < problem.depth else [([], [])]
    for here in starts:
        aside = [here] if here != source else []
        back = [source] if aside and k < problem.depth else []
        for way_layers, way in ways:
            layers = [0] * (1 + len(aside)) + list(range(1, k + 1)) + [k] * len(back) + way_layers
            nodes = [source, *aside, *([here] * k), *back, *way]
            cost, latency = path_costs(problem, layers, nodes)
            if cost < inf and meets(latency, problem.max_latency_s):
                yield cost, layers, nodes


def _ways(group: Group, problem: PathProblem, room: Floats, k: int) -> Iterator[tuple[list[int], list[int]]]:
    """Yield layers and vertices of the cheapest and the quickest way from the source to where later blocks run.

    The blocks after block k are taken as one, which runs where they fit together.
    """
    edges, depth = problem.edges, problem.depth
    together = np.where(group.fits_together(k, depth, room), edges.run_energy[k:].sum(axis=0), inf)
    layer = slice(k, k + 1)
    one = edges._replace(
        pins=np.full(1, -1, np.int32),
        run_energy=together[None],
        run_latency=edges.run_latency[k:].sum(axis=0)[None],
        energy_bits=edges.energy_bits[layer],
        latency_bits=edges.latency_bits[layer],
        delay_weight=edges.delay_weight[layer],
        load_bits=edges.load_bits[layer],
    )
    at_once = replace(problem, edges=one)
    for path in (least_energy_path(at_once), least_latency_path(at_once)):
        if path is not None:
            way = path.nodes[1:-1]
            yield [k] * len(way) + list(range(k + 1, depth + 1)), [*way, *([path.nodes[-1]] * (depth - k))]
