"""What it costs to change a plan: the parameters of every block that moves travel over the network.

Block i of application h, placed at n, costs nothing where it runs there already. Else its parameters come from an
origin o: the repository, where one is stated, else the node that it ran at. Where it did not run, that node is gone, or
no route leads from there, they come from the source of the application, which has the whole DNN. They take the route of
least energy (of least carbon or price, where that is minimised):

    (36)  m_{h,i,n} = κ + Σ_{(a,b) ∈ route(o,n)} (8 w_i (e^tx_ab + e^rx_ab) + χ (8 w_i / B_ab + τ_ab))

with a fixed cost κ of every block that moves and a cost χ of every second that it takes. Over a horizon T, running and
moving together cost

    (37)  T Σ_h λ_h energy(h) + T Σ_{h rejected} ψ_h + Σ_h Σ_i m_{h,i,x_i}

Divided by T and λ_h, (36) adds to the cost of running block i at n: what is minimised is an instance with other run
costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import inf

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.fields import SCHEMA_VERSION, Frozen, Name, NonNegative, SchemaVersion
from finbench.models.instance import Application, Instance, Link
from finbench.models.step_costs import worth

BITS = 8
"""Bits of a byte."""


class Migration(Frozen):
    """What it costs to move blocks, beside what the network's links say."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    provenance: str = ""
    """Where the numbers come from."""
    repository: Name | None = None
    """Node that holds the parameters of all blocks; left out: they come from where each block runs."""
    fixed_cost_per_block: NonNegative = 0.0
    """What every block that moves costs besides κ [J, or what is minimised]."""
    cost_per_s: NonNegative = 0.0
    """What every second that parameters travel costs χ [J/s, or what is minimised]."""

    def check(self, instance: Instance) -> None:
        """Raise ValueError where the repository is no node of the instance's network."""
        if self.repository is not None and self.repository not in instance.network.node_by_name:
            raise ValueError(f"repository = {self.repository!r}: must be a node of the network")


@dataclass(frozen=True)
class Move:
    """One block that moves."""

    application: str
    dnn: str
    block: int
    """1-based."""
    origin: str
    """Where its parameters come from."""
    target: str
    route: tuple[str, ...]
    """Nodes that the parameters visit; empty where they are at the target already."""
    parameter_bytes: float
    energy_j: float
    time_s: float
    cost: float
    """m of (36), in what is minimised; infinite where no route leads there."""


class Movers:
    """Moves from an old plan.

    Parameters
    ----------
    instance : Instance
    old : Deployment
        It may name nodes that there are no longer, and leave applications out.
    migration : Migration

    Raises
    ------
    ValueError
        If the repository is no node of the network.
    """

    def __init__(self, instance: Instance, old: Deployment, migration: Migration) -> None:
        migration.check(instance)
        self._instance, self._migration = instance, migration
        self._old = {one.application: one for one in old.deployments}
        self._routes: dict[str, dict[str, tuple[str, ...]]] = {}

    def prices(self, app: Application) -> list[list[float]]:
        """Return m of every block at every node (L lists of N), for the alternative that `app` runs."""
        names = [node.name for node in self._instance.network.nodes]
        blocks = range(1, len(self._instance.dnn_of(app).blocks) + 1)
        return [[self._cost(self.move(app, i, name)) for name in names] for i in blocks]

    def moves(self, deployment: Deployment) -> list[Move]:
        """Return the moves that lead to a deployment."""
        return [move for one in deployment.deployments for move in self._moves_of(one)]

    def _moves_of(self, decision: ApplicationDeployment) -> Iterator[Move]:
        app = next(one for one in self._instance.applications if one.name == decision.application)
        chosen = app.choice(decision.dnn)
        assert chosen is not None
        for i, name in enumerate(decision.placement, start=1):
            move = self.move(chosen, i, name)
            if move is not None:
                yield move

    def move(self, app: Application, block: int, target: str) -> Move | None:
        """Return the move of a block to a node; None where it runs there already."""
        before = self._place_before(app, block)
        if before == target:
            return None
        dnn, origin = self._instance.dnn_of(app), self._migration.repository or before or app.source
        size, route = dnn.blocks[block - 1].parameter_bytes, self._route(origin, target)
        if route is None:
            origin, route = app.source, self._route(app.source, target)
        if route is None:
            return Move(app.name, dnn.name, block, origin, target, (), size, inf, inf, inf)
        links = [self._instance.network.link_by_pair[pair] for pair in pairwise(route)]
        energy = sum(BITS * size * (link.tx_energy_j_per_bit + link.rx_energy_j_per_bit) for link in links)
        time = sum(BITS * size / link.bandwidth_bit_per_s + link.delay_s for link in links)
        spent = sum(BITS * size * self._per_bit(link) for link in links)
        fixed = self._migration.fixed_cost_per_block + self._migration.cost_per_s * time
        return Move(app.name, dnn.name, block, origin, target, route, size, energy, time, spent + fixed)

    def _place_before(self, app: Application, block: int) -> str | None:
        """Return where the block of this alternative ran; None where it did not."""
        decision = self._old.get(app.name)
        if decision is None or block > len(decision.placement):
            return None
        return decision.placement[block - 1] if decision.dnn in (None, app.dnn) else None

    @staticmethod
    def _cost(move: Move | None) -> float:
        return 0.0 if move is None else move.cost

    def _per_bit(self, link: Link) -> float:
        nodes, objective = self._instance.network.node_by_name, self._instance.objective
        sent = worth(objective, nodes[link.source], link.tx_energy_j_per_bit, 0.0)
        return sent + worth(objective, nodes[link.target], link.rx_energy_j_per_bit, 0.0)

    def _route(self, origin: str, target: str) -> tuple[str, ...] | None:
        """Return the route of least energy, of several the quickest; None where none leads there, or a node is gone."""
        if origin not in self._routes:
            self._routes[origin] = self._routes_from(origin)
        return self._routes[origin].get(target)

    @cached_property
    def _largest(self) -> float:
        return max((block.parameter_bytes for dnn in self._instance.dnns for block in dnn.blocks), default=0.0)

    def _routes_from(self, origin: str) -> dict[str, tuple[str, ...]]:
        """Dijkstra's algorithm over (energy per bit, seconds per bit and hop)."""
        from heapq import heappop, heappush

        found: dict[str, tuple[str, ...]] = {}
        queue: list[tuple[float, float, tuple[str, ...]]] = [(0.0, 0.0, (origin,))]
        while queue:
            energy, time, route = heappop(queue)
            if route[-1] in found:
                continue
            found[route[-1]] = route
            for link in self._leaving.get(route[-1], ()):
                if link.target not in found:
                    takes = BITS * self._largest / link.bandwidth_bit_per_s + link.delay_s
                    heappush(queue, (energy + self._per_bit(link), time + takes, (*route, link.target)))
        return {name: () if len(route) == 1 else route for name, route in found.items()}

    @cached_property
    def _leaving(self) -> dict[str, list[Link]]:
        links: dict[str, list[Link]] = {}
        for link in self._instance.network.links:
            links.setdefault(link.source, []).append(link)
        return links
