"""By how much one part, or two together, must be faster so that applications meet their latency targets.

With x = 1/f the least latency is m(x) = min over paths of a + x t, where t is the time that a path spends on the parts
and a its other latency: concave, and rising in x. Where m(0) > δ no factor helps. Else the greatest x with m(x) ≤ δ is
found by Newton's steps from x = 0: each path's line lies above m, so every step stays where m(x) ≤ δ, and the last one,
where m(x) = δ, is the greatest, for m(1) > δ and m is concave. There are finitely many lines, so few steps are needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf

from finbench.fin_graph.joint.explanation.parts import NetworkPart, parts_of, sped_up
from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.shortest import least_latency_path, path_costs
from finbench.fin_graph.paths.topology import Topology
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, SUM_NOISE

GREATEST = 1000.0
"""Factor beyond which a part is no longer said to help."""

PAIRED = 12
"""Parts, those that help most when they take no time, of which pairs are looked at."""

_MOST_STEPS = 100


@dataclass(frozen=True)
class Enabler:
    """Parts that make an infeasible application feasible once they are faster."""

    parts: tuple[NetworkPart, ...]
    """One, or two that become faster together."""
    factor: float
    """The least that does."""


@dataclass(frozen=True)
class Enablers:
    """The upgrades that would do, the least factor first."""

    found: tuple[Enabler, ...] = ()
    """Single ones; where there is none, pairs among the `PAIRED` most helpful parts."""
    left_out: int = 0
    """Parts that time left no room for."""


def least_factor(problem: PathProblem, topology: Topology, parts: Collection[NetworkPart]) -> float | None:
    """Return the least factor by which `parts` must be faster so that some path meets the latency target.

    Returns
    -------
    float or None
        1 where it is met as things are; None where none up to `GREATEST` does.
    """
    limit, free, time = problem.max_latency_s * (1 + FLOAT_NOISE), sped_up(problem, topology, parts, 0.0), 0.0
    for _ in range(_MOST_STEPS):
        path = least_latency_path(sped_up(problem, topology, parts, time))
        if path is None:
            return None
        other = path_costs(free, path.layers, path.nodes)[1]
        spent = path_costs(problem, path.layers, path.nodes)[1] - other
        if other > limit:
            return None
        after = 1.0 if other + spent <= limit else (limit - other) / spent
        if after <= time * (1 + SUM_NOISE):
            break
        time = after
    return 1 / time if time * GREATEST >= 1 else None


def enablers_of(problems: Sequence[Sequence[PathProblem]], topology: Topology, clock: Clock) -> Enablers:
    """Return which single part, or else which pair, would let every application meet its target, and by which factor.

    Parameters
    ----------
    problems : sequence of sequences of PathProblem
        One for each application that cannot meet its target as things are: its alternatives, of which one that does is
        enough. Capacities are not looked at.
    topology : Topology
    clock : Clock
    """
    looked_at: list[NetworkPart] = []
    found = []
    everything = parts_of(topology.network)
    for part in everything:
        if clock.expired:
            break
        looked_at.append(part)
        factor = _common_factor(problems, topology, (part,))
        if factor is not None:
            found.append(Enabler((part,), factor))
    if not found:
        found = _pairs(problems, topology, looked_at, clock)
    return Enablers(tuple(sorted(found, key=lambda one: one.factor)), len(everything) - len(looked_at))


def _common_factor(
    problems: Sequence[Sequence[PathProblem]], topology: Topology, parts: Collection[NetworkPart]
) -> float | None:
    """Return the least factor that does for all applications; None where one of them needs more than there is."""
    most = 1.0
    for alternatives in problems:
        factors = [least_factor(problem, topology, parts) for problem in alternatives]
        enough = [factor for factor in factors if factor is not None]
        if not enough:
            return None
        most = max(most, min(enough))
    return most


def _pairs(
    problems: Sequence[Sequence[PathProblem]], topology: Topology, parts: Collection[NetworkPart], clock: Clock
) -> list[Enabler]:
    """Return pairs among the most helpful parts that would do together."""
    found = []
    for pair in combinations(sorted(parts, key=lambda part: _free(problems, topology, part))[:PAIRED], 2):
        if clock.expired:
            break
        factor = _common_factor(problems, topology, pair)
        if factor is not None:
            found.append(Enabler(pair, factor))
    return found


def _free(problems: Sequence[Sequence[PathProblem]], topology: Topology, part: NetworkPart) -> float:
    """Return the least latencies where a part takes no time, each as a multiple of its target, added up."""
    return sum(min(_relative_latency(one, topology, part) for one in alternatives) for alternatives in problems)


def _relative_latency(problem: PathProblem, topology: Topology, part: NetworkPart) -> float:
    path = least_latency_path(sped_up(problem, topology, (part,), 0.0))
    return inf if path is None else path.latency / problem.max_latency_s
