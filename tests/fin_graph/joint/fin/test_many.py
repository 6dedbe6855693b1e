"""FIN for applications that share a system: it exceeds no capacity, comes close to the optimum, and is honest."""

from __future__ import annotations

from statistics import median
from typing import get_args

import numpy as np
import pytest

from finbench.fin_graph import fin
from finbench.fin_graph.joint.fin import many, residual
from finbench.fin_graph.options import FinOptions, Order
from finbench.fin_graph.paths.arrays import PathProblem
from finbench.fin_graph.paths.kernel import How, ReplicaPath, least_energy_replica_path
from finbench.models.evaluate import evaluate
from finbench.models.instance import Application, Instance, Network
from finbench.models.milp.flow import solve as milp_flow
from finbench.models.result import Clock, Result, Status
from tests.few_and_many import few_and_many, slow
from tests.fin_graph.joint.conftest import Desk
from tests.random_instances import random_shared_instance

NOISE = 1e-9


def checked(instance: Instance, result: Result) -> Result:
    """Return the result after the evaluator has judged its deployment."""
    assert (result.deployment is None) == (result.reason is not None)
    if result.deployment is not None:
        judged = evaluate(instance, result.deployment)
        assert judged.violations == ()
        assert judged.objective is not None
        assert judged.objective == pytest.approx(result.claimed_objective, rel=NOISE, abs=0)
        assert result.lower_bound is not None
        assert judged.objective is not None
        assert result.lower_bound <= judged.objective * (1 + NOISE)
        assert set(judged.rejected) == set(result.info["rejected"])
    return result


def with_applications(instance: Instance, apps: tuple[Application, ...]) -> Instance:
    return Instance(**{**{f: getattr(instance, f) for f in Instance.model_fields}, "applications": apps})


def test_cumulative_rounding_is_honest_and_better_at_few_steps() -> None:
    """At three steps rounding along the path serves systems and saves energy where rounding edge by edge does not."""
    better = worse = 0
    for seed in range(60):
        instance = random_shared_instance(seed, max_applications=4, max_nodes=5, max_blocks=4, penalties=True)
        plain, cumulative = (
            checked(instance, fin.solve(instance, FinOptions(gamma=3, rounding=rounding, restarts=0, effort=0)))
            for rounding in ("per-edge", "cumulative")
        )
        if plain.claimed_objective is None or cumulative.claimed_objective is None:
            continue
        better += cumulative.claimed_objective < plain.claimed_objective * (1 - NOISE)
        worse += cumulative.claimed_objective > plain.claimed_objective * (1 + NOISE)
    assert better > 3 * worse


def test_every_search_rounds_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    def noted(problem: PathProblem, gamma: int, *, how: How = "up") -> ReplicaPath:
        asked.add(how)
        return least_energy_replica_path(problem, gamma, how=how)

    monkeypatch.setattr(residual, "least_energy_replica_path", noted)
    for seed in range(12):
        instance = random_shared_instance(seed, max_applications=4, max_nodes=5, max_blocks=4, penalties=True)
        fin.solve(instance, FinOptions(gamma=3, rounding="cumulative", effort=0.05))
    assert asked == {"cumulative"}


@pytest.mark.parametrize("penalties", [False, True])
@pytest.mark.parametrize("levels", [False, True])
def test_what_is_returned_exceeds_nothing(levels: bool, penalties: bool) -> None:
    endings = dict.fromkeys(Status, 0)
    for seed in range(60):
        instance = random_shared_instance(
            seed, max_applications=6, max_nodes=6, max_blocks=4, levels=levels, penalties=penalties
        )
        result = checked(instance, fin.solve(instance, FinOptions(gamma=20, restarts=1, effort=0.05)))
        endings[result.status] += 1
        objectives = [objective for _, objective in result.info.get("history", [])]
        assert objectives == sorted(objectives, reverse=True)
    assert endings[Status.OPTIMAL] + endings[Status.FEASIBLE] > 30
    assert set(endings) >= {status for status, count in endings.items() if count}


