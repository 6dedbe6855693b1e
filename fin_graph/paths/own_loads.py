"""What one application alone asks of the nodes and links on its path (eqs. 11–13), and where that is too much.

A path may come back to a node after it has left it, and may take a link once in every layer. So a path's load of a
node is a sum over its blocks there, and its load of a link is a sum over its transfers. Two things follow:

- A block or transfer that alone asks for more than there is has no place there: that edge is left out beforehand.
- Of what is left, a sum may still exceed its capacity; only a whole path tells.

Loads never shrink along a path, so the earliest accurate exit still dominates every later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Floats, Ints, PathProblem
from finbench.fin_graph.paths.run_costs import run_costs
from finbench.fin_graph.paths.topology import Topology
from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import Application, Instance
from finbench.models.tolerances import SUM_NOISE, relaxed

ROOM = relaxed(1.0)
"""The fraction of a resource that methods may take."""

LABEL_ROOM, PATH_ROOM = ROOM * (1 + SUM_NOISE), ROOM * (1 + 3 * SUM_NOISE)
"""The same for sums as labels carry them, and for sums over whole paths: what no label exceeds, no path does."""


class Critical(NamedTuple):
    """Resources whose loads labels carry; R of them, each a node's compute or memory, or a link's bandwidth."""

    node: Ints
    """Node of each, −1 for a link; shape (R,)."""
    link: Ints
    """Link of each, among those sorted by target, −1 for a node; shape (R,)."""
    demand: Floats
    """Fraction that block j+1, or the transfer that feeds it, takes there; shape (R, depth)."""
    harmless: Floats
    """Load up to which nothing that may still come at layer j exceeds the resource; shape (R, depth + 1)."""


class Excess(NamedTuple):
    """What to forbid so that a path does not come back: a block at a node, or a link."""

    block: int
    """From 0; of a link, the transfer that is too much for it is the one that feeds this block."""
    node: int
    link: int | None = None
    """Among those sorted by target; None where the block is to be forbidden at the node."""


@dataclass(frozen=True)
class OwnLoads:
    """Fractions of every node and link that the L blocks and transfers of one application take.

    Resources have numbers: n is the compute of node n, N + n its memory, 2N + a the bandwidth of the a-th link in the
    order by target.
    """

    names: tuple[str, ...]
    """Names of the N nodes."""
    compute: Floats
    """λ s_i t_{i,n} / K_n; shape (L, N)."""
    memory: Floats
    """w_i / M_n; inf where the memory is 0 bytes; shape (L, N)."""
    load_bits: Floats
    """λ s_i d_{i−1} [bit/s]; shape (L,)."""
    bandwidth: Floats
    """B of every link [bit/s], in the order by target; shape (A,)."""
    source: str
    """Name of the node where samples arise."""
    pinned: frozenset[int]
    """Blocks (from 1) that are pinned."""
    link_number: dict[tuple[int, int], int]
    """Links by the numbers of their nodes."""

    @classmethod
    def of(cls, instance: Instance, app: Application) -> OwnLoads:
        """Return the loads of one application of an instance in which no node reserves."""
        dnn, network, topology = instance.dnn_of(app), instance.network, Topology.of(instance)
        depth, rate = len(dnn.blocks), app.rate_per_s or 0.0
        survival = np.array(dnn.survival)
        parallel = np.array([float(node.parallel) for node in network.nodes])
        memory = np.array([np.inf if node.memory_bytes is None else node.memory_bytes for node in network.nodes])
        parameters = np.array([block.parameter_bytes for block in dnn.blocks])[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            in_memory = np.where(parameters > 0, parameters / memory, 0.0)
        ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
        widths = np.array([link.bandwidth_bit_per_s for link in network.links])
        return cls(
            names=topology.names,
            compute=(rate * survival)[:, None] * run_costs(instance, app, topology, depth).time / parallel,
            memory=in_memory,
            load_bits=rate * survival * np.array([dnn.transfer_bits(i) for i in range(1, depth + 1)]),
            source=app.source,
            pinned=frozenset(app.pins),
            bandwidth=widths[topology.link_number],
            link_number={pair: a for a, pair in enumerate(ends)},
        )

    def too_large(self) -> NDArray[np.bool_]:
        """Return where a block alone asks for more compute or memory than there is; shape (L, N)."""
        found: NDArray[np.bool_] = (self.compute > PATH_ROOM) | (self.memory > PATH_ROOM)
        return found

    def without_too_large(self, problem: PathProblem) -> PathProblem:
        """Return the path problem without the edges of blocks and transfers that are too large by themselves."""
        edges, depth = problem.edges, problem.depth
        run_energy = np.where(self.too_large()[:depth], np.inf, edges.run_energy)
        without = edges._replace(
            run_energy=run_energy, load_bits=self.load_bits[:depth], link_room=PATH_ROOM * self.bandwidth
        )
        return replace(problem, edges=without)

    def name(self, resource: int) -> str:
        """Return what a resource is called: `memory of n`, `compute of n` or `bandwidth of n->m`."""
        count = len(self.names)
        if resource < 2 * count:
            return f"{'compute' if resource < count else 'memory'} of {self.names[resource % count]}"
        source, target = next(pair for pair, a in self.link_number.items() if a == resource - 2 * count)
        return f"bandwidth of {self.names[source]}->{self.names[target]}"

    def demand(self, resource: int) -> Floats:
        """Return the fraction of a resource that each block, or the transfer that feeds it, takes; shape (L,)."""
        count = len(self.names)
        if resource >= 2 * count:
            return self.load_bits / float(self.bandwidth[resource - 2 * count])
        table = self.compute if resource < count else self.memory
        return table[:, resource % count]

    def overloads(self, decision: ApplicationDeployment) -> dict[int, list[int]]:
        """Return the resources that a deployment overloads, each with the blocks (from 0) that take some of it."""
        users = self._users(decision)
        return {resource: of for resource, of in users.items() if self.demand(resource)[of].sum() > PATH_ROOM}

    def excess(self, decision: ApplicationDeployment) -> Excess | None:
        """Return what is too much of the first resource that a deployment overloads; None where it overloads none.

        Of a node's blocks that is the first one by which the sum exceeds the capacity; where it is pinned, another.
        """
        overloads = self.overloads(decision)
        if not overloads:
            return None
        resource, blocks = min(overloads.items())
        beyond = int(np.argmax(np.cumsum(self.demand(resource)[blocks]) > PATH_ROOM))
        count = len(self.names)
        if resource >= 2 * count:
            return Excess(blocks[beyond], -1, resource - 2 * count)
        others = (*blocks[beyond:], *blocks[:beyond][::-1])
        block = next((j for j in others if j + 1 not in self.pinned), blocks[beyond])
        return Excess(block, resource % count)

    def _users(self, decision: ApplicationDeployment) -> dict[int, list[int]]:
        """Return every resource with the blocks that run on it, or whose transfers take it, in order."""
        number = {name: n for n, name in enumerate(self.names)}
        users: defaultdict[int, list[int]] = defaultdict(list)
        for j, (name, route) in enumerate(zip(decision.placement, decision.routes_from(self.source), strict=True)):
            for one, other in pairwise(route):
                users[2 * len(self.names) + self.link_number[number[one], number[other]]].append(j)
            users[number[name]].append(j)
            users[len(self.names) + number[name]].append(j)
        return users

    def critical(self, resources: Sequence[int], problem: PathProblem) -> Critical:
        """Return what labels need to know of some resources, for a problem that `without_too_large` gave."""
        depth, count = problem.depth, len(self.names)
        demand = np.zeros((len(resources), depth))
        for r, resource in enumerate(resources):
            demand[r] = self.demand(resource)[:depth]
            if resource < 2 * count:
                node = resource % count
                elsewhere = (problem.edges.pins >= 0) & (problem.edges.pins != node)
                demand[r][elsewhere | (problem.edges.run_energy[:, node] == np.inf)] = 0.0
            else:
                demand[r][demand[r] > PATH_ROOM] = 0.0
        to_come = np.zeros((len(resources), depth + 1))
        to_come[:, :depth] = np.cumsum(demand[:, ::-1], axis=1)[:, ::-1]
        return Critical(
            node=np.array([r % count if r < 2 * count else -1 for r in resources], np.int32),
            link=np.array([r - 2 * count if r >= 2 * count else -1 for r in resources], np.int32),
            demand=demand,
            harmless=ROOM - to_come,
        )
