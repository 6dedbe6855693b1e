"""The shared system as arrays: what every method for several applications runs on.

**Resources.** The shared constraints, each divided by its right-hand side, so that all of them read
"fraction ≤ 1": first for each node its compute (eq. 11) or, where it reserves, its reservations (eq. 21); then for each
node its memory (eq. 12); then for each link its bandwidth (eq. 13). With N nodes and A links, R = 2N + A. Stability
(eq. 22) needs no resource: a level that cannot keep up with a block does not run it.

**Groups.** Applications that differ in nothing but their names are one group; its members are interchangeable, and
whatever is found for one holds for all.

**Alternatives** (eq. 29). Each has a layered graph of its own, and is a group of its own with the same members
(`Group.choices`): what is found for one of them serves a member of the whole group.

A path of one application is searched for on its own layered graph, `Group.problem(prices, room)`: prices π ≥ 0 make it
pay for what it uses, λ·energy + Σ_r π_r u_r; room takes away what no longer fits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Floats, Ints, PathProblem, path_problem
from finbench.fin_graph.paths.topology import Topology
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance, Network
from finbench.models.tolerances import FLOAT_NOISE, relaxed


@dataclass(frozen=True)
class Usage:
    """One way to serve one member of a group, and what it asks of the system."""

    power: float
    """λ · energy: what it adds to the objective (eq. 3)."""
    resources: Ints
    """Numbers of the resources it uses, each once, rising."""
    fractions: Floats
    """Fraction that it takes of each of them."""
    deployment: ApplicationDeployment
    """The deployment, in the name of the group's first member."""

    def fits(self, room: Floats) -> bool:
        """Return whether its fractions fit into `room`, shape (R,)."""
        return bool(np.all(self.fractions <= room[self.resources] + FLOAT_NOISE))

    def cost(self, prices: Floats) -> float:
        """Return λ · energy + Σ_r π_r u_r; `prices` has shape (R,)."""
        return self.power + float(prices[self.resources] @ self.fractions)

    def take(self, room: Floats, times: int = 1) -> None:
        """Take its fractions from `room`, `times` times; a negative number gives them back."""
        room[self.resources] -= times * self.fractions