@pytest.mark.parametrize(
    ("levels", "penalties", "seeds"), [(False, False, 7), (True, True, 3), slow(False, False, 28), slow(True, True, 12)]
)
def test_fin_for_many_is_close_to_the_optimum(levels: bool, penalties: bool, seeds: int) -> None:
    gaps = []
    for seed in range(seeds):
        instance = random_shared_instance(
            seed, max_applications=6, max_nodes=6, max_blocks=3, levels=levels, penalties=penalties
        )
        found, truth = checked(instance, fin.solve(instance)), milp_flow(instance)
        if truth.claimed_objective is None:
            assert found.deployment is None
            continue
        assert found.claimed_objective is not None
        assert found.lower_bound is not None
        assert found.lower_bound <= truth.claimed_objective * (1 + 1e-6)
        if found.status is Status.OPTIMAL:
            assert found.claimed_objective == pytest.approx(truth.claimed_objective, rel=1e-6)
        gaps.append(found.claimed_objective / truth.claimed_objective - 1)
    assert min(gaps) > -1e-6
    assert median(gaps) <= 0.01
    assert max(gaps) <= 0.05


def test_infeasible_is_only_said_of_what_is() -> None:
    said = 0
    for seed in range(60):
        instance = random_shared_instance(seed, max_applications=3, max_nodes=3, max_blocks=3)
        result = fin.solve(instance, FinOptions(gamma=5, restarts=0, effort=0.02))
        if result.status is Status.INFEASIBLE:
            said += 1
            assert milp_flow(instance).status is Status.INFEASIBLE
    assert said > 2


@pytest.mark.parametrize("seed", range(12))
def test_with_slack_capacities_everyone_gets_what_fin_gives_alone(seed: int) -> None:
    instance = random_shared_instance(seed, max_applications=4, max_nodes=5, max_blocks=4)
    nodes = tuple(node.model_copy(update={"memory_bytes": None}) for node in instance.network.nodes)
    fields = {f: getattr(instance, f) for f in Instance.model_fields}
    network = Network(name="idle", nodes=nodes, links=instance.network.links)
    apps = tuple(app.model_copy(update={"rate_per_s": app.weight * 1e-6}) for app in instance.applications)
    idle = Instance(**{**fields, "network": network, "applications": apps})
    alone = [fin.solve(with_applications(idle, (app,)), FinOptions(gamma=50, engine="arrays")) for app in apps]
    assert all(fin.supports(with_applications(idle, (app,)), FinOptions(certify=0.0)) is None for app in apps)
    together = checked(idle, fin.solve(idle, FinOptions(gamma=50, effort=0)))
    if all(result.claimed_objective is not None for result in alone):
        total = sum(result.claimed_objective or 0.0 for result in alone)
        assert together.claimed_objective == pytest.approx(total, rel=NOISE)


@pytest.mark.parametrize("seed", few_and_many(range(10), 3))
def test_the_order_of_the_applications_changes_little(seed: int) -> None:
    instance = random_shared_instance(seed, max_applications=6, max_nodes=5, max_blocks=3, penalties=True)
    apps = instance.applications
    order = np.random.default_rng(seed).permutation(len(apps))
    turned = with_applications(instance, tuple(apps[k] for k in order))
    one, two = checked(instance, fin.solve(instance)), checked(turned, fin.solve(turned))
    assert (one.deployment is None) == (two.deployment is None)
    if one.claimed_objective is not None:
        assert one.claimed_objective == pytest.approx(two.claimed_objective, rel=0.05)


