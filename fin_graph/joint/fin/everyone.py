"""The cheapest way to serve a member of every group at prices: all layered graphs searched by compiled code at once.

Prices that change step by step ask for one path of every group at every step. One search takes some ten
microseconds, and to build its `PathProblem` takes longer. Here the graphs of all groups lie in common arrays, and each
is put together where it is searched. Choices are cut into parts for several threads; what is found for one depends on
no other, so that their number changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, PathProblem
from finbench.fin_graph.paths.bounds import traced
from finbench.fin_graph.paths.compiled import compiled
from finbench.fin_graph.paths.dual_path import dual_from
from finbench.fin_graph.paths.loading import smallest
from finbench.fin_graph.paths.shortest import costs_along, costs_to_go
from finbench.models.tolerances import FLOAT_NOISE

_MORE_VERTICES = 64
"""Relays that a path may have beside two vertices for each block; a longer one is not taken."""

_AT_ONCE = 32
"""Parts that a thread searches before it takes others: graphs differ in size."""

MOST_PARTS = 24
"""Parts that a group's paths are split into at most."""


class Graphs(NamedTuple):
    """The layered graphs of C choices over T topologies, one behind the other."""

    of_choice: Ints
    """Topology, depth, source vertex, first layer of each choice; shape (C, 4)."""
    run_start: NDArray[np.int64]
    """Where the table (depth, V) of each choice begins; shape (C,)."""
    max_latency: Floats
    """Latency target of each choice [s]; shape (C,)."""
    of_topology: Ints
    """First vertex and first link of each topology, and of the next one; shape (T + 1, 2)."""
    pins: Ints
    """Of every layer, as all fields up to `load_bits`."""
    energy_bits: Floats
    latency_bits: Floats
    delay_weight: Floats
    load_bits: Floats
    run_power: Floats
    """λ · energy of every block at every vertex [W], as all fields up to `memory`."""
    run_latency: Floats
    compute: Floats
    memory: Floats
    node: Ints
    """Node of every vertex."""
    in_start: Ints
    """As in `Edges`, V + 1 numbers for each topology."""
    link_source: Ints
    """Of every link, as all fields that follow."""
    link_target: Ints
    link_number: Ints
    link_energy: Floats
    link_time: Floats
    link_delay: Floats
    link_room: Floats


class Parts(NamedTuple):
    """Parts of choices, a path of each that meets its target, and where the last search for it ended."""

    choice: Ints
    """Choice that each part is of; shape (P,)."""
    mask_start: NDArray[np.int64]
    """Where its forbidden vertices begin, −1 where none is; shape (P,)."""
    length: Ints
    """Number of vertices of the path, 0 where none meets the target; shape (P,)."""
    layers: Ints
    """Shape (P, W)."""
    nodes: Ints
    """Shape (P, W)."""
    multiplier: Floats
    """Shape (P,)."""
    bound: Floats
    """Proven lower bound on the cost of a member, up to rounding; inf where there is no path. Shape (P,)."""
    cost: Floats
    """Cost of the path; shape (P,)."""


class GroupBest(NamedTuple):
    """What a search knows of one group."""

    bound: float
    """Proven lower bound on the cost of a member, up to rounding; inf where nothing serves it."""
    usage: Usage | None
    """The cheapest way to serve one that was found."""
    cost: float
    """What that costs; inf where there is none."""


