"""What may happen to a system: higher rates, slower nodes and links, failures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from finbench.models.dnn import MeasuredBlocks
from finbench.models.fields import Frozen
from finbench.models.instance import Device, Instance, Link, MeasuredRun, Network, Node
from finbench.models.tolerances import FLOAT_NOISE

FAILED = 1.0
"""Severity at which nothing is left of a node or link."""


Part = TypeVar("Part", bound=Frozen)


class DisturbanceKind(StrEnum):
    """What is disturbed."""

    RATES = "rates"
    NODE = "node"
    LINK = "link"


@dataclass(frozen=True)
class Disturbance:
    """Rates that grow by a part of them, or a node or link that loses a part of its speed."""

    kind: DisturbanceKind
    subject: str
    """The node, or the link as `n->m`; empty for the rates of all applications."""
    severity: float
    """That part; a node or link that loses all of it fails."""

    def __str__(self) -> str:
        """Return it in words."""
        if self.kind is DisturbanceKind.RATES:
            return f"rates +{self.severity:.0%}"
        how = "fails" if self.fails else f"-{self.severity:.0%}"
        return f"{self.kind} {self.subject} {how}"

    @property
    def fails(self) -> bool:
        """Whether nothing is left."""
        return self.kind is not DisturbanceKind.RATES and self.severity >= FAILED - FLOAT_NOISE

    def applied(self, instance: Instance) -> Instance:
        """Return the instance after it has happened.

        A slower node draws its power for longer: a run takes 1/(1 − severity) times its time and energy.

        Raises
        ------
        ValueError
            If what is left is no instance, as where a block is pinned to the node that fails.
        """
        if self.kind is DisturbanceKind.RATES:
            apps = [
                app if app.rate_per_s is None else _rebuilt(app, rate_per_s=app.rate_per_s * (1 + self.severity))
                for app in instance.applications
            ]
            return _rebuilt(instance, applications=tuple(apps))
        if self.kind is DisturbanceKind.LINK:
            return _rebuilt(instance, network=self._with_links(instance.network))
        return self._without_node(instance) if self.fails else self._slower_node(instance)

    def _with_links(self, network: Network) -> Network:
        left = 1 - self.severity
        links = [
            link if f"{link.source}->{link.target}" != self.subject else _slower_link(link, left)
            for link in network.links
            if not (self.fails and f"{link.source}->{link.target}" == self.subject)
        ]
        return _rebuilt(network, links=tuple(links))

    def _without_node(self, instance: Instance) -> Instance:
        network = instance.network
        nodes = tuple(node for node in network.nodes if node.name != self.subject)
        links = tuple(link for link in network.links if self.subject not in (link.source, link.target))
        return _rebuilt(instance, network=_rebuilt(network, nodes=nodes, links=links))

    def _slower_node(self, instance: Instance) -> Instance:
        """Return the instance in which the node computes slower; what its device was measured to take grows as well."""
        node, left = instance.network.node_by_name[self.subject], 1 - self.severity
        rate = None if node.compute_ops_per_s is None else node.compute_ops_per_s * left
        device = None if node.device is None else f"{node.device} of {node.name}, slower"
        slower = _rebuilt(node, compute_ops_per_s=rate, device=device)
        nodes = tuple(slower if one is node else one for one in instance.network.nodes)
        measured = {} if device is None else _measured_slower(instance, node, left)
        devices = (*instance.devices, Device(name=device, measured=measured)) if device and measured else None
        return _rebuilt(
            instance,
            network=_rebuilt(instance.network, nodes=nodes),
            **({} if devices is None else {"devices": devices}),
        )


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
