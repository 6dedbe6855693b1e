"""The search on what is left: it fits, it is cheap, and what it cannot find does not exist."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.fin_graph.joint.fin.residual import cheapest_usage, search
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import SharedSystem
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from tests.models.enumeration import least_objective, shared_instance
from tests.random_instances import random_shared_instance

FINE = 1000
"""Resolution at which FIN's rounding hardly matters."""


@pytest.mark.parametrize("seed", range(60))
def test_alone_it_finds_the_optimum_or_proves_that_there_is_none(seed: int) -> None:
    """Blocks that meet on one node often exceed it together here."""
    instance = shared_instance(seed, applications=1)
    system = SharedSystem.of(instance)
    usage, complete = search(system.groups[0], system.empty_room(), None, Resolution(FINE))
    optimum = least_objective(instance)
    if usage is None:
        assert optimum is None or not complete
        return
    assert optimum is not None
    assert evaluate(instance, Deployment(deployments=(usage.deployment,))).feasible
    assert optimum * (1 - 1e-9) <= usage.power <= optimum * (1 + 1e-2)


@pytest.mark.parametrize("seed", range(40))
def test_it_fits_into_what_is_left(seed: int) -> None:
    instance = random_shared_instance(seed, max_nodes=5, max_blocks=4, levels=seed % 2 == 0)
    system, rng = SharedSystem.of(instance), np.random.default_rng(seed)
    for group in system.groups:
        for _ in range(5):
            room = rng.uniform(0, 1, system.resources)
            usage = cheapest_usage(group, room, rng.uniform(0, 1, system.resources), Resolution(50))
            if usage is not None:
                assert usage.fits(room)
                free = cheapest_usage(group, system.empty_room(), None, Resolution(FINE))
                assert free is not None
                assert free.power <= usage.power * (1 + 1e-2)


@pytest.mark.parametrize("seed", range(20))
def test_blocks_do_not_run_where_it_is_closed(seed: int) -> None:
    instance = random_shared_instance(seed, max_nodes=5, max_blocks=4)
    system, rng = SharedSystem.of(instance), np.random.default_rng(seed)
    names = np.array(system.topology.names)
    for group in system.groups:
        closed = rng.random((group.depth, len(names))) < 0.3
        usage = cheapest_usage(group, system.empty_room(), None, Resolution(50), closed)
        if usage is not None:
            at = [int(np.flatnonzero(names == name)[0]) for name in usage.deployment.placement]
            assert not any(closed[j, n] for j, n in enumerate(at))
