"""Waits that were measured at stations, and the instance in which they are part of every latency.

First come, first served, a wait does not depend on how long the sample is served itself. So what samples wait at a node
is a time ω_n before each run (`Node.wait_s`, eq. 2), and what they wait at a link adds to its delay τ_nm; neither takes
capacity or energy. The plan then avoids what is slow by waiting, just as it avoids what is slow by itself.

A mean is not enough where a share p of all samples must be in time. In heavy traffic the wait at a station of
utilisation u, W on average, exceeds x with probability u exp(−u x / W) (exactly so in M/M/1; J. F. C. Kingman, The
single server queue in heavy traffic, 1961). A share p waits at most

    ω = (W / u) ln(u / (1 − p))    where u > 1 − p, and never less than W is planned with.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from finbench.benchmarks.simulation.simulate import SimulatedStation, Simulation
from finbench.benchmarks.simulation.stages import StationKind
from finbench.models.instance import Instance

Place = tuple[bool, str]
"""Where samples wait: whether it is a link, and the node's name or the link's as `n->m`."""

Waits = Mapping[Place, float]
"""Time by place [s]."""


def wait_of_share(mean_s: float, utilisation: float, share: float) -> float:
    """Return ω, the wait that a share p of all samples at a station keeps within, never less than the mean [s]."""
    if utilisation <= 1 - share:
        return mean_s
    return max(mean_s, mean_s / utilisation * log(utilisation / (1 - share)))


def measured_waits(met: Simulation, share: float) -> dict[Place, float]:
    """Return by place what a share of all samples waited at most where a plan was simulated [s].

    Where blocks have reservations of their own at a node, it is the longest of theirs.
    """
    found: dict[Place, float] = {}
    for one in met.stations:
        place = _place(one)
        wait = wait_of_share(one.waiting_s, one.utilisation, share)
        found[place] = max(found.get(place, 0.0), wait)
    return found


def _place(one: SimulatedStation) -> Place:
    kind, subject = one.station.kind, one.station.subject
    if kind is StationKind.RESERVATION:
        return False, one.station.node
    return kind is StationKind.LINK, subject


def with_waits(instance: Instance, waits: Waits) -> Instance:
    """Return the instance in which these waits add to every latency."""
    nodes = tuple(
        node.model_copy(update={"wait_s": node.wait_s + waits.get((False, node.name), 0.0)})
        for node in instance.network.nodes
    )
    links = tuple(
        link.model_copy(update={"delay_s": link.delay_s + waits.get((True, f"{link.source}->{link.target}"), 0.0)})
        for link in instance.network.links
    )
    network = instance.network.model_copy(update={"nodes": nodes, "links": links})
    return instance.model_copy(update={"network": network})
