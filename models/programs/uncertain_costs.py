"""What the steps of every application cost and load once, and which of their weights may deviate (33)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from finbench.models.instance import Accounting, Instance, LatencyKind
from finbench.models.programs.costs import Costs, Floats, costs_of
from finbench.models.tolerances import relaxed
from finbench.models.uncertainty import Uncertainty


@dataclass(frozen=True)
class Amounts:
    """What the steps of one application ask for once, before any weight."""

    run: Floats
    """(L, P) at every site."""
    send: Floats
    """(L, A) over every link."""


@dataclass(frozen=True)
class UncertainCosts:
    """One application, or one of its alternatives: what its steps cost and load once, and what deviates."""

    costs: Costs
    """As planned; latencies of a quantile, and which shares keep up, at their worst."""
    unit: Costs
    """Energies and latencies without weights."""
    losses: tuple[tuple[int, float], ...]
    """b(e) and ω φ_e of every exit that may lose samples."""
    growth: float
    """Part that the rate may grow by."""
    energy_weight: Floats
    """(L,) weight e_i as planned."""
    latency_weight: Floats
    """(L,) weight l_i as planned."""
    survival: Floats
    """(L,) survival s_i as planned."""
    bits: Floats
    """(L,) bits d_{i−1}."""

    @property
    def power(self) -> Amounts:
        """What every step adds to the objective if every sample reached it: its energy times λ, or 1 without a rate."""
        return Amounts(self.costs.weight * self.unit.run_energy, self.costs.weight * self.unit.send_energy)

    @property
    def occupancy(self) -> Floats:
        """(L, P) executions λ t_{i,n} at the same time if every sample reached block i."""
        return (self.costs.app.rate_per_s or 0.0) * self.unit.run_latency * self.costs.network.share

    @property
    def traffic(self) -> Floats:
        """(L,) bits per second λ d_{i−1} if every sample reached block i."""
        return (self.costs.app.rate_per_s or 0.0) * self.bits


def uncertain_costs(instance: Instance, uncertainty: Uncertainty) -> list[UncertainCosts]:
    """Return the costs of every application, of each of its alternatives where it has several, in their order."""
    whole = instance.with_overrides(accounting=Accounting.FULL_DEPTH, latency_kind=LatencyKind.FULL_DEPTH)
    found = []
    for planned, unit in zip(costs_of(instance), costs_of(whole), strict=True):
        app, network, dnn = planned.app, planned.network, instance.dnn_of(planned.app)
        latency_weight = np.array(uncertainty.latency_weights(instance, app))
        parallel = np.array([node.parallel for node in instance.network.nodes])[network.site_node]
        arrivals = np.array(uncertainty.arrivals(app, dnn))[:, None]
        keeps_up = arrivals * unit.run_latency * network.share <= relaxed(network.share * parallel)
        worst = replace(
            planned,
            run_latency=latency_weight[:, None] * unit.run_latency,
            send_latency=latency_weight[:, None] * unit.send_latency,
            stable=keeps_up | ~network.reserves[network.site_node],
        )
        found.append(
            UncertainCosts(
                costs=worst,
                unit=unit,
                losses=uncertainty.losses(dnn),
                growth=uncertainty.growth(app),
                energy_weight=np.array(instance.energy_weights(app)),
                latency_weight=latency_weight,
                survival=np.array(dnn.survival),
                bits=np.array([dnn.transfer_bits(i) for i in range(1, len(dnn.blocks) + 1)]),
            )
        )
    return found
