"""Pricing at a branch: the cheapest way to serve a member of each party, and the bound that follows.

At prices π_r ≥ 0 of resources and duals y_k of limits and cuts (≥ 0 where a lower bound pays, ≤ 0 where an upper one
does), a path of a member costs λ·energy + Σ_r π_r u_r − Σ_k y_k F_k, so that a spot costs −Σ_k y_k φ_{k,s} more. With
v_p at most the least cost of serving a member of party p,

    (25') Σ_p min_ρ (ψ_p ρ + (n_p − ρ) v_p) − Σ_r b_r π_r + Σ_k y_k (l_k or h_k)  ≤  all that the branch allows

where ρ runs over the numbers of rejected members that the branch allows.

Lower bounds stand on spots of blocks alone. There y_k > 0 makes spots cheaper, maybe cheaper than nothing; every path
runs each block once, so that the least of a layer's spots is taken from all of them, and added to the path's cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.branching.branch import Limit, Party, spot_array
from finbench.fin_graph.joint.branching.spots import Spots, SpotWay
from finbench.fin_graph.paths.arrays import Floats, Ints, PathProblem
from finbench.fin_graph.paths.bounds import lagrangian_dual, meets
from finbench.fin_graph.paths.dual_path import dual_from
from finbench.fin_graph.paths.label_search import LabelSearch
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, OPTIMAL_GAP, safe_bound

_MOST_STARTS = 20_000
"""Paths that are kept to start from."""


class Prices(NamedTuple):
    """Prices of resources, and what each spot costs beyond them."""

    resources: Floats
    spots: Floats | None
    """Shape (spots,); None where no limit has a dual."""

    @classmethod
    def of(cls, spots: Spots, resources: Floats, limits: Sequence[Limit], duals: Floats) -> Prices:
        """Return the prices that go with duals y_k of limits."""
        if not np.any(duals):
            return cls(resources, None)
        beyond = np.zeros(spots.total)
        for limit, dual in zip(limits, duals, strict=True):
            if dual:
                beyond[limit.form.spots] -= dual * limit.form.coefficients
        return cls(resources, beyond)


class CheapestWay(NamedTuple):
    """What is known of the cheapest way to serve a member of a party."""

    bound: float
    """v_p: proven lower bound on its cost; inf where nothing serves it."""
    way: SpotWay | None
    cost: float


@dataclass
class _Start:
    """A path that meets the latency target, and where the last search for the cheapest ended."""

    layers: Ints
    nodes: Ints
    multiplier: float = 0.0


class BranchPricer:
    """The cheapest ways of parties, each search from where the last one for the same closed spots ended.

    Parameters
    ----------
    spots : Spots
    """

    def __init__(self, spots: Spots) -> None:
        self.spots = spots
        self.fixed: NDArray[np.bool_] = np.zeros(spots.total, np.bool_)
        """Spots that are closed to everybody: no better joint deployment uses them."""
        self._starts: dict[tuple[int, frozenset[int]], _Start | None] = {}
        self._ways: dict[tuple[int, bytes], SpotWay] = {}

    def close(self, closed: NDArray[np.bool_]) -> None:
        """Close spots to everybody."""
        self.fixed |= closed
        self._starts.clear()

    def allows(self, party: Party, way: SpotWay) -> bool:
        """Return whether a way has no closed spot."""
        return not self.fixed[way.spots].any() and party.closed.isdisjoint(way.spots.tolist())

    def price(self, party: Party, prices: Prices) -> CheapestWay:
        """Return the Lagrangian dual of a member of `party`, and the cheapest way met."""
        best = CheapestWay(inf, None, inf)
        for c in self.spots.choices_of(party.group):
            start = self._start(c, party)
            if start is not None:
                problem, shift = self._problem(c, party, prices)
                best = _cheaper(best, self._dual(c, problem, shift, start))
        return best

    def exact(self, party: Party, prices: Prices, clock: Clock, below: float) -> CheapestWay:
        """Return the cheapest way, or the proof (`bound`) that none costs below `below`."""
        best = CheapestWay(inf, None, inf)
        for c in self.spots.choices_of(party.group):
            if self._start(c, party) is not None:
                problem, shift = self._problem(c, party, prices)
                best = _cheaper(best, self._searched(c, problem, shift, clock, below))
        return best

    def problem(self, c: int, party: Party, prices: Prices) -> tuple[PathProblem, float] | None:
        """Return alternative c's path problem at prices, and what its paths cost beyond it; None where none is left."""
        return None if self._start(c, party) is None else self._problem(c, party, prices)

    def _dual(self, c: int, problem: PathProblem, shift: float, start: _Start) -> CheapestWay:
        bound, start.multiplier, cost, start.layers, start.nodes = dual_from(
            problem.edges,
            problem.source,
            problem.max_latency_s * (1 + FLOAT_NOISE),
            start.multiplier,
            start.layers,
            start.nodes,
        )
        return CheapestWay(bound + shift, self.way(c, start.layers, start.nodes), cost + shift)

    def _searched(self, c: int, problem: PathProblem, shift: float, clock: Clock, below: float) -> CheapestWay:
        dual = lagrangian_dual(problem)
        best = dual.incumbent
        assert best is not None
        way = self.way(c, np.array(best.layers, np.int32), np.array(best.nodes, np.int32))
        limit = min(best.energy, below - shift)
        if limit - dual.lower_bound <= OPTIMAL_GAP * abs(limit):
            return CheapestWay(dual.lower_bound + shift, way, best.energy + shift)
        search = LabelSearch(problem, dual, limit=limit, clock=clock, complete=True)
        search.run()
        bound = max(dual.lower_bound, search.lower_bound())
        for energy, layers, nodes in search.paths():
            found = self.way(c, np.array(layers, np.int32), np.array(nodes, np.int32))
            return CheapestWay(min(bound, energy) + shift, found, energy + shift)
        return CheapestWay(bound + shift, way, best.energy + shift)

    def _problem(self, c: int, party: Party, prices: Prices) -> tuple[PathProblem, float]:
        """Return a path problem without negative costs, and what all its paths cost beyond it."""
        problem = self.spots.choices[c].problem(prices.resources)
        assert problem is not None
        shape = problem.depth, self.spots.width
        place, vertices, shift = self.spots.of_choice(c), self.spots.vertices, 0.0
        beyond = np.zeros(shape) if prices.spots is None else prices.spots[place].reshape(shape).copy()
        if prices.spots is not None:
            least = np.minimum(beyond[:, :vertices].min(axis=1), 0.0)
            beyond[:, :vertices] -= least[:, None]
            shift = float(least.sum())
        beyond[self._closed(c, party).reshape(shape)] = inf
        edges = problem.edges
        return replace(
            problem,
            edges=edges._replace(
                run_energy=edges.run_energy + beyond[:, :vertices],
                send_price=np.ascontiguousarray(beyond[:, vertices:]),
            ),
        ), shift

    def _closed(self, c: int, party: Party) -> NDArray[np.bool_]:
        place = self.spots.of_choice(c)
        closed = self.fixed[place].copy()
        if party.closed:
            mine = spot_array(party.closed)
            closed[mine[(mine >= place.start) & (mine < place.stop)] - place.start] = True
        return closed

    def _start(self, c: int, party: Party) -> _Start | None:
        """Return a path of the party in alternative c that meets the latency target; None where there is none."""
        key = c, party.closed
        if key not in self._starts:
            if len(self._starts) > _MOST_STARTS:
                self._starts.clear()
            self._starts[key] = self._first(c, party)
        return self._starts[key]

    def _first(self, c: int, party: Party) -> _Start | None:
        choice = self.spots.choices[c]
        if choice.depth == 0:
            return None
        problem, _ = self._problem(c, party, Prices(np.zeros(self.spots.system.resources), None))
        path = least_latency_path(problem)
        if path is None or not meets(path.latency, problem.max_latency_s):
            return None
        return _Start(np.array(path.layers, np.int32), np.array(path.nodes, np.int32))

    def way(self, c: int, layers: Ints, nodes: Ints) -> SpotWay:
        """Return the way of a path of alternative c, given by its vertices (layer, vertex)."""
        key = c, layers.tobytes() + nodes.tobytes()
        if key not in self._ways:
            usage = self.spots.choices[c].usage(layers.tolist(), nodes.tolist())
            self._ways[key] = self.spots.way(self.spots.group_of[c], usage)
        return self._ways[key]


