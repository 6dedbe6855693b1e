"""Labels of replicas as eq. (32) has them: an energy and a true latency, counted in steps."""

from __future__ import annotations

import numpy as np

from finbench.fin_graph.paths.compiled import compiled
from finbench.models.tolerances import FLOAT_NOISE

ENERGY, USED = 0, 1
"""Planes of a layer's rows: energies [J], and true latencies in steps; a layer has shape (2, N, γ + 1)."""


@compiled
def steps_of(latency: float, gamma: int, max_latency: float) -> float:
    """Return γ t/δ, at most γ + 2."""
    return 0.0 if latency <= 0.0 else min(gamma * latency / max_latency, gamma + 2.0)


@compiled
def replica_of(used: float) -> int:
    """Return the replica of a label of that latency [steps] (eq. 32)."""
    return int(np.ceil(used - FLOAT_NOISE))


@compiled
def shift_of(used: float) -> int:
    """Return the larger of an edge's two shifts; an edge without latency has 1 and always takes the smaller."""
    return max(1, replica_of(used))


@compiled
def is_better(energy: float, used: float, than_energy: float, than_used: float) -> bool:
    """Return whether a label is better than another: less energy, or as much and less latency."""
    return energy < than_energy or (energy == than_energy and used < than_used)