class Everyone:
    """The cheapest paths of all groups at prices, each search from where the last one ended.

    A path whose blocks fit on a node one by one but not together serves nobody. Where one is found the cheapest, its
    choice is split: on that node at least one of these blocks takes less, and each part forbids one of them to take as
    much or more. The parts stay, for all prices. (Of links, where that rarely matters, such paths are kept.)

    Parameters
    ----------
    system : SharedSystem
    room : ndarray, shape (R,), optional
        What one member must fit into; left out: anything goes.
    threads : int
        Cores that search at once.
    """

    def __init__(self, system: SharedSystem, room: Floats | None = None, threads: int = 1) -> None:
        self._system, self._room, self._threads = system, room, threads
        self._nodes = len(system.topology.network.nodes)
        of_group = [(g, choice) for g, group in enumerate(system.groups) for choice in group.choices if choice.depth]
        self._choices = [choice for _, choice in of_group]
        self._graphs = _graphs_of(self._choices)
        self._usages: list[dict[bytes, Usage]] = [{} for _ in self._choices]
        self._masks = np.zeros(0, np.bool_)
        self._width = 2 * (1 + max((choice.depth for choice in self._choices), default=0)) + _MORE_VERTICES
        self._parts = self._new_parts(range(len(self._choices)), [-1] * len(self._choices))
        self._of_group: list[list[int]] = [[] for _ in system.groups]
        for c, (g, _) in enumerate(of_group):
            if self._parts.length[c]:
                self._of_group[g].append(c)

    def search(self, prices: Floats, *, with_power: bool = True) -> list[GroupBest]:
        """Return what is cheapest for a member of every group at `prices` (shape (R,)).

        `with_power` is as in `Group.problem`.
        """
        numbers = [p for parts in self._of_group for p in parts]
        waiting = list(range(len(self._of_group)))
        while waiting:
            self._run(cheap_paths, np.array(numbers, np.int32), prices, self._nodes, with_power)
            split = [(g, p, r) for g in waiting for p, r in self._overfull(g)]
            waiting = [g for g, _, _ in split]
            numbers = self._split(split)
        return [self._best(g) for g in range(len(self._of_group))]

    def problems(self, g: int, prices: Floats) -> list[PathProblem]:
        """Return the path problems at prices of all parts of group g."""
        found = []
        for p in self._of_group[g]:
            problem, mask = self._choices[self._parts.choice[p]].problem(prices), self._mask(p)
            assert problem is not None
            run_energy = np.where(mask, inf, problem.edges.run_energy)
            found.append(replace(problem, edges=problem.edges._replace(run_energy=run_energy)))
        return found

    def ways(self) -> list[list[Usage]]:
        """Return by group all ways to serve a member that were found so far and fit."""
        first = np.cumsum([0] + [sum(choice.depth > 0 for choice in group.choices) for group in self._system.groups])
        room = self._system.empty_room()
        return [
            [usage for c in range(a, b) for usage in self._usages[c].values() if usage.fits(room)]
            for a, b in pairwise(first.tolist())
        ]

    def _best(self, g: int) -> GroupBest:
        parts = self._of_group[g]
        if not parts:
            return GroupBest(inf, None, inf)
        cheapest = min(parts, key=self._parts.cost.item)
        bound = min(map(self._parts.bound.item, parts))
        return GroupBest(bound, self._usage(cheapest), self._parts.cost.item(cheapest))

    def _usage(self, p: int) -> Usage:
        """Return what the path of part number p takes."""
        c, length = int(self._parts.choice[p]), self._parts.length[p]
        known = self._usages[c]
        layers, nodes = self._parts.layers[p, :length], self._parts.nodes[p, :length]
        key = layers.tobytes() + nodes.tobytes()
        if key not in known:
            known[key] = self._choices[c].usage(layers.tolist(), nodes.tolist())
        return known[key]

    def _overfull(self, g: int) -> Iterator[tuple[int, int]]:
        """Yield the part of the cheapest path of group g and a resource, where it alone overloads that of a node."""
        parts = self._of_group[g]
        if parts and self._room is not None and len(parts) <= MOST_PARTS:
            cheapest = min(parts, key=self._parts.cost.item)
            usage = self._usage(cheapest)
            over = usage.resources[usage.fractions > self._room[usage.resources] + FLOAT_NOISE]
            if len(over) and over[0] < 2 * self._nodes:
                yield cheapest, int(over[0])

    def _split(self, split: list[tuple[int, int, int]]) -> list[int]:
        """Replace parts, each given with its group and an overfull resource; return the numbers of the new parts."""
        masks, groups, choices = [self._masks], list[int](), list[int]()
        for g, p, resource in split:
            self._of_group[g].remove(p)
            children = list(self._children(p, resource))
            masks += [mask.ravel() for mask in children]
            groups += [g] * len(children)
            choices += [int(self._parts.choice[p])] * len(children)
        ends = np.cumsum([len(mask) for mask in masks])
        self._masks = np.concatenate(masks)
        before, more = len(self._parts.choice), self._new_parts(choices, ends[:-1].tolist())
        tables: list[tuple[Any, Any]] = list(zip(self._parts, more, strict=True))
        self._parts = Parts._make(np.concatenate(both) for both in tables)
        kept = [(g, before + k) for k, g in enumerate(groups) if more.length[k]]
        for g, p in kept:
            self._of_group[g].append(p)
        return [p for _, p in kept]

    def _children(self, p: int, resource: int) -> Iterator[NDArray[np.bool_]]:
        """Yield where blocks must not run in the parts that hold all paths of part p that fit on a resource."""
        length, forbidden = self._parts.length[p], self._mask(p)
        taken = self._choices[self._parts.choice[p]].taken(resource)
        layers, nodes = self._parts.layers[p, :length], self._parts.nodes[p, :length]
        runs = layers[1:] > layers[:-1]
        for j, m in zip(layers[:-1][runs], nodes[1:][runs], strict=True):
            if taken[j, m] > 0:
                mask = forbidden.copy()
                mask[j] |= taken[j] >= taken[j, m]
                yield mask

    def _mask(self, p: int) -> NDArray[np.bool_]:
        """Return where blocks must not run in part p; shape (depth, V)."""
        choice, start = self._choices[self._parts.choice[p]], self._parts.mask_start[p]
        shape = choice.depth, len(choice.topology.node_of_vertex)
        if start < 0:
            return np.zeros(shape, np.bool_)
        return self._masks[start : start + shape[0] * shape[1]].reshape(shape)

    def _new_parts(self, choices: Sequence[int], mask_start: Sequence[int]) -> Parts:
        """Return parts with their least-latency paths."""
        count = len(choices)
        layers, nodes = (np.zeros((count, self._width), np.int32) for _ in range(2))
        multiplier, bound, cost = (np.zeros(count) for _ in range(3))
        length, starts = np.zeros(count, np.int32), np.array(mask_start, np.int64)
        parts = Parts(np.array(choices, np.int32), starts, length, layers, nodes, multiplier, bound, cost)
        first_paths(self._graphs, self._masks, parts)
        return parts

    def _run(self, kernel: Callable[..., None], numbers: Ints, *arguments: object) -> None:
        """Call a kernel for some parts, on as many threads as were asked for."""
        if self._threads == 1 or len(numbers) <= _AT_ONCE:
            kernel(self._graphs, self._masks, self._parts, numbers, *arguments)
            return
        cuts = [numbers[k : k + _AT_ONCE] for k in range(0, len(numbers), _AT_ONCE)]
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(lambda some: kernel(self._graphs, self._masks, self._parts, some, *arguments), cuts))