class Group:
    """Applications that differ in their names alone, and the layered graph that they share, or one by alternative.

    Parameters
    ----------
    instance : Instance
    topology : Topology
        That of the instance's network, or what can be reached from the members' source.
    members : sequence of Application
        At least one.
    forgiving : bool
        Keep blocks and transfers that alone ask for more than the whole of a resource.
    memory : ndarray, shape (N,), optional
        Bytes that are the whole memory of every node; left out: what the network says.
    """

    def __init__(
        self,
        instance: Instance,
        topology: Topology,
        members: Sequence[Application],
        *,
        forgiving: bool = False,
        memory: Floats | None = None,
    ) -> None:
        self.members = tuple(app.name for app in members)
        self.application = members[0]
        self.topology, self._most_alone = topology, np.inf if forgiving else relaxed(1.0)
        self._choices: tuple[Group, ...] = ()
        self._base: PathProblem | None = None
        several = len(self.application.choices) > 1
        self.application = self.application if several else self.application.choices[0]
        if several:
            chosen = zip(*(app.choices for app in members), strict=True)
            self._choices = tuple(Group(instance, topology, one, forgiving=forgiving, memory=memory) for one in chosen)
            return
        self._base = path_problem(instance, self.application, topology=topology)
        if self._base is not None:
            self._set_demands(instance, self._base, memory_of(instance.network) if memory is None else memory)

    def _set_demands(self, instance: Instance, base: PathProblem, memory: Floats) -> None:
        """Set the fractions of compute and memory that every block takes at every vertex, and its bits on links."""
        app, depth, topology = self.application, base.depth, self.topology
        dnn, rate = instance.dnn_of(app), app.rate_per_s or 0.0
        survival = np.array(dnn.survival[:depth])
        parameters = np.array([block.parameter_bytes for block in dnn.blocks[:depth]])
        parallel = np.array([float(node.parallel) for node in topology.nodes])
        reserves = np.array([node.reserves for node in topology.nodes], np.bool_)
        used = (rate * survival)[:, None] * base.run_time / parallel
        compute = np.where(reserves, topology.share_of_vertex, used)
        in_memory = _fractions(parameters, memory[topology.node_of_vertex])
        self._load_bits = rate * survival * np.array([dnn.transfer_bits(i) for i in range(1, depth + 1)])
        outrun = reserves & (used > relaxed(topology.share_of_vertex))
        impossible = outrun | (compute > self._most_alone) | (in_memory > self._most_alone) | np.isinf(in_memory)
        taken = (np.where(impossible, 0.0, each) for each in (compute, in_memory))
        self._compute, self._memory = (np.ascontiguousarray(each) for each in taken)
        self._run_power = np.where(impossible, np.inf, self.weight * base.edges.run_energy)

    @property
    def choices(self) -> tuple[Group, ...]:
        """The group once for each DNN that its members may run; it has paths of its own where there is only one."""
        return self._choices or (self,)

    @property
    def count(self) -> int:
        """Number of members."""
        return len(self.members)

    @property
    def depth(self) -> int:
        """Number of blocks that run, at most where there are alternatives; 0 where no exit is accurate enough."""
        if self._choices:
            return max(choice.depth for choice in self._choices)
        return 0 if self._base is None else self._base.depth

    @property
    def weight(self) -> float:
        """Rate λ of each member (eq. 3)."""
        return self.application.weight

    @property
    def penalty(self) -> float | None:
        """Penalty ψ of turning a member away (eq. 23) [W], None where each must be served."""
        return self.application.rejection_penalty_w

    def problem(
        self, prices: Floats | None = None, room: Floats | None = None, *, with_power: bool = True
    ) -> PathProblem | None:
        """Return the path problem of one member. What it calls energy is λ · energy + Σ_r π_r u_r [W].

        With alternatives, each of the `choices` has one.

        Parameters
        ----------
        prices : ndarray, shape (R,), optional
            Price π_r ≥ 0 of taking a whole resource [W]; left out: nothing costs anything.
        room : ndarray, shape (R,), optional
            Fraction left of every resource; left out: all of it. A block or transfer that alone asks for more cannot
            be there. Several blocks on one node may together still ask for more: `Usage.fits` tells.
        with_power : bool
            False: what it calls energy is Σ_r π_r u_r alone.

        Returns
        -------
        PathProblem or None
            None where no exit is accurate enough.
        """
        assert not self._choices
        if self._base is None:
            return None
        edges, at, count = self._base.edges, self.topology.node_of_vertex, len(self.topology.network.nodes)
        run = self._run_power if with_power else np.where(self._run_power < np.inf, 0.0, np.inf)
        link_price = edges.link_price
        if prices is not None:
            run = run + prices[at] * self._compute + prices[count + at] * self._memory
            link_price = self._per_link(prices, 0.0) * edges.link_time
        if room is not None:
            no_room = (self._compute > room[at] + FLOAT_NOISE) | (self._memory > room[count + at] + FLOAT_NOISE)
            run = np.where(no_room, np.inf, run)
        return replace(
            self._base,
            edges=edges._replace(
                run_energy=run,
                energy_bits=self.weight * with_power * edges.energy_bits,
                load_bits=self._load_bits,
                link_price=link_price,
                link_room=self._link_room(room),
            ),
        )

    def taken(self, resource: int) -> Floats:
        """Return the fraction of a node's `resource` that each block takes, 0 at all other nodes; shape (depth, V)."""
        assert self._base is not None
        at, count = self.topology.node_of_vertex, len(self.topology.network.nodes)
        table = self._compute if resource < count else self._memory
        taken: Floats = np.where(at == resource % count, table, 0.0)
        return taken

    def fits_together(self, first: int, last: int, room: Floats) -> NDArray[np.bool_]:
        """Return whether each vertex has room for blocks first+1..last together; shape (V,)."""
        at, count = self.topology.node_of_vertex, len(self.topology.network.nodes)
        compute, memory = self._compute[first:last].sum(axis=0), self._memory[first:last].sum(axis=0)
        fits: NDArray[np.bool_] = (compute <= room[at] + FLOAT_NOISE) & (memory <= room[count + at] + FLOAT_NOISE)
        return fits

    def _per_link(self, of_resource: Floats, otherwise: float) -> Floats:
        """Return `of_resource` of every link's bandwidth, `otherwise` for links that join a node and its levels."""
        number = self.topology.link_number
        of_link: Floats = of_resource[2 * len(self.topology.network.nodes) + number]
        return np.where(number < 0, otherwise, of_link)

    def _link_room(self, room: Floats | None) -> Floats:
        """Return the bits per second left on every link; shape (A',)."""
        time = self.topology.link_time
        left = np.full(len(time), self._most_alone) if room is None else self._per_link(room, np.inf) + FLOAT_NOISE
        bits: Floats = np.divide(left, time, out=np.full(len(time), np.inf), where=time > 0)
        return bits

    @property
    def demands(self) -> tuple[Floats, Floats]:
        """Fractions of its node's compute and memory that each block takes at each vertex; shape (depth, V) each."""
        return self._compute, self._memory

    def most(self) -> Floats:
        """Return the most that one member could take of every resource, with all its blocks there; shape (R,)."""
        if self._choices:
            most: Floats = np.max([choice.most() for choice in self._choices], axis=0)
            return most
        count, number = len(self.topology.network.nodes), self.topology.link_number
        most = np.zeros(2 * count + len(self.topology.network.links))
        if self._base is not None:
            per_block, where = np.zeros((2 * count, self._base.depth)), self.topology.node_of_vertex
            runs = np.isfinite(self._run_power)
            np.maximum.at(per_block, where, np.where(runs, self._compute, 0.0).T)
            np.maximum.at(per_block, count + where, np.where(runs, self._memory, 0.0).T)
            most[: 2 * count] = per_block.sum(axis=1)
            joins = number >= 0
            most[2 * count + number[joins]] = self._load_bits.sum() * self.topology.link_time[joins]
        return most

    def usage(self, layers: Sequence[int], nodes: Sequence[int]) -> Usage:
        """Return what a path of `problem(…)`, given by its vertices (layer, vertex), asks of the system."""
        assert self._base is not None
        edges, at, count = self._base.edges, self.topology.node_of_vertex, len(self.topology.network.nodes)
        taken: defaultdict[int, float] = defaultdict(float)
        power = 0.0
        for (j, n), (after, m) in pairwise(zip(layers, nodes, strict=True)):
            if m != n:
                a = self._link(n, m)
                power += float(self.weight * edges.energy_bits[j] * edges.link_energy[a])
                number = self.topology.link_number[a]
                if number >= 0:
                    taken[2 * count + int(number)] += float(self._load_bits[j] * edges.link_time[a])
            if after > j:
                power += float(self._run_power[j, m])
                taken[int(at[m])] += float(self._compute[j, m])
                taken[count + int(at[m])] += float(self._memory[j, m])
        used = sorted(resource for resource, fraction in taken.items() if fraction > 0)
        return Usage(
            power,
            np.array(used, np.int32),
            np.array([taken[resource] for resource in used]),
            self._base.deployment(layers, nodes),
        )

    def _link(self, n: int, m: int) -> int:
        """Return the number of the link from vertex n to vertex m, among those sorted by target."""
        start, end = self.topology.in_start[m], self.topology.in_start[m + 1]
        return int(start + np.searchsorted(self.topology.link_source[start:end], n))


