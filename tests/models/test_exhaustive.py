"""Enumeration: against an independent one that knows only `evaluate`, and the published worked optima."""

from __future__ import annotations

from itertools import count
from time import perf_counter

import pytest

from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Accounting, Application, Block, Exit, Instance, Link, Network, Node
from finbench.models.io import load_instance
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.models.enumeration import least_objective, shared_instance
from tests.models.worked_optima import WORKED_OPTIMA, published
from tests.random_instances import of_applications, random_instance, random_shared_instance


def check(instance: Instance, result: Result) -> None:
    """The independent enumeration finds the same, and the deployment holds what it claims."""
    expected = least_objective(instance)
    if expected is None:
        assert result.status is Status.INFEASIBLE
        assert result.deployment is None
        return
    assert result.status is Status.OPTIMAL
    assert result.claimed_objective is not None
    assert equal_energy(result.claimed_objective, expected)
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.feasible
    assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-9)


@pytest.mark.parametrize("seed", range(120))
def test_independent_enumeration_agrees(seed: int) -> None:
    instance = random_instance(seed, max_nodes=3, max_blocks=3, zeros=seed % 2 == 0)
    check(instance, exhaustive.solve(instance))


@pytest.mark.parametrize("seed", range(60))
def test_independent_enumeration_agrees_on_shared_systems(seed: int) -> None:
    instance = shared_instance(seed, applications=1 + seed % 3, max_nodes=3 if seed % 3 == 0 else 2, max_blocks=2)
    check(instance, exhaustive.solve(instance))


@pytest.mark.parametrize("penalties", [False, True])
@pytest.mark.parametrize("seed", few_and_many(range(60), 20))
def test_independent_enumeration_agrees_on_levels_and_rejections(seed: int, penalties: bool) -> None:
    instance = random_shared_instance(seed, max_applications=2, max_blocks=2, levels=True, penalties=penalties)
    check(instance, exhaustive.solve(instance))


@pytest.mark.parametrize("seed", range(30))
def test_a_single_application_may_be_rejected(seed: int) -> None:
    apps = random_shared_instance(seed, max_blocks=2, penalties=True).applications[:1]
    instance = of_applications(random_shared_instance(seed, max_blocks=2, penalties=True), apps)
    check(instance, exhaustive.solve(instance))


@pytest.mark.parametrize(("latency", "accounting", "energy", "placement"), WORKED_OPTIMA)
def test_the_search_finds_the_worked_optimum(
    latency: float, accounting: Accounting, energy: float, placement: str
) -> None:
    result = exhaustive.solve(published(latency, accounting))
    assert result.claimed_objective == pytest.approx(energy, abs=5e-6)
    assert result.deployment is not None
    assert "".join(node[0] for node in result.deployment.deployments[0].placement) == placement


def test_capacities_of_a_single_application_count() -> None:
    instance = load_instance("balexnet-cifar10").with_overrides(max_latency_s=1.0)
    app = instance.applications[0].model_copy(update={"rate_per_s": 1000.0})
    loaded = Instance(name="loaded", network=instance.network, dnns=instance.dnns, applications=(app,))
    check(loaded, exhaustive.solve(loaded))
    alone = exhaustive.solve(instance).claimed_objective
    assert alone is not None
    assert exhaustive.solve(loaded).claimed_objective != pytest.approx(app.weight * alone)


def test_refuses_what_is_too_large() -> None:
    assert exhaustive.supports(random_instance(3)) is None
    deep = random_instance(7, max_nodes=4, max_blocks=60)
    assert "deployments are more than" in (exhaustive.supports(deep) or "")


def test_says_at_once_that_an_instance_is_too_large() -> None:
    ring = [(k, (k + step) % 20) for k in range(20) for step in (1, 19)]
    network = Network(
        name="ring",
        nodes=tuple(Node(name=f"n{k}", compute_ops_per_s=1e9, power_w=1.0) for k in range(20)),
        links=tuple(
            Link(
                source=f"n{a}",
                target=f"n{b}",
                bandwidth_bit_per_s=1e9,
                tx_energy_j_per_bit=1e-9,
                rx_energy_j_per_bit=1e-9,
            )
            for a, b in ring
        ),
    )
    blocks = (Block(ops=1e6, output_bits=1e3),) * 200
    dnn = DNN(name="d", input_bits=1.0, blocks=blocks, exits=(Exit(after_block=200, exit_fraction=1.0, accuracy=0.9),))
    app = Application(name="a", dnn="d", source="n0", max_latency_s=10.0, min_accuracy=0.5)
    began = perf_counter()
    reason = exhaustive.supports(Instance(name="i", network=network, dnns=(dnn,), applications=(app,)))
    assert reason == "enumerates; its deployments are more than 5e+06"
    assert perf_counter() - began < 2


def test_refuses_networks_of_too_many_routes() -> None:
    wide = next(
        instance
        for instance in (random_instance(seed, max_nodes=40, max_blocks=1) for seed in range(20))
        if len(instance.network.nodes) > 20
    )
    assert "the network has more than" in (exhaustive.supports(wide) or "")


@pytest.mark.parametrize("applications", [1, 2])
def test_a_time_limit_ends_the_search_without_a_bound(applications: int) -> None:
    instance = shared_instance(3, applications=applications)
    assert exhaustive.Enumeration(instance, Clock(0.0)).ways == [[[]] for _ in instance.applications], "not prepared"
    result = exhaustive.solve(instance, time_limit_s=0.0)
    assert result.status is Status.TIME_LIMIT
    assert result.lower_bound is None


def test_time_limit_keeps_the_incumbent(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = published(0.007, Accounting.EXPECTED)
    looked = count()
    monkeypatch.setattr("finbench.models.result.Clock.expired", property(lambda _: next(looked) < 0))
    exhaustive.Enumeration(instance, Clock(60))
    before_search = next(looked)
    looked = count()
    monkeypatch.setattr("finbench.models.result.Clock.expired", property(lambda _: next(looked) >= before_search + 12))
    result = exhaustive.solve(instance, time_limit_s=60)
    assert result.status is Status.TIME_LIMIT
    assert result.deployment is not None
    assert evaluate(instance, result.deployment).feasible