def _graphs_of(choices: Sequence[Group]) -> Graphs:
    """Return the graphs of choices in common arrays; those with the same topology share it."""
    topologies = list({id(choice.topology): choice.topology for choice in choices}.values())
    number = {id(topology): t for t, topology in enumerate(topologies)}
    problems = [problem for problem in (choice.problem() for choice in choices) if problem is not None]
    room = {id(choice.topology): problem.edges.link_room for choice, problem in zip(choices, problems, strict=True)}
    depths = np.array([problem.depth for problem in problems], np.int64)
    sizes = [problem.edges.run_energy.size for problem in problems]
    of_layers = [[getattr(p.edges, field) for p in problems] for field in Graphs._fields[4:9]]
    demands = [choice.demands for choice in choices]
    of_runs = [[p.edges.run_energy for p in problems], [p.edges.run_latency for p in problems]]
    of_runs += [[compute for compute, _ in demands], [memory for _, memory in demands]]
    links = ("link_source", "link_target", "link_number", "link_energy", "link_time", "link_delay")
    vertices, joints = ([0, *(len(getattr(t, name)) for t in topologies)] for name in ("node_of_vertex", "link_source"))
    of_choice = [
        [number[id(choice.topology)] for choice in choices],
        depths,
        [problem.source for problem in problems],
        np.cumsum(depths) - depths,
    ]
    tables = [
        np.array(of_choice, np.int32).reshape(4, -1).T.copy(),
        (np.cumsum(sizes) - sizes).astype(np.int64),
        np.array([problem.max_latency_s for problem in problems]),
        np.cumsum([vertices, joints], axis=1).T.astype(np.int32).copy(),
        *(_flat(tables) for tables in of_layers),
        *(_flat(tables) for tables in of_runs),
        _flat([topology.node_of_vertex for topology in topologies]),
        _flat([topology.in_start for topology in topologies]),
        *(_flat([getattr(topology, name) for topology in topologies]) for name in links),
        _flat([room[id(topology)] for topology in topologies]),
    ]
    return Graphs._make(tables)


