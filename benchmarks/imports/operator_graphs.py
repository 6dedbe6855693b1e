"""Graphs of operators with times, in one order, and the places where one output alone crosses to what runs later."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)


def in_order(before: Mapping[Vertex, Sequence[Vertex]]) -> list[Vertex] | None:
    """Return the vertices in an order in which each comes after those before it; None where there is a cycle.

    The deepest vertex that nothing follows is reached by its longest way first, so that what only feeds a vertex (its
    weights) comes right before it. Branches that lead elsewhere come right after the last vertex they depend on.

    Parameters
    ----------
    before : mapping
        For every vertex those whose outputs it reads.
    """
    depth = _depths(before)
    if depth is None:
        return None
    read = {each for sources in before.values() for each in sources}
    ends = sorted((vertex for vertex in before if vertex not in read), key=lambda vertex: -depth[vertex])
    order: list[Vertex] = []
    for end in ends:
        place = {vertex: k for k, vertex in enumerate(order)}
        new = _up_to(end, before, depth, place)
        after = max((place[s] + 1 for vertex in new for s in before[vertex] if s in place), default=0)
        order[after:after] = new
    return order


def _depths(before: Mapping[Vertex, Sequence[Vertex]]) -> dict[Vertex, int] | None:
    """Return the number of vertices on the longest way to each, None where there is a cycle."""
    after: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in before}
    missing = {vertex: len(sources) for vertex, sources in before.items()}
    for vertex, sources in before.items():
        for source in sources:
            after[source].append(vertex)
    depth = {vertex: 1 for vertex, count in missing.items() if count == 0}
    ready = list(depth)
    while ready:
        vertex = ready.pop()
        for later in after[vertex]:
            missing[later] -= 1
            depth[later] = max(depth.get(later, 0), depth[vertex] + 1)
            if missing[later] == 0:
                ready.append(later)
    return depth if not any(missing.values()) else None


def _up_to(
    end: Vertex, before: Mapping[Vertex, Sequence[Vertex]], depth: Mapping[Vertex, int], placed: Mapping[Vertex, int]
) -> list[Vertex]:
    """Return `end` and all that it depends on and is not placed yet, in order, the longest ways first."""
    order: list[Vertex] = []
    seen = set(placed)
    waiting = [(end, False)]
    while waiting:
        vertex, done = waiting.pop()
        if done:
            order.append(vertex)
        elif vertex not in seen:
            seen.add(vertex)
            waiting.append((vertex, True))
            waiting += [(source, False) for source in sorted(before[vertex], key=lambda each: depth[each])]
    return order


def single_crossings(order: Sequence[Vertex], before: Mapping[Vertex, Sequence[Vertex]]) -> dict[int, Vertex]:
    """Return the vertex whose output alone is read later, by the number of vertices before the place."""
    last_read = {source: k for k, vertex in enumerate(order) for source in before[vertex]}
    alive: set[Vertex] = set()
    found = {}
    for k, vertex in enumerate(order):
        alive -= {source for source in before[vertex] if last_read[source] == k}
        if vertex in last_read:
            alive.add(vertex)
        if len(alive) == 1 and k + 1 < len(order):
            found[k + 1] = next(iter(alive))
    return found