@dataclass(frozen=True)
class SharedSystem:
    """Groups of applications on one network with R shared resources."""

    topology: Topology
    groups: tuple[Group, ...]
    unit_bytes: float = 0.0
    """What fractions of a memory of 0 bytes are fractions of; 0 where nothing may be in such a memory."""

    @classmethod
    def of(
        cls, instance: Instance, *, forgiving: bool = False, from_nothing: bool = False, reachable: bool = False
    ) -> SharedSystem:
        """Return the system of `instance`; groups stand in the order of their first members.

        Parameters
        ----------
        instance : Instance
        forgiving : bool
            As in `Group`.
        from_nothing : bool
            Let blocks be in memories of 0 bytes as well: fractions of these are of all parameters together.
        reachable : bool
            Leave out of every group's layered graph what data from its source cannot reach: no path leads there. The
            numbers of vertices are then each group's own.
        """
        alike: defaultdict[tuple[Any, ...], list[Application]] = defaultdict(list)
        tables = ("pinned", "allowed")
        others = attrgetter(*(field for field in Application.model_fields if field not in ("name", *tables)))
        for app in instance.applications:
            where = (tuple(sorted(getattr(app, table).items())) for table in tables)
            alike[(*others(app), *where)].append(app)
        topology, memory, unit = Topology.of(instance), memory_of(instance.network), 0.0
        if from_nothing:
            dnns = (dnn for app in instance.applications for dnn in instance.dnns_of(app))
            unit = float(sum(block.parameter_bytes for dnn in dnns for block in dnn.blocks))
            memory = np.where(memory > 0, memory, unit)
        sources = {members[0].source for members in alike.values()}
        around = {source: topology.reachable_from(source) if reachable else topology for source in sources}
        groups = (
            Group(instance, around[members[0].source], members, forgiving=forgiving, memory=memory)
            for members in alike.values()
        )
        return cls(topology, tuple(groups), unit)

    @property
    def resources(self) -> int:
        """Number R of resources."""
        return 2 * len(self.topology.network.nodes) + len(self.topology.network.links)

    def empty_room(self) -> Floats:
        """Return the room of an empty system: all of every resource, and the tolerance of methods; shape (R,)."""
        return relaxed(np.ones(self.resources))

    def capacities(self) -> Floats:
        """Return what there is of every resource, without tolerance: 0 of a memory of 0 bytes, else 1; shape (R,)."""
        count, whole = len(self.topology.network.nodes), np.ones(self.resources)
        whole[count : 2 * count] = memory_of(self.topology.network) > 0
        return whole

    def capacity_unit(self, resource: int) -> float:
        """Return what fractions of a resource are fractions of: its capacity, or `unit_bytes` where that is 0."""
        return capacity_of(self.topology.network, resource) or self.unit_bytes