def _cheaper(one: CheapestWay, other: CheapestWay) -> CheapestWay:
    """Return the cheaper of two ways, and a bound on both."""
    best = other if other.cost < one.cost else one
    return best._replace(bound=min(one.bound, other.bound))


def branch_bound(
    parties: Sequence[Party],
    penalties: Floats,
    least: Floats,
    prices: Floats,
    room: Floats,
    limits: Sequence[Limit],
    duals: Floats,
) -> tuple[float, float]:
    """Return the bound (25') as it was summed up, and the same less what rounding may have added.

    Parameters
    ----------
    parties : sequence of Party
    penalties : ndarray
        ψ_p of every party; inf where members must be served.
    least : ndarray
        v_p of every party.
    prices, room : ndarray, shape (R,)
    limits : sequence of Limit
    duals : ndarray
        y_k.
    """
    total = terms = 0.0
    for party, penalty, value in zip(parties, penalties.tolist(), least.tolist(), strict=True):
        fewest, most = party.least_rejected, party.most_rejected
        if value == inf and most < party.count:
            return inf, inf
        rejected = most if value > penalty else fewest
        paid = rejected * penalty if rejected else 0.0
        served = (party.count - rejected) * value if rejected < party.count else 0.0
        total, terms = total + paid + served, terms + abs(paid) + abs(served)
    room_paid = float(room @ prices)
    sides = [
        limit.most if dual < 0 else limit.least if dual > 0 else 0.0 for limit, dual in zip(limits, duals, strict=True)
    ]
    limited = float(duals @ np.array(sides)) if sides else 0.0
    magnitude = float(np.abs(duals) @ np.abs(np.array(sides))) if sides else 0.0
    value = total - room_paid + limited
    # What is priced on spots passes through the paths' costs as well, which bounds of several layers add up.
    return value, safe_bound(value, terms + room_paid + 4 * magnitude)
