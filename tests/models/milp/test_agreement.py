"""The mathematical programs against enumeration, on hundreds of small instances of every shape."""

from __future__ import annotations

import pytest

from finbench.models import exhaustive
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Accounting, Instance, Link, Network, Node
from finbench.models.milp import assignment, flow
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.programs.costs import costs_of
from finbench.models.programs.strengthen import everything, least_energy
from finbench.models.result import Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.models.enumeration import shared_instance
from tests.models.worked_optima import WORKED_OPTIMA, published
from tests.random_instances import of_applications, random_instance, random_shared_instance


def assert_agrees(instance: Instance, result: Result, truth: Result) -> None:
    """Same status and energy as the truth, and a deployment that holds what it claims."""
    assert result.status is truth.status, result.reason
    if truth.claimed_objective is None:
        assert result.deployment is None
        return
    assert result.claimed_objective is not None
    assert equal_energy(result.claimed_objective, truth.claimed_objective)
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.violations == ()
    assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-9)
    assert result.lower_bound is not None
    assert result.lower_bound <= result.claimed_objective
    assert equal_energy(result.lower_bound, result.claimed_objective)


def assert_all_agree(instance: Instance) -> None:
    truth = exhaustive.solve(instance)
    assert_agrees(instance, flow.solve(instance), truth)
    assert_agrees(instance, flow.solve(instance, MilpFlowOptions(strengthen=False)), truth)
    if truth.deployment is not None:
        for strengthen in (True, False):
            warm = flow.solve(instance, MilpFlowOptions(strengthen=strengthen), start=truth.deployment)
            assert warm.info["warm_start"] == "used"
            assert_agrees(instance, warm, truth)
    if assignment.supports(instance) is None:
        assert_agrees(instance, assignment.solve(instance), truth)


@pytest.mark.parametrize("seed", few_and_many(range(300), 75))
def test_all_exact_methods_agree_on_arbitrary_networks(seed: int) -> None:
    assert_all_agree(random_instance(seed))


@pytest.mark.parametrize("seed", few_and_many(range(150), 45))
def test_all_exact_methods_agree_on_zeros_and_ties(seed: int) -> None:
    assert_all_agree(random_instance(seed, zeros=True))


@pytest.mark.parametrize("seed", few_and_many(range(100), 30))
def test_all_exact_methods_agree_where_links_are_direct(seed: int) -> None:
    instance = random_instance(seed, direct_only=True)
    assert assignment.supports(instance) is None
    assert_all_agree(instance)


@pytest.mark.parametrize("seed", few_and_many(range(120), 36))
def test_all_exact_methods_agree_on_shared_systems(seed: int) -> None:
    assert_all_agree(shared_instance(seed, applications=1 + seed % 3, max_nodes=2 + seed % 2))


OFFERS = [{"levels": levels, "penalties": penalties} for levels in (False, True) for penalties in (False, True)]


@pytest.mark.parametrize("offers", OFFERS, ids=str)
@pytest.mark.parametrize("seed", few_and_many(range(60), 12))
def test_all_exact_methods_agree_on_service_levels_and_admission(seed: int, offers: dict[str, bool]) -> None:
    assert_all_agree(random_shared_instance(seed, **offers))


@pytest.mark.parametrize("seed", few_and_many(range(40), 12))
def test_all_exact_methods_agree_on_admission_where_links_are_direct(seed: int) -> None:
    instance = random_shared_instance(seed, direct_only=True, penalties=True)
    assert assignment.supports(instance) is None
    assert_all_agree(instance)


@pytest.mark.slow
def test_service_levels_and_admission_matter_above() -> None:
    """Shared capacities decide, shares below 1 are reserved and applications rejected in a good part of the optima."""
    decided = reserved = rejected = 0
    for seed in range(60):
        for offers in OFFERS:
            instance = random_shared_instance(seed, **offers)
            best = exhaustive.solve(instance)
            single = [
                exhaustive.solve(of_applications(instance, (app,))).claimed_objective for app in instance.applications
            ]
            if None not in single:
                wish = sum(objective for objective in single if objective)
                decided += best.claimed_objective is None or not equal_energy(best.claimed_objective, wish)
            if best.deployment is not None:
                reserved += any(decision.shares for decision in best.deployment.deployments)
                rejected += bool(best.deployment.rejected)
    assert decided >= 48
    assert reserved >= 40
    assert rejected >= 40


