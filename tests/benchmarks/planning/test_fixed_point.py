"""Rounds of planning and simulating: what they believe, how they end, and that they end the same way twice."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
import pytest

import finbench as fb
from finbench.benchmarks.planning.fixed_point import Ending, borne, until_simulated
from finbench.benchmarks.planning.late import as_fast_as_possible, hopeless
from finbench.benchmarks.planning.options import PlanningOptions
from finbench.benchmarks.planning.waits import measured_waits, wait_of_share, with_waits
from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.benchmarks.simulation.simulate import simulate
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from tests.benchmarks.simulation.test_queues import one_server


def quick(**options: Any) -> PlanningOptions:
    return PlanningOptions(samples=20_000, **options)


@pytest.fixture(scope="module")
def campus() -> Instance:
    """A campus whose optimum without waiting is late under load, while other plans are not."""
    return fb.generate("campus", nodes=6, applications=4, load=0.2, seed=6)


def test_the_wait_of_a_share_is_that_of_a_random_server() -> None:
    """M/M/1 at utilisation u: a wait exceeds x with probability u exp(−(1 − u) x) in mean services."""
    u, share = 0.8, 0.95
    wait = wait_of_share(u / (1 - u), u, share)
    assert u * exp(-(1 - u) * wait) == pytest.approx(1 - share)
    assert wait_of_share(2.0, 0.01, 0.95) == 2.0
    instance, deployment = one_server(u)
    met = simulate(instance, deployment, SimulationOptions(samples=400_000, service="exponential"))
    (found,) = measured_waits(met, share).values()
    assert found == pytest.approx(wait, rel=0.1)


def test_waits_of_nodes_and_links_add_to_latencies_and_take_no_capacity(campus: Instance) -> None:
    found = fb.solve(campus, "greedy").deployment
    assert found is not None
    node, link = campus.network.nodes[0].name, campus.network.links[0]
    waits = {(False, node): 1e-3, (True, f"{link.source}->{link.target}"): 1e-2}
    slow = with_waits(campus, waits)
    assert slow.network.node_by_name[node].wait_s == 1e-3
    assert slow.network.links[0].delay_s == pytest.approx(link.delay_s + 1e-2)
    assert evaluate(slow, found).loads == evaluate(campus, found).loads


def test_a_plan_that_is_late_is_replaced_by_one_that_its_simulation_bears_out(campus: Instance) -> None:
    options = quick()
    found = until_simulated(campus, "fin", options)
    first, best = found.rounds[0].plan, found.best
    assert first is not None
    assert best is not None
    assert first.within < 0.8
    assert found.outcome is Ending.HOLDS
    assert best.within >= 0.95
    assert evaluate(campus, best.deployment).feasible
    assert best.objective == pytest.approx(evaluate(campus, best.deployment).objective)
    assert best.objective > first.objective
    holding = [one.plan.objective for one in found.rounds if one.plan is not None and one.plan.within >= 0.95]
    assert best.objective == min(holding)
    assert best.objective < holding[0], "rounds after the first that holds find a cheaper one"
    assert borne(campus, best.deployment, options.simulation().model_copy(update={"seed": 1})) == best


def test_another_seed_bears_the_plan_out_as_well(campus: Instance) -> None:
    found = until_simulated(campus, "fin", quick())
    assert found.best is not None
    shares = [
        borne(campus, found.best.deployment, SimulationOptions(samples=20_000, seed=seed)).within
        for seed in range(2, 12)
    ]
    assert np.mean(shares) > 0.945


def test_equal_seeds_give_equal_rounds(campus: Instance) -> None:
    one, two = (until_simulated(campus, "fin", quick(rounds=3)) for _ in range(2))
    assert one == two


def test_a_plan_that_holds_at_once_is_the_plain_one(campus: Instance) -> None:
    found = until_simulated(campus, "fin", quick(until_simulated=1e-6))
    assert (found.outcome, len(found.rounds)) == (Ending.HOLDS, 1)
    assert found.best is not None
    assert found.best.deployment == fb.solve(campus, "fin").deployment


def test_all_samples_together_are_content_with_less(campus: Instance) -> None:
    each, all_ = (until_simulated(campus, "fin", quick(of=of)).best for of in ("each", "all"))
    assert each is not None
    assert all_ is not None
    assert all_.within_of_all >= 0.95
    assert all_.objective <= each.objective


def test_rounds_end_where_plans_come_back_or_none_is_found_or_none_is_left() -> None:
    hot, _ = one_server(0.95)
    waiting = hot.model_copy(update={"applications": (hot.applications[0].model_copy(update={"max_latency_s": 1.5}),)})
    stuck = until_simulated(waiting, "label-setting", quick())
    assert stuck.outcome is Ending.CYCLE
    assert stuck.rounds[-1].repeated
    assert stuck.rounds[-1].hopeless == ("a",)
    assert stuck.best is not None
    used = until_simulated(waiting, "label-setting", quick(rounds=2))
    assert (used.outcome, len(used.rounds)) == (Ending.ROUNDS_USED, 2)
    never = hot.model_copy(update={"applications": (hot.applications[0].model_copy(update={"max_latency_s": 0.5}),)})
    nothing = until_simulated(never, "label-setting", quick())
    assert (nothing.outcome, nothing.best) == (Ending.NOTHING_FOUND, None)


def test_who_cannot_be_in_time_is_asked_for_the_least_latency(campus: Instance) -> None:
    slow = with_waits(campus, {(False, node.name): 1.0 for node in campus.network.nodes})
    late = hopeless(slow)
    assert set(late) == {app.name for app in campus.applications}
    asked = as_fast_as_possible(slow, late)
    assert hopeless(asked) == {}
    assert fb.solve(asked, "fin").deployment is not None
    assert hopeless(campus) == {}