def memory_of(network: Network) -> Floats:
    """Return the memory of every node [byte], inf where it has no limit; shape (N,)."""
    return np.array([np.inf if node.memory_bytes is None else node.memory_bytes for node in network.nodes])


def resource_name(network: Network, resource: int) -> tuple[str, str]:
    """Return the kind (`compute`, `reservation`, `memory`, `bandwidth`) and subject (node, or link `n->m`)."""
    count = len(network.nodes)
    if resource >= 2 * count:
        link = network.links[resource - 2 * count]
        return "bandwidth", f"{link.source}->{link.target}"
    node = network.nodes[resource % count]
    if resource >= count:
        return "memory", node.name
    return ("reservation" if node.reserves else "compute"), node.name


def capacity_of(network: Network, resource: int) -> float:
    """Return a resource's right-hand side: executions, byte or bit/s; 1 for reservations; inf for unlimited memory."""
    kind, _ = resource_name(network, resource)
    count = len(network.nodes)
    if kind == "bandwidth":
        return network.links[resource - 2 * count].bandwidth_bit_per_s
    node = network.nodes[resource % count]
    if kind == "memory":
        return np.inf if node.memory_bytes is None else node.memory_bytes
    return 1.0 if kind == "reservation" else float(node.parallel)


def joint_deployment(served: Sequence[tuple[Group, Sequence[Usage]]]) -> Deployment:
    """Return the deployment in which each group's members take its usages in turn; the others are rejected.

    Parameters
    ----------
    served : sequence of (Group, sequence of Usage)
        Every group of the system, each with at most as many usages as it has members.
    """
    deployments: list[ApplicationDeployment] = []
    rejected: list[str] = []
    for group, usages in served:
        for name, usage in zip(group.members, usages, strict=False):
            deployments.append(usage.deployment.model_copy(update={"application": name}))
        rejected += group.members[len(usages) :]
    return Deployment(deployments=tuple(deployments), rejected=tuple(rejected))


def _fractions(demands: Floats, limits: Floats) -> Floats:
    """Return demand / limit for every pair: 0 where nothing is asked, inf where something is of a limit of 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(demands[:, None] > 0, demands[:, None] / limits, 0.0)
