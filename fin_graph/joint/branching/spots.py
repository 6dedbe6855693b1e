"""What rows of a branch's program speak of: spots, ways and forms.

A **spot** is one place in the layered graph of one alternative c of a group: block j+1 runs at vertex v, or its input
goes over link a. All spots of a system have one number each. A **way** is a column (eq. 24) that knows its spots. A
**form** is linear in the numbers of members on spots,

    F(x) = Σ_spots φ_s Σ_{c: s ∈ c} x_c

so that its row in the master costs its price at these spots, wherever a path meets them: pricing stays a shortest
constrained path (branching and cuts of this kind are called robust, Vanderbeck, Mathematical Programming 130, 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.deployment import ApplicationDeployment
from finbench.models.tolerances import FLOAT_NOISE

Numbers = NDArray[np.int64]
"""Numbers of spots."""


class SpotWay(NamedTuple):
    """A way to serve one member of a group, and its spots."""

    group: int
    usage: Usage
    spots: Numbers
    """Rising."""


@dataclass(frozen=True)
class SpotForm:
    """A linear form: a coefficient for each of some spots, whose numbers rise."""

    spots: Numbers
    coefficients: Floats

    def of(self, spots: Numbers) -> Floats:
        """Return the coefficients of `spots`, 0 of those that the form does not name."""
        if not len(self.spots):
            return np.zeros(len(spots))
        at = np.minimum(np.searchsorted(self.spots, spots), len(self.spots) - 1)
        found: Floats = np.where(self.spots[at] == spots, self.coefficients[at], 0.0)
        return found


class Spots:
    """The numbers of all spots of a system.

    Parameters
    ----------
    system : SharedSystem
    """

    def __init__(self, system: SharedSystem) -> None:
        self.system = system
        self.choices: tuple[Group, ...] = tuple(choice for group in system.groups for choice in group.choices)
        """All alternatives of all groups, in order."""
        self.group_of = [g for g, group in enumerate(system.groups) for _ in group.choices]
        """Group of every alternative."""
        self.vertices = len(system.topology.node_of_vertex)
        self.width = self.vertices + len(system.topology.link_source)
        """Spots of one layer: those of V vertices, then those of A' links."""
        self.offset = np.cumsum([0, *(choice.depth * self.width for choice in self.choices)])
        """First spot of every alternative, and the number of all spots."""

    @property
    def total(self) -> int:
        """Number of spots."""
        return int(self.offset[-1])

    def of_choice(self, c: int) -> slice:
        """Return where the spots of alternative c stand among all."""
        return slice(int(self.offset[c]), int(self.offset[c + 1]))

    def layer(self, c: int, j: int) -> int:
        """Return the first spot of layer j of alternative c."""
        return int(self.offset[c]) + j * self.width

    def runs(self, c: int, j: int) -> Numbers:
        """Return the spots of block j+1 of alternative c at all vertices."""
        start = self.layer(c, j)
        return np.arange(start, start + self.vertices)

    def place(self, spot: int) -> tuple[int, int, int]:
        """Return alternative, layer and place (vertex, or V + link) of a spot."""
        c = int(np.searchsorted(self.offset, spot, side="right")) - 1
        layer, at = divmod(spot - int(self.offset[c]), self.width)
        return c, layer, at

    def choices_of(self, g: int) -> list[int]:
        """Return the numbers of a group's alternatives."""
        return self._choices_of[g]

    @cached_property
    def _choices_of(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.system.groups]
        for c, g in enumerate(self.group_of):
            found[g].append(c)
        return found

    def way(self, g: int, usage: Usage) -> SpotWay:
        """Return a usage of group g with its spots."""
        deployment = usage.deployment
        c = next(c for c in self.choices_of(g) if self.choices[c].application.named_dnn == deployment.dnn)
        spots = [spot for j in range(len(deployment.placement)) for spot in self._spots(c, j, deployment)]
        return SpotWay(g, usage, np.unique(np.array(spots, np.int64)))

    def _spots(self, c: int, j: int, deployment: ApplicationDeployment) -> list[int]:
        assert deployment.routes is not None
        start, route = self.layer(c, j), deployment.routes[j]
        share = 1.0 if deployment.shares is None else deployment.shares[j]
        over = [start + self.vertices + self._link[pair] for pair in pairwise(route)]
        return [start + self._vertex[deployment.placement[j], share], *over]

    @cached_property
    def _vertex(self) -> dict[tuple[str, float], int]:
        shares = self.system.topology.share_of_vertex.tolist()
        names = self.system.topology.names
        return {(name, share): v for v, (name, share) in enumerate(zip(names, shares, strict=True)) if share > 0}

    @cached_property
    def _link(self) -> dict[tuple[str, str], int]:
        topology, count = self.system.topology, len(self.system.topology.network.nodes)
        ends = zip(topology.link_source.tolist(), topology.link_target.tolist(), strict=True)
        names = topology.names
        return {(names[n], names[m]): a for a, (n, m) in enumerate(ends) if n < count and m < count}

    def demands(self, resource: int) -> SpotForm:
        """Return what each spot takes of a resource, as the form whose row is that of the resource (eqs. 11-13, 21)."""
        spots, taken = list[Numbers](), list[Floats]()
        count = len(self.system.topology.network.nodes)
        for c, choice in enumerate(self.choices):
            if not choice.depth:
                continue
            dense = np.zeros((choice.depth, self.width))
            if resource < 2 * count:
                dense[:, : self.vertices] = choice.taken(resource)
            else:
                dense[:, self.vertices :] = self._sent(choice, resource - 2 * count)
            found = np.flatnonzero(dense)
            spots.append(found + self.offset[c])
            taken.append(dense.ravel()[found])
        return (
            SpotForm(np.concatenate(spots), np.concatenate(taken))
            if spots
            else SpotForm(np.zeros(0, np.int64), np.zeros(0))
        )

    def _sent(self, choice: Group, link: int) -> Floats:
        topology, problem = self.system.topology, choice.problem()
        assert problem is not None
        time = np.where(topology.link_number == link, topology.link_time, 0.0)
        sent: Floats = problem.edges.load_bits[:, None] * time
        return sent


def most_of_all(spots: Spots) -> float:
    """Return a number that no joint deployment without detours costs more than: every member pays most everywhere."""
    total = 0.0
    for g, group in enumerate(spots.system.groups):
        most = [group.penalty or 0.0]
        for c in spots.choices_of(g):
            problem = spots.choices[c].problem()
            if problem is not None:
                runs = np.where(np.isfinite(problem.edges.run_energy), problem.edges.run_energy, 0.0)
                sends = problem.edges.energy_bits.sum() * problem.edges.link_energy.sum()
                most.append(float(runs.max(axis=1).sum() + sends))
        total += group.count * max(most)
    return total * (1 + FLOAT_NOISE) if total > 0 else 1.0


def values_at(ways: Sequence[SpotWay], times: Floats) -> tuple[Numbers, Floats]:
    """Return the spots on which members are, rising, and how many members are on each."""
    used = np.flatnonzero(times > 0).tolist()
    if not used:
        return np.zeros(0, np.int64), np.zeros(0)
    spots = np.concatenate([ways[k].spots for k in used])
    weights = np.repeat(times[used], [len(ways[k].spots) for k in used])
    found, inverse = np.unique(spots, return_inverse=True)
    return found, np.bincount(inverse, weights).astype(float)