@pytest.mark.slow
def test_capacities_decide_on_shared_systems() -> None:
    """The instances above are hard: in many optima an application does not get its own optimum."""
    decided = 0
    for seed in range(120):
        instance = shared_instance(seed, applications=1 + seed % 3, max_nodes=2 + seed % 2)
        result = flow.solve(instance)
        alone = [flow.solve(_alone(instance, h)).claimed_objective for h in range(len(instance.applications))]
        if None not in alone:
            wish = sum(app.weight * energy for app, energy in zip(instance.applications, alone, strict=True) if energy)
            decided += result.claimed_objective is None or not equal_energy(result.claimed_objective, wish)
    assert decided > 20


def _alone(instance: Instance, h: int) -> Instance:
    """One application of `instance` on a system without capacities."""
    nodes = tuple(node.model_copy(update={"memory_bytes": None}) for node in instance.network.nodes)
    app = instance.applications[h].model_copy(update={"rate_per_s": None})
    network = Network(name="unlimited", nodes=nodes, links=instance.network.links)
    return Instance(
        name="alone",
        accounting=instance.accounting,
        latency_kind=instance.latency_kind,
        network=network,
        dnns=instance.dnns,
        applications=(app,),
    )


@pytest.mark.parametrize(("latency", "accounting", "energy", "placement"), WORKED_OPTIMA)
def test_every_program_finds_the_worked_optimum(
    latency: float, accounting: Accounting, energy: float, placement: str
) -> None:
    instance = published(latency, accounting)
    for result in (
        flow.solve(instance),
        flow.solve(instance, MilpFlowOptions(strengthen=False)),
        assignment.solve(instance),
    ):
        assert result.status is Status.OPTIMAL
        assert result.claimed_objective == pytest.approx(energy, abs=5e-6)
        assert result.deployment is not None
        assert "".join(node[0] for node in result.deployment.deployments[0].placement) == placement


@pytest.mark.parametrize("factor", [1e-9, 1e6])
@pytest.mark.parametrize("seed", few_and_many(range(25), 10))
def test_units_of_energy_change_no_decision(seed: int, factor: float) -> None:
    instance = random_instance(seed)
    scaled = _with_energies(instance, factor)
    for strengthen in (True, False):
        plain, other = (
            flow.solve(instance, MilpFlowOptions(strengthen=strengthen)),
            flow.solve(scaled, MilpFlowOptions(strengthen=strengthen)),
        )
        assert other.deployment == plain.deployment
        assert other.status is plain.status
        if plain.claimed_objective is not None:
            assert other.claimed_objective == pytest.approx(factor * plain.claimed_objective, rel=1e-9)


def test_tiny_optima_survive_where_the_least_energy_path_is_free() -> None:
    """The scale has no least energy to go by; an optimum near 1e-12 J must not be lost in absolute tolerances."""
    compared = 0
    for seed in range(150):
        instance = _with_energies(random_instance(seed, zeros=True), 1e-9)
        (costs,) = costs_of(instance)
        truth = exhaustive.solve(instance)
        if truth.claimed_objective and least_energy(costs, everything(costs)) == 0:
            compared += 1
            assert_agrees(instance, flow.solve(instance, MilpFlowOptions(strengthen=False)), truth)
            assert_agrees(instance, flow.solve(instance), truth)
    assert compared >= 5


def _with_energies(instance: Instance, factor: float) -> Instance:
    nodes = tuple(
        Node(name=n.name, compute_ops_per_s=n.compute_ops_per_s, power_w=n.power_w * factor)
        for n in instance.network.nodes
    )
    links = tuple(
        Link(
            source=link.source,
            target=link.target,
            bandwidth_bit_per_s=link.bandwidth_bit_per_s,
            tx_energy_j_per_bit=link.tx_energy_j_per_bit * factor,
            rx_energy_j_per_bit=link.rx_energy_j_per_bit * factor,
            delay_s=link.delay_s,
        )
        for link in instance.network.links
    )
    return instance.model_copy(update={"network": Network(name="scaled", nodes=nodes, links=links)})


@pytest.mark.parametrize("seed", range(20))
def test_all_exact_methods_agree_on_a_latency_target_of_zero(seed: int) -> None:
    """δ = 0 admits what takes no time at all, and nothing else."""
    instance = random_instance(seed, max_nodes=3, max_blocks=3, zeros=True)
    dnn = instance.dnns[0]
    if seed % 2 == 0:
        dnn = DNN(
            name=dnn.name,
            input_bits=dnn.input_bits,
            blocks=tuple(block.model_copy(update={"ops": 0.0}) for block in dnn.blocks),
            exits=dnn.exits,
        )
    app = instance.applications[0].model_copy(update={"max_latency_s": 0.0})
    assert_all_agree(
        Instance(
            name="no-time",
            accounting=instance.accounting,
            latency_kind=instance.latency_kind,
            network=instance.network,
            dnns=(dnn,),
            applications=(app,),
        )
    )
