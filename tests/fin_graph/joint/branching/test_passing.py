"""Rows of whole deployments hold for all that is better than a cutoff, and say more than rows of blocks."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.fin_graph.joint.branching.branch import root
from finbench.fin_graph.joint.branching.passing import PassingDemands
from finbench.fin_graph.joint.branching.program import Resources
from finbench.fin_graph.joint.branching.relaxing import BranchRelaxation
from finbench.fin_graph.joint.branching.spots import SpotForm, Spots, values_at
from finbench.fin_graph.joint.columns.master import scarce
from finbench.fin_graph.joint.system import SharedSystem
from finbench.models.result import Clock
from tests.fin_graph.joint.branching.enumerated import Joint, joint_deployments
from tests.random_instances import random_shared_instance


def rows_of(system: SharedSystem, spots: Spots, cutoff: float) -> list[tuple[int, SpotForm]]:
    """Return the rows that passing demands give at the root, of every scarce resource in use."""
    room = system.empty_room()
    relaxation = BranchRelaxation(spots, Resources.of(scarce(system, room), room), 1.0, Clock(None))
    branch = root(system.groups, -np.inf)
    outcome = relaxation.solve(branch, lambda: np.inf, lambda *_: [])
    if outcome.solved is None:
        return []
    passing = PassingDemands(relaxation.pricer)
    passing.learn(branch, outcome, relaxation.penalties(branch), cutoff)
    served = SpotForm(*values_at(outcome.program.ways, outcome.solved.times))
    found = []
    for r in relaxation.resources.rows.tolist():
        own = spots.demands(r)
        users = own.spots[served.of(own.spots) > 0]
        if len(users):
            found.append((r, passing.row(r, users, served)))
    return found


def most_taken_wrongly(rows: list[tuple[int, SpotForm]], joint: Joint) -> float:
    """Return by how much a row asks at most more of a member than it takes."""
    excess = -np.inf
    for r, row in rows:
        for way in (way for ways in joint for way in ways):
            taken = float(way.usage.fractions[way.usage.resources == r].sum())
            excess = max(excess, float(row.of(way.spots).sum()) - taken)
    return excess


@pytest.mark.parametrize("above", [1e-6, 0.05, 1.0])
def test_no_member_of_something_better_takes_less_than_its_row_says(above: float) -> None:
    checked = 0
    for seed in range(12):
        instance = random_shared_instance(
            seed, max_applications=3, max_nodes=4, max_blocks=3, levels=seed % 4 == 3, penalties=seed % 4 == 2
        )
        system = SharedSystem.of(instance)
        spots = Spots(system)
        joints = joint_deployments(spots, system.empty_room(), most=20_000)
        if not joints:
            continue
        cutoff = min(cost for cost, _ in joints) * (1 + above)
        rows = rows_of(system, spots, cutoff)
        for cost, joint in joints:
            if rows and cost < cutoff:
                assert most_taken_wrongly(rows, joint) <= 1e-9
                checked += 1
    assert checked > 3
