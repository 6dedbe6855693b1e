"""How many deployments an enumeration would look at, counted without making them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from finbench.models.exhaustive_ways import Route, stable_shares, ways_by_block
from finbench.models.instance import Application, Instance

MAX_LEAVES = 5_000_000
"""Deployments (combinations, with several applications) above which an instance is refused."""

MAX_ROUTES = 50_000
"""Simple routes in the network above which an instance is refused."""

Numbers = dict[str, dict[str, int]]
"""For one block, by the node that its input is at and the node that it runs at: a number of ways to do so."""


def leaves_of(instance: Instance, app: Application, numbers: Iterator[Numbers]) -> int:
    """Return the deployments of one application to any exit, latency aside, and its rejection.

    Counting ends once they are more than `MAX_LEAVES`: what can still be reached only adds to them.
    """
    ends = {exit_.after_block for exit_ in instance.dnn_of(app).exits}
    rejections = int(app.rejection_penalty_w is not None)
    begun, leaves = {app.source: 1}, rejections
    for block, ways in enumerate(numbers, start=1):
        arrived: defaultdict[str, int] = defaultdict(int)
        for start, count in begun.items():
            for end, number in ways.get(start, {}).items():
                arrived[end] += count * number
        begun = arrived
        leaves += sum(begun.values()) if block in ends else 0
        if leaves > MAX_LEAVES:
            break
    return leaves


def numbers_of_nodes(instance: Instance, app: Application, routes: list[Route]) -> Iterator[Numbers]:
    """Yield for every block 1 wherever a node can feed another."""
    names = [node.name for node in instance.network.nodes]
    pairs = {(route[0], route[-1]) for route in routes} | {(name, name) for name in names}
    for block in range(1, len(instance.dnn_of(app).blocks) + 1):
        numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        possible = {name for name in names if app.pins.get(block, name) == name}
        possible = {name for name in possible if stable_shares(instance, app, block, name)}
        for start, end in pairs:
            if end in possible:
                numbers[start][end] = 1
        yield numbers


def numbers_of_ways(instance: Instance, app: Application, routes: list[Route]) -> Iterator[Numbers]:
    """Yield for every block how many ways to feed and run it there are."""
    for by_start in ways_by_block(instance, app, routes):
        yield {start: Counter(way.node for way in ways) for start, ways in by_start.items()}
