"""Every joint deployment of a small shared system, by enumeration that knows nothing of prices, cuts or branches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, product

import numpy as np

from finbench.fin_graph.joint.branching.branch import Branch
from finbench.fin_graph.joint.branching.spots import Spots, SpotWay
from finbench.fin_graph.joint.system import Group
from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.shortest import path_costs

Joint = list[tuple[SpotWay, ...]]
"""For every group the ways of its members that are served."""


def paths(problem: PathProblem) -> Iterator[tuple[list[int], list[int]]]:
    """Yield layers and vertices of every path that visits no vertex twice in a layer and meets the latency target."""
    links, ends = problem.edges.link_source, problem.edges.link_target
    stack = [([0], [problem.source])]
    while stack:
        layers, vertices = stack.pop()
        j, n = layers[-1], vertices[-1]
        if j == problem.depth:
            energy, latency = path_costs(problem, layers, vertices)
            if np.isfinite(energy) and meets(latency, problem.max_latency_s):
                yield layers, vertices
            continue
        if problem.edges.pins[j] in (-1, n) and np.isfinite(problem.edges.run_energy[j, n]):
            stack.append(([*layers, j + 1], [*vertices, n]))
        here = {v for layer, v in zip(layers, vertices, strict=True) if layer == j}
        stack += [([*layers, j], [*vertices, int(ends[a])]) for a in np.flatnonzero(links == n) if ends[a] not in here]


def ways_of(spots: Spots, g: int, group: Group) -> list[SpotWay]:
    """Return every way to serve a member of a group."""
    found: dict[bytes, SpotWay] = {}
    for choice in group.choices:
        problem = choice.problem()
        for layers, vertices in paths(problem) if problem is not None else ():
            way = spots.way(g, choice.usage(layers, vertices))
            found[way.spots.tobytes()] = way
    return list(found.values())


def joint_deployments(spots: Spots, room: np.ndarray, most: int = 200_000) -> list[tuple[float, Joint]] | None:
    """Return the objective and the ways of every joint deployment that fits; None where there would be too many."""
    choices = []
    for g, group in enumerate(spots.system.groups):
        ways = ways_of(spots, g, group)
        counts = range(group.count + 1) if group.penalty is not None else [group.count]
        choices.append([one for count in counts for one in combinations_with_replacement(ways, count)])
    if np.prod([len(choice) for choice in choices], dtype=float) > most:
        return None
    found = []
    for joint in product(*choices):
        left, cost = room.copy(), 0.0
        for group, served in zip(spots.system.groups, joint, strict=True):
            for way in served:
                way.usage.take(left)
            cost += sum(way.usage.power for way in served) + (group.count - len(served)) * (group.penalty or 0.0)
        if left.min() >= 0:
            found.append((cost, list(joint)))
    return found


def allowed(branch: Branch, joint: Joint) -> bool:
    """Return whether a branch allows a joint deployment, under some division of each group's members into parties."""
    for limit in branch.limits:
        spots = [limit.form.of(way.spots).sum() for ways in joint for way in ways]
        if not limit.least - 1e-9 <= sum(spots) <= limit.most + 1e-9:
            return False
    return all(_divisible(branch, g, list(ways)) for g, ways in enumerate(joint))


def _divisible(branch: Branch, g: int, ways: Sequence[SpotWay]) -> bool:
    """Return whether members on these ways, and those rejected, can be divided into the parties of a group."""
    parties = [party for party in branch.parties if party.group == g]
    missing = sum(party.count for party in parties) - len(ways)

    def put(k: int, taken: tuple[int, ...]) -> bool:
        if k == len(ways):
            spare = [party.count - took for party, took in zip(parties, taken, strict=True)]
            ranges = zip(parties, spare, strict=True)
            return sum(spare) == missing and all(
                party.least_rejected <= left <= party.most_rejected for party, left in ranges
            )
        return any(
            took < party.count
            and party.closed.isdisjoint(ways[k].spots.tolist())
            and put(k + 1, (*taken[:p], took + 1, *taken[p + 1 :]))
            for p, (party, took) in enumerate(zip(parties, taken, strict=True))
        )

    return put(0, (0,) * len(parties))
