"""Seeded draws of what solvers and tolerances err on: targets met exactly, numbers far apart, loose limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from finbench.models.instance import Application, Instance
from tests.random_instances import random_instance, random_shared_instance

Draw = Callable[[int], Instance]

ABOVE = (0.0, 2.0**-53, 1e-12, 5e-7, 9e-7, 1.1e-6, 1e-5)
"""By how much a target lies above an accuracy; up to 1e-6 it is met."""


def _base(seed: int) -> Instance:
    return random_shared_instance(seed) if seed % 3 == 0 else random_instance(seed, zeros=seed % 3 == 1)


def accuracies_at_the_target(seed: int) -> Instance:
    """Return an instance in which each target is an exit's accuracy, nearly, as a sum in another order gives it."""
    rng, base = np.random.default_rng(seed), _base(seed)

    def aimed(app: Application) -> Application:
        exits = base.dnn_of(app).exits
        accuracy = exits[int(rng.integers(len(exits)))].accuracy
        part = float(rng.choice([0.1, 0.2, 0.3]))
        target = (accuracy - part) + part + float(rng.choice(ABOVE))
        return app.model_copy(update={"min_accuracy": min(1.0, max(0.0, target))})

    return base.model_copy(update={"applications": tuple(map(aimed, base.applications))})


def wide_ranges(seed: int) -> Instance:
    """Return an instance whose powers, energies per bit and rates lie up to twelve orders of magnitude apart."""
    rng, base = np.random.default_rng(seed), _base(seed)
    nodes = tuple(node.model_copy(update={"power_w": node.power_w * _far(rng)}) for node in base.network.nodes)
    links = tuple(
        link.model_copy(update={"tx_energy_j_per_bit": link.tx_energy_j_per_bit * _far(rng)})
        for link in base.network.links
    )
    return base.model_copy(update={"network": base.network.model_copy(update={"nodes": nodes, "links": links})})


def _far(rng: np.random.Generator) -> float:
    return float(10.0 ** rng.integers(-6, 7))


def loose_limits(seed: int) -> Instance:
    """Return an instance whose latency targets and bandwidths are so large that their rows nearly vanish."""
    rng, base = np.random.default_rng(seed), _base(seed)
    loose = 10.0 ** rng.integers(1, 10)
    apps = tuple(app.model_copy(update={"max_latency_s": app.max_latency_s * loose}) for app in base.applications)
    links = tuple(
        link.model_copy(update={"bandwidth_bit_per_s": link.bandwidth_bit_per_s * 10.0 ** rng.integers(0, 8)})
        for link in base.network.links
    )
    network = base.network.model_copy(update={"links": links})
    return base.model_copy(update={"applications": apps, "network": network})


DRAWS: dict[str, Draw] = {draw.__name__: draw for draw in (accuracies_at_the_target, wide_ranges, loose_limits)}
