"""Prices of what is exactly full stay within limits, and so does the bound that they prove."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.fin_graph.joint.fin.alone import bound_of_all, everyone_alone
from finbench.fin_graph.joint.fin.congestion import LEAST_EXCESS, Congestion, congestion_prices
from finbench.fin_graph.joint.fin.everyone import Everyone
from finbench.fin_graph.joint.fin.resolution import Resolution
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.paths.arrays import Floats
from finbench.models import exhaustive
from finbench.models.result import Clock
from finbench.models.tolerances import FEASIBILITY_TOLERANCE, TERM_NOISE, safe_bound
from tests.fin_graph.joint.exactly_full import exactly_full

ROUNDS = 60


@pytest.mark.parametrize("tolerance", [0.0, 0.99 * FEASIBILITY_TOLERANCE])
def test_what_is_exactly_full_makes_no_endless_prices(tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without the tolerance, which moves where an excess is all but 0."""

    def room(system: SharedSystem) -> Floats:
        return np.full(system.resources, 1.0 + tolerance)

    monkeypatch.setattr(SharedSystem, "empty_room", room)
    priced = 0
    for seed in range(130):
        instance = exactly_full(seed)
        optimum, system = exhaustive.solve(instance).claimed_objective, SharedSystem.of(instance)
        alone = everyone_alone(system, Resolution(), Clock())
        if optimum is None or not np.isfinite(bound_of_all(system, alone)):
            continue
        upper = 4 * optimum
        start = Congestion(np.zeros(system.resources), bound_of_all(system, alone))
        everyone = Everyone(system, room(system))
        found = congestion_prices(everyone, system, start, upper=upper, gap=0.0, rounds=ROUNDS, clock=Clock())
        # Without the tolerance the true optimum may exceed the one that the tolerance allows.
        if tolerance:
            assert found.bound <= optimum * (1 + 1e-12), seed
        assert found.bound >= start.bound
        assert found.prices.max() <= ROUNDS * upper / LEAST_EXCESS, seed
        priced += bool(found.prices.any())
    assert priced >= 20


def test_a_bound_loses_what_its_terms_may_have_added() -> None:
    """The sum of 10¹⁹ and what is lost beside it proves nothing."""
    price = 1e19
    value = (price + 3.3) - price
    assert safe_bound(value, 2 * price) < 0
    assert safe_bound(3.3, 3.3) == pytest.approx(3.3, rel=2 * TERM_NOISE)
    assert safe_bound(float("inf"), price) == float("inf")