def _flat(tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return tables one behind the other; without any an empty one."""
    return np.concatenate([table.ravel() for table in tables]) if tables else np.zeros(0)


@compiled
def edges_at(
    graphs: Graphs, c: int, forbidden: NDArray[np.bool_], prices: Floats, nodes: int, with_power: bool
) -> Edges:
    """Return the edges of choice c at prices, as `Group.problem` does; without prices where `nodes` is 0."""
    t, depth, _, layer = graphs.of_choice[c]
    v, a = graphs.of_topology[t]
    after, links = graphs.of_topology[t + 1]
    count, start = after - v, graphs.run_start[c]
    runs, layers = slice(start, start + depth * count), slice(layer, layer + depth)
    run, number = graphs.run_power[runs].copy().reshape(depth, count), graphs.link_number[a:links]
    compute = graphs.compute[runs].reshape(depth, count)
    memory = graphs.memory[runs].reshape(depth, count)
    weight, link_price = 1.0 if with_power else 0.0, np.zeros(links - a)
    for j in range(depth):
        for n in range(count):
            if len(forbidden) > 0 and forbidden[j * count + n]:
                run[j, n] = np.inf
            elif not with_power and run[j, n] < np.inf:
                run[j, n] = 0.0
            if nodes > 0:
                here = graphs.node[v + n]
                run[j, n] = run[j, n] + prices[here] * compute[j, n] + prices[nodes + here] * memory[j, n]
    if nodes > 0:
        for k in range(links - a):
            if number[k] >= 0:
                link_price[k] = prices[2 * nodes + number[k]] * graphs.link_time[a + k]
    return Edges(
        graphs.pins[layers],
        run,
        graphs.run_latency[runs].reshape(depth, count),
        graphs.in_start[v + t : after + t + 1],
        graphs.link_source[a:links],
        graphs.link_target[a:links],
        graphs.link_energy[a:links],
        graphs.link_time[a:links],
        graphs.link_delay[a:links],
        weight * graphs.energy_bits[layers],
        graphs.latency_bits[layers],
        graphs.delay_weight[layers],
        graphs.load_bits[layers],
        link_price,
        graphs.link_room[a:links],
        np.zeros((0, 0)),
    )


@compiled
def _forbidden(graphs: Graphs, masks: NDArray[np.bool_], parts: Parts, p: int) -> NDArray[np.bool_]:
    """Return the forbidden vertices of part p, without any an empty array."""
    start = parts.mask_start[p]
    t, depth = graphs.of_choice[parts.choice[p], :2]
    count = graphs.of_topology[t + 1, 0] - graphs.of_topology[t, 0]
    return masks[0:0] if start < 0 else masks[start : start + depth * count]


@compiled
def first_paths(graphs: Graphs, masks: NDArray[np.bool_], parts: Parts) -> None:
    """Write the least-latency paths of all parts, where they meet their targets."""
    for p in range(len(parts.choice)):
        c = parts.choice[p]
        edges = edges_at(graphs, c, _forbidden(graphs, masks, parts, p), np.zeros(0), 0, True)
        source, target = graphs.of_choice[c, 2], graphs.max_latency[c] * (1 + FLOAT_NOISE)
        to_go = costs_to_go(edges, 0.0, 1.0)
        parts.bound[p] = parts.cost[p] = np.inf
        if to_go.cost[0, source] < np.inf:
            layers, nodes = traced(edges, to_go.next_link, source)
            if costs_along(edges, layers, nodes)[1] <= target:
                _keep(parts, p, layers, nodes)


@compiled
def cheap_paths(
    graphs: Graphs,
    masks: NDArray[np.bool_],
    parts: Parts,
    numbers: Ints,
    prices: Floats,
    nodes: int,
    with_power: bool,
) -> None:
    """Write a cheap path of some parts at prices, and the bound that the Lagrangian dual proves."""
    for p in numbers:
        c, length = parts.choice[p], parts.length[p]
        edges = edges_at(graphs, c, _forbidden(graphs, masks, parts, p), prices, nodes, with_power)
        layers, way = parts.layers[p, :length].copy(), parts.nodes[p, :length].copy()
        bound, multiplier, cost, layers, way = dual_from(
            edges,
            graphs.of_choice[c, 2],
            graphs.max_latency[c] * (1 + FLOAT_NOISE),
            parts.multiplier[p],
            layers,
            way,
        )
        parts.bound[p], parts.multiplier[p], parts.cost[p] = bound, multiplier, cost
        if not _keep(parts, p, layers, way):
            parts.cost[p], _ = costs_along(edges, parts.layers[p, :length], parts.nodes[p, :length])


@compiled
def _keep(parts: Parts, p: int, layers: Ints, nodes: Ints) -> bool:
    """Write the path of part p where there is room for it, and return whether there is."""
    length = layers.shape[0]
    if length > parts.layers.shape[1]:
        return False
    parts.length[p] = length
    parts.layers[p, :length] = layers
    parts.nodes[p, :length] = nodes
    return True


@cache
def load_everyone() -> None:
    """Run the searches once on the smallest problem (`load_compiled` says why)."""
    system = SharedSystem.of(smallest())
    Everyone(system).search(np.zeros(system.resources))
