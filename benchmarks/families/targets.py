"""Where a generated instance's latency target lies: neither trivial nor infeasible."""

from __future__ import annotations

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path
from finbench.models.instance import Instance
from finbench.models.tolerances import rounded_up

DIGITS = 6
SMALLEST_TRADE_OFF = 1e-3
"""Relative difference of the two latencies below which an instance has no trade-off."""


def place_target(instance: Instance, tightness: float) -> Instance | None:
    """Set δ = T_min + tightness · (T_E − T_min), rounded up to `DIGITS` digits.

    T_min is the latency of the least-latency deployment, T_E that of the least-energy deployment.

    Parameters
    ----------
    instance : Instance
        Of a single application; its latency target plays no part.
    tightness : float
        In (0, 1]; 1 lets the least-energy deployment through.

    Returns
    -------
    Instance or None
        None where there is no trade-off to place a target in.
    """
    problem = path_problem(instance, instance.applications[0])
    assert problem is not None, "families ask for an accuracy that the last exit reaches"
    quickest, cheapest = least_latency_path(problem), least_energy_path(problem)
    if quickest is None or cheapest is None or cheapest.latency <= quickest.latency * (1 + SMALLEST_TRADE_OFF):
        return None
    target = quickest.latency + tightness * (cheapest.latency - quickest.latency)
    return instance.with_overrides(max_latency_s=rounded_up(target, DIGITS))
