"""What may happen to a system: other rates, slower nodes and links, one or all of them, failures.

Loads grow with rates, and with times of runs; latencies grow with these and with times of transfers. So of all systems
whose rates are at most a part higher, and whose nodes and links are at most that part slower, the one in which all of
it happens at once (`EVERYTHING`) is the worst for every target and capacity: where a plan stands it, it stands all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from finbench.models.dnn import MeasuredBlocks
from finbench.models.fields import Frozen
from finbench.models.instance import Device, Instance, Link, MeasuredRun, Node
from finbench.models.tolerances import FLOAT_NOISE

FAILED = 1.0
"""Severity at which nothing is left of a node or link."""


Part = TypeVar("Part", bound=Frozen)


class DisturbanceKind(StrEnum):
    """What is disturbed."""

    RATES = "rates"
    NODES = "all nodes"
    LINKS = "all links"
    EVERYTHING = "all at once"
    NODE = "node"
    LINK = "link"


@dataclass(frozen=True)
class Disturbance:
    """Rates that change by a part of them, or nodes or links that lose a part of their speed."""

    kind: DisturbanceKind
    subject: str
    """The node, or the link as `n->m`; empty where all are meant."""
    severity: float
    """That part; rates fall where it is below 0, and a single node or link that loses all of its speed fails."""

    def __str__(self) -> str:
        """Return it in words."""
        if self.kind is DisturbanceKind.RATES:
            return f"rates {100 * self.severity:+.0f} %"
        if self.kind is DisturbanceKind.EVERYTHING:
            return f"rates +{100 * self.severity:.0f} %, all nodes and links -{100 * self.severity:.0f} %"
        how = "fails" if self.fails else f"-{100 * self.severity:.0f} %"
        return f"{self.kind} {self.subject} {how}" if self.subject else f"{self.kind} {how}"

    @property
    def fails(self) -> bool:
        """Whether nothing is left."""
        single = self.kind in (DisturbanceKind.NODE, DisturbanceKind.LINK)
        return single and self.severity >= FAILED - FLOAT_NOISE

    def applied(self, instance: Instance) -> Instance:
        """Return the instance after it has happened.

        A slower node draws its power for longer: a run takes 1/(1 − severity) times its time and energy.

        Raises
        ------
        ValueError
            If what is left is no instance, as where a block is pinned to the node that fails.
        """
        changes = {
            DisturbanceKind.RATES: [self._other_rates],
            DisturbanceKind.NODE: [self._without_node if self.fails else self._slower_nodes],
            DisturbanceKind.NODES: [self._slower_nodes],
            DisturbanceKind.LINK: [self._slower_links],
            DisturbanceKind.LINKS: [self._slower_links],
            DisturbanceKind.EVERYTHING: [self._other_rates, self._slower_nodes, self._slower_links],
        }
        for change in changes[self.kind]:
            instance = change(instance)
        return instance

    def _hits(self, subject: str) -> bool:
        """Whether a node or link is among those that are slower."""
        return self.subject in ("", subject)

    def _other_rates(self, instance: Instance) -> Instance:
        apps = [
            app if app.rate_per_s is None else _rebuilt(app, rate_per_s=app.rate_per_s * (1 + self.severity))
            for app in instance.applications
        ]
        return _rebuilt(instance, applications=tuple(apps))

    def _slower_links(self, instance: Instance) -> Instance:
        """Return the instance with slower links; without the one that fails."""
        links = []
        for link in instance.network.links:
            hit = self._hits(f"{link.source}->{link.target}")
            if not (hit and self.fails):
                links.append(_slower_link(link, 1 - self.severity) if hit else link)
        return _rebuilt(instance, network=_rebuilt(instance.network, links=tuple(links)))

    def _without_node(self, instance: Instance) -> Instance:
        network = instance.network
        nodes = tuple(node for node in network.nodes if node.name != self.subject)
        links = tuple(link for link in network.links if self.subject not in (link.source, link.target))
        return _rebuilt(instance, network=_rebuilt(network, nodes=nodes, links=links))

    def _slower_nodes(self, instance: Instance) -> Instance:
        """Return the instance in which nodes compute slower; what their devices were measured to take grows as well."""
        left, nodes, devices = 1 - self.severity, list[Node](), list(instance.devices)
        for node in instance.network.nodes:
            hit = self._hits(node.name)
            nodes.append(_slower_node(node, left) if hit else node)
            measured = _measured_slower(instance, node, left) if hit and node.device is not None else {}
            devices += [Device(name=_slower_name(node), measured=measured)] if measured else []
        network = _rebuilt(instance.network, nodes=tuple(nodes))
        return _rebuilt(instance, network=network, devices=tuple(devices))


def _slower_node(node: Node, left: float) -> Node:
    rate = None if node.compute_ops_per_s is None else node.compute_ops_per_s * left
    device = None if node.device is None else _slower_name(node)
    return _rebuilt(node, compute_ops_per_s=rate, device=device)


def _slower_name(node: Node) -> str:
    return f"{node.device} of {node.name}, slower"


def _slower_link(link: Link, left: float) -> Link:
    return _rebuilt(link, bandwidth_bit_per_s=link.bandwidth_bit_per_s * left)


def _measured_slower(instance: Instance, node: Node, left: float) -> dict[str, MeasuredBlocks]:
    """Return what blocks take on the slower node, by DNN and block."""
    found: dict[str, MeasuredBlocks] = {}
    for dnn in instance.dnns:
        runs = instance.measurements(dnn, node)
        if runs:
            found[dnn.name] = {str(block): _slower_run(run, left) for block, run in runs.items()}
    return found


def _slower_run(run: MeasuredRun, left: float) -> MeasuredRun:
    energy = None if run.energy_j is None else run.energy_j / left
    return MeasuredRun(time_s=run.time_s / left, energy_j=energy)


def _rebuilt(part: Part, **fields: Any) -> Part:
    """Return a copy with other values of some fields, all of its rules checked."""
    own = {name: getattr(part, name) for name in part.model_fields_set}
    return type(part)(**{**own, **fields})
