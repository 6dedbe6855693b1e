"""Bounds of branches, recomputed in rational arithmetic from their prices over all ways by enumeration."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from finbench.fin_graph.joint.branching.branch import Branch, Party
from finbench.fin_graph.joint.branching.branch_price_and_cut import solve
from finbench.fin_graph.joint.branching.relaxing import Outcome
from finbench.fin_graph.joint.branching.spots import Spots, SpotWay
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.options import BranchingOptions
from tests.few_and_many import few_and_many
from tests.fin_graph.joint.branching.enumerated import ways_of
from tests.fin_graph.joint.branching.watching import Watch
from tests.random_instances import random_shared_instance


def cost(way: SpotWay, outcome: Outcome) -> Fraction:
    """Return what a member on a way costs at the prices of a branch's bound."""
    prices = outcome.prices.resources
    total = Fraction(way.usage.power)
    for r, fraction in zip(way.usage.resources.tolist(), way.usage.fractions.tolist(), strict=True):
        total += Fraction(float(prices[r])) * Fraction(fraction)
    for limit, dual in zip(outcome.program.limits, outcome.duals.tolist(), strict=False):
        total -= Fraction(dual) * sum(Fraction(c) for c in limit.form.of(way.spots).tolist())
    return total


def least_of(party: Party, penalty: float | None, costs: list[Fraction]) -> Fraction | None:
    """Return the least that the members of a party cost; None where they cannot be served as they must."""
    found = []
    for rejected in range(party.least_rejected, party.most_rejected + 1):
        if costs or rejected == party.count:
            served = (party.count - rejected) * min(costs) if costs else Fraction(0)
            found.append(served + rejected * Fraction(penalty or 0.0))
    return min(found, default=None)


def exact_bound(system: SharedSystem, ways: list[list[SpotWay]], branch: Branch, outcome: Outcome) -> Fraction | None:
    """Return the bound (25') at the prices that a branch's bound goes with; None where it allows nothing."""
    total = Fraction(0)
    for party in branch.parties:
        left = [way for way in ways[party.group] if party.closed.isdisjoint(way.spots.tolist())]
        least = least_of(party, system.groups[party.group].penalty, [cost(way, outcome) for way in left])
        if least is None:
            return None
        total += least
    for price, room in zip(outcome.prices.resources.tolist(), system.empty_room().tolist(), strict=True):
        total -= Fraction(price) * Fraction(room)
    for limit, dual in zip(outcome.program.limits, outcome.duals.tolist(), strict=False):
        if dual:
            total += Fraction(dual) * Fraction(limit.most if dual < 0 else limit.least)
    return total


@pytest.mark.parametrize("seeds", few_and_many([range(0, 8), range(8, 40)], 1))
def test_no_bound_exceeds_what_its_prices_prove(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = 0
    for seed in seeds:
        instance = random_shared_instance(
            seed, max_applications=3, max_nodes=4, max_blocks=2, levels=seed % 4 == 3, penalties=seed % 4 == 2
        )
        system = SharedSystem.of(instance)
        spots = Spots(system)
        room = system.empty_room()
        ways = [
            [way for way in ways_of(spots, g, group) if way.usage.fits(room)] for g, group in enumerate(system.groups)
        ]
        with monkeypatch.context() as patched:
            watch = Watch(patched)
            solve(instance, BranchingOptions(lists=False, cuts=seed % 3 != 0), time_limit_s=300.0)
        for branch, outcome in watch.visited:
            exact = exact_bound(system, ways, branch, outcome)
            if exact is not None and np.isfinite(outcome.best):
                assert Fraction(outcome.best) <= exact
                checked += 1
    assert checked > 0
