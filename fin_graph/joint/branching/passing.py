"""What a member that has a block on a spot takes of a resource in all, at least.

A resource's row adds up single blocks, and a member that runs a late block on a node mostly runs earlier ones there,
too. With w_s the least that a path through spot s takes of the resource, and one layer j_c chosen for every alternative
c,

    Σ_c Σ_{s ∈ layer j_c of c} w_s Y_s ≤ b

holds for all whole numbers of members that fit: every member served has block j_c+1 on exactly one of these spots, and
takes w_s or more. Covers of this row say of whole deployments what covers of the resource's own row say of blocks.

Only paths matter that something better than the incumbent uses: those of cost c_P within the latency target, and below
L_g = UB − LB + min(ψ_g, v_g), at the prices of a bound LB of the root (`fixing`). With multipliers θ, μ ≥ 0

    w_s = max_θ min_{P through s} (u_P + θ (c_P + μ (latency_P − δ) − L_g))

is no more than what each of them takes, and a shortest path gives it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.joint.branching.branch import Branch
from finbench.fin_graph.joint.branching.fixing import through_spots
from finbench.fin_graph.joint.branching.pricing import BranchPricer
from finbench.fin_graph.joint.branching.relaxing import Outcome
from finbench.fin_graph.joint.branching.spots import Numbers, SpotForm
from finbench.fin_graph.paths.arrays import Edges, Floats, PathProblem
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.models.tolerances import FLOAT_NOISE

_PARTS = (0.0, 0.02, 0.1, 0.5)
"""Fractions of a resource that θ counts the whole of UB − LB as."""

_MOST_KEPT = 5_000
"""Tables of demands that are kept."""


class RootBound(NamedTuple):
    """A bound of the root, and what is open above it."""

    branch: Branch
    outcome: Outcome
    penalties: Floats
    cutoff: float


class PassingCosts(NamedTuple):
    """c_P + μ · latency_P of an alternative, edge by edge, and what a path of it may cost."""

    problem: PathProblem
    run: Floats
    """0 where no path is; shape (depth, V)."""
    send: Floats
    """0 where no path is; shape (depth, A')."""
    no_run: NDArray[np.bool_]
    no_send: NDArray[np.bool_]
    most: float
    """L_g + μδ; inf where nothing is known."""


class PassingDemands:
    """w_s, computed where it is asked for.

    Parameters
    ----------
    pricer : BranchPricer
        What it has closed to everybody is on no path.
    """

    def __init__(self, pricer: BranchPricer) -> None:
        self._pricer, self._spots = pricer, pricer.spots
        self._root: RootBound | None = None
        self._costs: dict[int, PassingCosts | None] = {}
        self._demands: dict[tuple[int, int], Floats] = {}

    def learn(self, root: Branch, outcome: Outcome, penalties: Floats, cutoff: float) -> None:
        """Take a bound of the root, and the cutoff; arguments as of `fixing.hopeless`."""
        self._root = RootBound(root, outcome, penalties, cutoff)
        self._costs.clear()
        self._demands.clear()

    def row(self, resource: int, users: Numbers, served: SpotForm) -> SpotForm:
        """Return w_s on one layer of every alternative that takes of a resource: that which fills it most.

        Parameters
        ----------
        resource : int
        users : ndarray
            Spots on which members are who take of it, rising.
        served : SpotForm
            How many members are on each spot.
        """
        spots, demands = list[Numbers](), list[Floats]()
        for c in np.unique(np.searchsorted(self._spots.offset, users, side="right") - 1).tolist():
            taken, place = self._of(resource, c), self._spots.of_choice(c)
            members = served.of(np.arange(place.start, place.stop)).reshape(-1, self._spots.width)
            j = int((taken * members[:, : self._spots.vertices]).sum(axis=1).argmax())
            used = np.flatnonzero(taken[j])
            spots.append(self._spots.layer(c, j) + used)
            demands.append(taken[j, used])
        return SpotForm(np.concatenate(spots), np.concatenate(demands))

    def _of(self, resource: int, c: int) -> Floats:
        """Return w_s of the spots of blocks of alternative c, 0 where no path is; shape (depth, V)."""
        if c not in self._costs:
            self._costs[c] = self._priced(c)
        if (resource, c) not in self._demands:
            if len(self._demands) >= _MOST_KEPT:
                self._demands.clear()
            costs = self._costs[c]
            shape = self._spots.choices[c].depth, self._spots.vertices
            self._demands[resource, c] = np.zeros(shape) if costs is None else self._least(resource, c, costs)
        return self._demands[resource, c]

    def _priced(self, c: int) -> PassingCosts | None:
        """Return the costs of an alternative's edges; None where it has no path."""
        root, g = self._root, self._spots.group_of[c]
        if root is None:
            return None
        found = self._pricer.problem(c, root.branch.parties[g], root.outcome.prices)
        if found is None:
            return None
        problem, shift = found
        edges, mu = problem.edges, lagrangian_dual(problem).multiplier
        most = root.cutoff - root.outcome.best + min(float(root.penalties[g]), float(root.outcome.least[g])) - shift
        paid = mu * problem.max_latency_s * (1 + FLOAT_NOISE)
        send_latency = edges.latency_bits[:, None] * edges.link_time + edges.delay_weight[:, None] * edges.link_delay
        run, send = edges.run_energy + mu * edges.run_latency, _send_energy(edges) + mu * send_latency
        return PassingCosts(
            problem,
            np.where(np.isinf(run), 0.0, run),
            np.where(np.isinf(send), 0.0, send),
            np.isinf(run),
            np.isinf(send),
            most + paid + FLOAT_NOISE * (abs(most) + paid),
        )

    def _least(self, resource: int, c: int, costs: PassingCosts) -> Floats:
        assert self._root is not None
        spots, price = self._spots, np.zeros(self._spots.system.resources)
        price[resource] = 1.0
        plain = spots.choices[c].problem(price, with_power=False)
        assert plain is not None
        taken, sent = plain.edges.run_energy, _send_energy(plain.edges)
        least, open_ = np.zeros((plain.depth, spots.vertices)), self._root.cutoff - self._root.outcome.best
        for part in _PARTS if np.isfinite(costs.most) and open_ > 0 else (0.0,):
            theta = part / open_ if part else 0.0
            run = np.where(costs.no_run, np.inf, taken + theta * costs.run)
            send = np.where(costs.no_send, np.inf, sent + theta * costs.send)
            nothing = np.zeros(plain.depth)
            edges = costs.problem.edges._replace(
                run_energy=run, send_price=send, energy_bits=nothing, link_price=np.zeros(len(plain.edges.link_price))
            )
            through = through_spots(edges, plain.source, 0.0)[:, : spots.vertices]
            through = np.where(np.isfinite(through), through * (1 - FLOAT_NOISE), 0.0)
            np.maximum(least, through - theta * costs.most if part else through, out=least)
        return least


def _send_energy(edges: Edges) -> Floats:
    """Return the energy of a transfer over every link; shape (depth, A')."""
    energy: Floats = edges.energy_bits[:, None] * edges.link_energy + edges.load_bits[:, None] * edges.link_price
    return energy + edges.send_price if edges.send_price.shape[0] else energy
