"""What deployments ask of the shared system: loads of nodes and links, how full each is, where the power goes.

The left-hand sides of the capacity rows (eqs. 11–13 and 21), for applications h with rate λ_h (0 without one):

    (11) compute of n      Σ_h λ_h Σ_i s_i t_{i,n} [x_i = n]                     ≤ K_n
    (12) memory of n       Σ_h Σ_i w_i [x_i = n]                                 ≤ M_n
    (13) bandwidth of n→m  Σ_h λ_h Σ_i s_i d_{i-1} [(n,m) ∈ route_i]             ≤ B_nm
    (21) reservations of n Σ_h Σ_i r_i [x_i = n]                                 ≤ 1      where n reserves shares
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from finbench.models.instance import Application, Instance, Objective
from finbench.models.step_costs import StepCosts, worth

ServedApplications = Sequence[tuple[Application, Sequence[StepCosts]]]
"""Applications with the steps of their deployments, as `step_costs` yields them."""


class Resource(StrEnum):
    """What is shared."""

    COMPUTE = "compute"
    MEMORY = "memory"
    BANDWIDTH = "bandwidth"
    RESERVATION = "reservation"


UNITS = {
    Resource.COMPUTE: "executions",
    Resource.MEMORY: "byte",
    Resource.BANDWIDTH: "bit/s",
    Resource.RESERVATION: "of its compute",
}


@dataclass(frozen=True)
class Loads:
    """What deployments ask of every node and link that they use."""

    executions: dict[str, float] = field(default_factory=dict)
    """How many blocks run at a node at the same time, on average."""
    memory_bytes: dict[str, float] = field(default_factory=dict)
    bandwidth_bit_per_s: dict[tuple[str, str], float] = field(default_factory=dict)
    reserved_share: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Use:
    """How much of one resource is used."""

    resource: Resource
    subject: str
    """The node, or the link as `n->m`."""
    load: float
    limit: float

    @property
    def utilisation(self) -> float:
        """Load over limit; inf where something is asked of a resource of which there is nothing."""
        if self.limit > 0:
            return self.load / self.limit
        return inf if self.load > 0 else 0.0


def loads_of(served: ServedApplications) -> Loads:
    """Return the left-hand sides of eqs. (11)–(13) and (21)."""
    compute: defaultdict[str, float] = defaultdict(float)
    memory: defaultdict[str, float] = defaultdict(float)
    bandwidth: defaultdict[tuple[str, str], float] = defaultdict(float)
    reserved: defaultdict[str, float] = defaultdict(float)
    for _, steps in served:
        for step in steps:
            name = step.node.name
            compute[name] += step.executions
            memory[name] += step.memory_bytes
            if step.node.reserves:
                reserved[name] += step.share
            for hop in step.hops:
                bandwidth[hop.source, hop.target] += step.transfer_bit_per_s
    return Loads(dict(compute), dict(memory), dict(bandwidth), dict(reserved))


def uses(instance: Instance, loads: Loads) -> list[Use]:
    """Return every limited resource that is used, the fullest first."""
    return sorted(_uses(instance, loads), key=lambda use: (-use.utilisation, use.resource, use.subject))


def _uses(instance: Instance, loads: Loads) -> Iterator[Use]:
    nodes, links = instance.network.node_by_name, instance.network.link_by_pair
    for name, load in loads.executions.items():
        yield Use(Resource.COMPUTE, name, load, float(nodes[name].parallel))
    for name, load in loads.memory_bytes.items():
        limit = nodes[name].memory_bytes
        if limit is not None:
            yield Use(Resource.MEMORY, name, load, limit)
    for name, load in loads.reserved_share.items():
        yield Use(Resource.RESERVATION, name, load, 1.0)
    for pair, load in loads.bandwidth_bit_per_s.items():
        yield Use(Resource.BANDWIDTH, f"{pair[0]}->{pair[1]}", load, links[pair].bandwidth_bit_per_s)


def tier_objective(objective: Objective, served: ServedApplications) -> dict[str, float]:
    """Return where the objective (eq. 3) without penalties is spent, by the tier that computes, sends or receives.

    Returns
    -------
    dict of str to float
        In the objective's unit for every tier used; they sum to Σ_h λ_h energy(h), or its carbon or price (eq. 31).
    """
    spent: defaultdict[str, float] = defaultdict(float)
    for app, steps in served:
        for step in steps:
            for where in step.spent:
                spent[where[0].tier] += app.weight * worth(objective, *where)
    return dict(spent)
