"""A deployment as stations and stages: where samples wait, how long they are served, what that takes.

A sample of application h passes its stages in order. To send output i − 1 over a link takes d_{i−1}/B_nm at the link,
and τ_nm more until it has arrived; to run block i takes t_{i,n}/r_i at the node (eq. 26). A station serves first come,
first served, in as many places as it has: a link one, a node K_n for all blocks that run there. A block that reserves a
share has a station of its own, with K_n places of speed r_i. A time ω_n that passes before each run anyway (eq. 2)
takes no place; it is counted behind the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import DNN, Application, Instance
from finbench.models.step_costs import run_once


class StationKind(StrEnum):
    """What serves samples."""

    NODE = "node"
    RESERVATION = "reservation"
    LINK = "link"


@dataclass(frozen=True)
class Station:
    """Something that serves samples, and where they wait for it."""

    kind: StationKind
    subject: str
    """The node, the link as `n->m`, or a reservation as `node: application, block i`."""
    places: int
    """How many samples are served at the same time."""
    node: str = ""
    """The node, where it is one or a reservation there."""


@dataclass(frozen=True)
class Stage:
    """One service that a sample needs."""

    station: int
    """Number of the station."""
    service_s: float
    """How long the sample occupies a place [s]."""
    after_s: float
    """How long it then travels to the next station [s]."""
    compute_energy_j: float
    transfer_energy_j: float


@dataclass(frozen=True)
class Leaving:
    """An exit where samples leave."""

    exit: int
    """1-based index of the exit."""
    share: float
    """Part of the application's samples that leave here."""
    stages: int
    """How many stages they have passed by then."""


@dataclass(frozen=True)
class Itinerary:
    """What the samples of one application pass."""

    application: Application
    stages: tuple[Stage, ...]
    leavings: tuple[Leaving, ...]

    @property
    def unhindered_s(self) -> tuple[float, ...]:
        """Latency of a sample that never waits, for each of `leavings` [s]."""
        return tuple(sum(s.service_s + s.after_s for s in self.stages[: one.stages]) for one in self.leavings)

    def energies_j(self) -> tuple[tuple[float, float], ...]:
        """Return compute and transfer energy of one sample, for each of `leavings` [J]."""
        passed = [self.stages[: one.stages] for one in self.leavings]
        return tuple((sum(s.compute_energy_j for s in some), sum(s.transfer_energy_j for s in some)) for some in passed)


class StationNumbers:
    """Numbers stations in the order in which they are asked for."""

    def __init__(self) -> None:
        self.stations: list[Station] = []
        self._number_of: dict[tuple[StationKind, str], int] = {}

    def of(self, kind: StationKind, subject: str, places: int, node: str = "") -> int:
        """Return the number of a station."""
        number = self._number_of.setdefault((kind, subject), len(self.stations))
        if number == len(self.stations):
            self.stations.append(Station(kind, subject, places, node))
        return number


def itineraries(instance: Instance, deployment: Deployment) -> tuple[list[Station], list[Itinerary]]:
    """Return the stations of a feasible deployment, and what the samples of every served application pass."""
    numbers = StationNumbers()
    by_name = {app.name: app for app in instance.applications}
    found = []
    for decision in deployment.deployments:
        app = by_name[decision.application].choice(decision.dnn)
        if app is None:
            raise ValueError(f"application '{decision.application}': dnn = {decision.dnn!r}: not one that it may run")
        found.append(_itinerary(instance, app, decision, numbers))
    return numbers.stations, found


def _itinerary(
    instance: Instance, app: Application, decision: ApplicationDeployment, numbers: StationNumbers
) -> Itinerary:
    dnn = instance.dnn_of(app)
    stages: list[Stage] = []
    passed: list[int] = []
    for i in range(1, len(decision.placement) + 1):
        stages += _stages_of(instance, app, decision, i, numbers)
        passed.append(len(stages))
    return Itinerary(app, tuple(stages), tuple(_leavings(dnn, decision.last_exit, passed)))


def _stages_of(
    instance: Instance, app: Application, decision: ApplicationDeployment, i: int, numbers: StationNumbers
) -> Iterator[Stage]:
    """Yield the transfer that feeds block i, link by link, and its run."""
    dnn, nodes, links = instance.dnn_of(app), instance.network.node_by_name, instance.network.link_by_pair
    bits = dnn.transfer_bits(i)
    for pair in pairwise(decision.routes_from(app.source)[i - 1]):
        link = links[pair]
        energy = bits * (link.tx_energy_j_per_bit + link.rx_energy_j_per_bit)
        station = numbers.of(StationKind.LINK, f"{link.source}->{link.target}", 1)
        yield Stage(station, bits / link.bandwidth_bit_per_s, link.delay_s, 0.0, energy)
    node = nodes[decision.placement[i - 1]]
    cost = run_once(instance, dnn, i, node)
    if cost is None:
        raise ValueError(f"application '{app.name}': block {i} cannot run at '{node.name}'")
    if node.reserves:
        station = numbers.of(StationKind.RESERVATION, f"{node.name}: {app.name}, block {i}", node.parallel, node.name)
    else:
        station = numbers.of(StationKind.NODE, node.name, node.parallel, node.name)
    yield Stage(station, cost[0] / decision.share_of_block[i - 1], node.wait_s, cost[1], 0.0)


def _leavings(dnn: DNN, last_exit: int, passed: list[int]) -> Iterator[Leaving]:
    """Yield the deployed exits: each takes its own share, the last one all that is left."""
    left = 1.0
    for number, exit_ in enumerate(dnn.exits[:last_exit], start=1):
        share = left if number == last_exit else min(exit_.exit_fraction, left)
        left -= share
        yield Leaving(number, share, passed[exit_.after_block - 1])