def test_identical_users_are_one_group(desk: Desk) -> None:
    """Forty users, 33 of which the server can take: grouped, and told apart by their rates."""
    same = desk(*({"rate_per_s": 0.3} for _ in range(40)))
    told_apart = desk(*({"rate_per_s": 0.3 * (1 - 1e-7 * k)} for k in range(40)))
    one, two = checked(same, fin.solve(same)), checked(told_apart, fin.solve(told_apart))
    assert (one.info["groups"], two.info["groups"]) == (1, 40)
    assert one.claimed_objective == pytest.approx(0.3 * (33 * 1 + 7 * 100))
    assert two.claimed_objective == pytest.approx(one.claimed_objective, rel=1e-5)


@pytest.mark.parametrize("order", get_args(Order))
def test_the_same_seed_gives_the_same_result_in_every_order(order: Order) -> None:
    instance = random_shared_instance(18, max_applications=6, max_nodes=6, max_blocks=4)
    one = checked(instance, fin.solve(instance, FinOptions(order=order, effort=0.1), seed=3))
    two = fin.solve(instance, FinOptions(order=order, effort=0.1), seed=3)
    assert one.deployment == two.deployment
    assert one.lower_bound == two.lower_bound


def test_the_time_limit_keeps_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time ends after a given number of looks at the clock. An incumbent exists after the first insertion."""
    instance = random_shared_instance(18, max_applications=6, max_nodes=6, max_blocks=4)

    class Stopping(Clock):
        looks, limit = 0, 0

        @property
        def expired(self) -> bool:
            self.looks += 1
            return self.looks > self.limit

    monkeypatch.setattr(many, "Clock", Stopping)
    objectives = []
    for limit in (1, 5, 60, 120, 200):
        Stopping.limit = limit
        result = checked(instance, fin.solve(instance))
        assert result.status is Status.TIME_LIMIT
        objectives.append(result.claimed_objective)
    assert objectives[0] is None
    later = [objective for objective in objectives if objective is not None]
    assert len(later) >= 2
    assert later == sorted(later, reverse=True)


def test_an_application_without_room_is_reported_with_the_resource_it_lacks(desk: Desk) -> None:
    instance = desk({}, {"rate_per_s": 6.0}, {"rate_per_s": 9.0})
    result = fin.solve(instance)
    assert result.status is Status.NO_SOLUTION
    assert "no room: compute of server lacks" in str(result.reason)
    assert len(result.info["left_out"]) == 1


def test_an_application_infeasible_alone_proves_infeasibility(desk: Desk) -> None:
    too_fast = fin.solve(desk({}, {"max_latency_s": 0.01}))
    assert too_fast.status is Status.INFEASIBLE
    assert "application 'app1': the least possible latency" in str(too_fast.reason)
    too_much = fin.solve(desk({}, {"rate_per_s": 11.0}))
    assert too_much.status is Status.INFEASIBLE
    assert "has room for its blocks" in str(too_much.reason)


def test_rejections_come_with_reasons(desk: Desk) -> None:
    """The device is dear: what does not fit on the server is rejected, the one with the least penalty."""
    instance = desk(
        {"rejection_penalty_w": 50.0},
        {"rejection_penalty_w": 40.0},
        {"rejection_penalty_w": 5.0},
        {"rejection_penalty_w": 60.0, "max_latency_s": 0.01},
    )
    result = checked(instance, fin.solve(instance))
    assert result.status is Status.OPTIMAL or result.status is Status.FEASIBLE
    assert result.claimed_objective == pytest.approx(6.0 + 40.0 + 5.0 + 60.0)
    rejected = result.info["rejected"]
    assert set(rejected) == {"app1", "app2", "app3"}
    assert "no room: compute of server" in rejected["app1"]
    assert "cheaper to reject" in rejected["app2"]
    assert "least possible latency" in rejected["app3"]


def test_a_single_application_is_not_touched(desk: Desk) -> None:
    alone = desk({"rate_per_s": 1.0})
    assert "groups" not in fin.solve(alone).info
    shared = desk({"rate_per_s": 1.0, "rejection_penalty_w": 3.0})
    assert fin.solve(shared).info["groups"] == 1
    assert "for one application alone" in str(fin.supports(shared, FinOptions(certify=0.0)))
