"""How much transfers count: their part of the latency and of the energy of deployments, and the links they use.

For one application with steps i (eqs. 1 and 2), both parts are

    latency  Σ_i l_i Σ_{(n,m) ∈ route_i} (d_{i−1}/B_nm + τ_nm) / latency(h)
    energy   Σ_i e_i d_{i−1} Σ_{(n,m) ∈ route_i} (e^tx_nm + e^rx_nm) / energy(h)

Where links are very fast these parts are small, and a result says little about networks whose links are slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from finbench.benchmarks.analysis.numbers import quantity
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.step_costs import run_once, step_costs

HARDLY = 0.05
"""Part of the latency up to which transfers hardly count in it, whatever energy they take."""


@dataclass(frozen=True)
class TransferPart:
    """What transfers take of one application's latency and energy."""

    latency: float
    energy: float
    moves: bool
    """Whether anything is sent at all."""


@dataclass(frozen=True)
class TransferShare:
    """What transfers take, over many deployments of single applications."""

    deployments: int
    moving: int
    """How many of them send anything; medians are over these."""
    latency: float
    """Median part of the latency; 0 where nothing moves."""
    most_latency: float
    energy: float
    """Median part of the energy; 0 where nothing moves."""

    @property
    def hardly_counts(self) -> bool:
        """Whether transfers take at most `HARDLY` of the latency of half of the deployments that send anything."""
        return self.latency <= HARDLY

    def sentence(self, links: str) -> str:
        """Return in words what was measured; `links` names the links, such as `links of 1 Gbit/s`."""
        if not self.moving:
            return f"None of {self.deployments:,} deployments sends anything over {links}."
        said = (
            f"{self.moving:,} of {self.deployments:,} deployments send something over {links}: there transfers take "
            f"{_percent(self.latency)} of the latency and {_percent(self.energy)} of the energy (medians; at most "
            f"{_percent(self.most_latency)} of the latency)"
        )
        if self.hardly_counts:
            said += ", so that these results say little about networks whose links are slow"
        return f"{said}."


def parts_of(instance: Instance, deployment: Deployment) -> list[TransferPart]:
    """Return the parts of every application that a structurally sound deployment serves."""
    apps = {app.name: app for app in instance.applications}
    found = []
    for decision in deployment.deployments:
        choice = apps[decision.application].choice(decision.dnn)
        if choice is None:
            continue
        steps = list(step_costs(instance, choice, decision))
        transfer_j, transfer_s = (sum(step.transfer_energy_j for step in steps), sum(step.transfer_s for step in steps))
        computing_j, latency_s = (sum(step.compute_energy_j for step in steps), sum(step.latency_s for step in steps))
        found.append(part(transfer_s, latency_s, transfer_j, transfer_j + computing_j, any(s.hops for s in steps)))
    return found


def part(transfer_s: float, latency_s: float, transfer_j: float, energy_j: float, moves: bool) -> TransferPart:
    """Return the parts that transfers take of a latency and an energy; 0 of nothing."""
    return TransferPart(transfer_s / latency_s if latency_s else 0.0, transfer_j / energy_j if energy_j else 0.0, moves)


def transfer_share(parts: Sequence[TransferPart]) -> TransferShare:
    """Return what transfers take over these deployments of applications."""
    moving = [one for one in parts if one.moves]
    latencies, energies = [one.latency for one in moving], [one.energy for one in moving]
    if not moving:
        return TransferShare(len(parts), 0, 0.0, 0.0, 0.0)
    return TransferShare(len(parts), len(moving), median(latencies), max(latencies), median(energies))


def links_of(instances: Iterable[Instance]) -> str:
    """Return in words what the links of these instances carry, such as `links of 5 Mbit/s to 10 Gbit/s`."""
    rates = [link.bandwidth_bit_per_s for instance in instances for link in instance.network.links]
    if not rates:
        return "no links"
    least, most = (quantity(rate, "bit/s", 2) for rate in (min(rates), max(rates)))
    return f"links of {least}" if least == most else f"links of {least} to {most}"


def against_computing(instance: Instance) -> str:
    """Return in words how long the slowest link takes for a sample, and its source to compute all blocks.

    Said of the instance's first application, and of its first alternative where it has several; it needs no deployment.
    """
    app, links = instance.applications[0].choices[0], instance.network.links
    if not links:
        return "no links"
    dnn, source = instance.dnn_of(app), instance.network.node_by_name[app.source]
    sending = max(dnn.input_bits / link.bandwidth_bit_per_s + link.delay_s for link in links)
    runs = [run_once(instance, dnn, i, source) for i in range(1, len(dnn.blocks) + 1)]
    crossing = f"{links_of([instance])}; a sample crosses the slowest in {quantity(sending, 's', 2)}"
    if None in runs:
        return f"{crossing}, its source cannot run all blocks"
    computing = sum(run[0] for run in runs if run is not None)
    return f"{crossing}, its source computes all blocks in {quantity(computing, 's', 2)}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g} %" if fraction < 0.1 else f"{100 * fraction:.0f} %"
