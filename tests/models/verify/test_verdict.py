"""The exact checker against enumeration, the evaluator, and everything that could be claimed falsely."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from finbench.benchmarks.families import generate
from finbench.fin_graph import label_setting
from finbench.fin_graph.certifying import certificate_of
from finbench.fin_graph.joint.columns import column_generation
from finbench.fin_graph.joint.columns.column_generation import named_prices
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.system import SharedSystem
from finbench.models import exhaustive
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Clock, Result, Status
from finbench.models.verify import least
from finbench.models.verify.bound import recompute
from finbench.models.verify.certificate import (
    ApplicationProof,
    Certificate,
    CertificateKind,
    ResourceKind,
    ResourcePrice,
)
from finbench.models.verify.rows import evaluate_exactly
from finbench.models.verify.verdict import Ruling, verify
from tests.extended_instances import extended_instance, extended_shared_instance
from tests.few_and_many import few_and_many
from tests.models.test_evaluate import random_deployment
from tests.random_instances import of_applications, random_instance, random_shared_instance


def test_the_checker_imports_no_method_no_arrays_and_no_solver() -> None:
    script = "import sys, finbench.models.verify.verdict, finbench.models.verify.files; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    roots = {name.split(".")[0] for name in names}
    assert not roots & {"numpy", "scipy", "pyomo", "highspy", "numba", "networkx", "pandas"}
    ours = {name for name in names if name.startswith("finbench.")}
    assert not [name for name in ours if name.startswith(("finbench.fin_graph", "finbench.benchmarks"))]
    data = {"application", "catalogue", "deployment", "dnn", "fields", "instance", "io", "network", "remarks"}
    data |= {"documents", "input_errors", "shorthand", "tolerances", "units", "validation", "writing"}
    others = {name for name in ours if not name.startswith("finbench.models.verify")}
    assert others <= {"finbench.models", *(f"finbench.models.{name}" for name in data)}


@pytest.mark.parametrize("seed", few_and_many(range(300), 40))
def test_objective_and_violations_are_those_of_the_evaluator(seed: int) -> None:
    instance = extended_instance(seed) if seed % 4 == 1 else random_instance(seed, zeros=seed % 2 == 0)
    deployment = random_deployment(instance, seed)
    exact, judged = evaluate_exactly(instance, deployment), evaluate(instance, deployment)
    assert exact.feasible == judged.feasible
    if exact.objective is not None:
        assert judged.objective == pytest.approx(float(exact.objective), rel=1e-9)
        assert judged.applications[0].latency_s == pytest.approx(float(exact.rows[0].value), rel=1e-9)


@pytest.mark.parametrize("seed", few_and_many(range(400), 60))
def test_loads_and_rules_of_a_shared_system_are_those_of_the_evaluator(seed: int) -> None:
    instance = extended_shared_instance(seed) if seed % 4 == 1 else random_shared_instance(seed, levels=seed % 2 == 0)
    deployment = _anywhere(instance, seed)
    exact, judged = evaluate_exactly(instance, deployment), evaluate(instance, deployment)
    assert exact.feasible == judged.feasible, (exact.broken, judged.violations)
    broken = {row.subject for row in exact.rows if not row.holds and row.equation in (11, 12, 13, 21)}
    overloaded = {"compute", "memory", "bandwidth", "reservation"}
    assert broken == {fault.subject for fault in judged.violations if fault.kind.value in overloaded}


@pytest.mark.parametrize("seed", few_and_many(range(200), 25))
def test_the_bound_of_prices_is_that_of_the_relaxation(seed: int) -> None:
    """Eq. (25) once more, by compiled searches that share nothing with the checker."""
    plain = random_shared_instance(seed, levels=seed % 2 == 0, penalties=seed % 3 == 0)
    instance = extended_shared_instance(seed) if seed % 4 == 1 else plain
    relaxation = Relaxation(SharedSystem.of(instance), Clock(), whole=False)
    if relaxation.unservable:
        return
    relaxation.solve()
    run = Result(Status.FEASIBLE, Deployment(deployments=(), rejected=("none",)), info={"prices": _priced(relaxation)})
    certificate = certificate_of(instance, "relaxation", run)
    assert certificate is not None
    bound = recompute(instance, certificate, None).bound
    assert bound is not None
    assert float(bound) == pytest.approx(relaxation.bound.value, rel=1e-6)


@pytest.mark.parametrize("seed", few_and_many(range(40), 6))
def test_the_least_path_is_found_among_many_without_a_multiplier(seed: int) -> None:
    instance = generate("correlated", nodes=6, blocks=5, exits=2, seed=seed)
    result = label_setting.solve(instance)
    assert result.claimed_objective is not None
    for multiplier in (0.0, 10 * result.claimed_objective / instance.applications[0].max_latency_s):
        name, above = instance.applications[0].name, 2 * result.claimed_objective
        guide = ApplicationProof(application=name, multiplier=multiplier, least=above)
        certificate = Certificate(instance=instance.content_hash, applications=(guide,))
        found = verify(instance, result.deployment, certificate)
        assert found.verdict is Ruling.PROVEN
        assert found.gap == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", few_and_many(range(600), 60))
def test_the_optimum_of_one_application_is_proven_and_so_is_that_there_is_none(seed: int) -> None:
    plain = random_instance(seed, max_nodes=4, max_blocks=4, zeros=seed % 3 == 0)
    instance = extended_instance(seed) if seed % 2 else plain
    result = exhaustive.solve(instance)
    certificate = certificate_of(instance, "exhaustive", result)
    found = verify(instance, result.deployment, certificate, claimed=result.claimed_objective)
    assert found.verdict is Ruling.PROVEN, found.sentence
    if result.status is Status.OPTIMAL:
        assert found.bound is not None
        assert result.claimed_objective is not None
        assert float(found.bound) == pytest.approx(result.claimed_objective, rel=1e-9, abs=1e-30)


@pytest.mark.parametrize("seed", few_and_many(range(300), 30))
def test_the_bound_of_any_prices_lies_below_the_optimum_of_a_shared_system(seed: int) -> None:
    plain = random_shared_instance(seed, levels=seed % 2 == 0, penalties=seed % 3 == 0)
    instance = extended_shared_instance(seed) if seed % 4 == 1 else plain
    result = exhaustive.solve(instance)
    for certificate in (
        _drawn(instance, seed, CertificateKind.BOUND),
        _drawn(instance, seed, CertificateKind.INFEASIBLE),
    ):
        found = recompute(instance, certificate, None)
        if result.status is Status.INFEASIBLE:
            continue
        assert found.bound is not None, "an instance with a deployment was proven infeasible"
        assert result.claimed_objective is not None
        assert found.bound <= Fraction(result.claimed_objective) * (1 + Fraction(1, 10**6))


@pytest.mark.parametrize("seed", few_and_many(range(120), 20))
def test_column_generation_leaves_a_bound_that_can_be_recomputed(seed: int) -> None:
    instance = random_shared_instance(seed, levels=seed % 2 == 0, penalties=seed % 3 == 0)
    result = column_generation.solve(instance, time_limit_s=20)
    certificate = certificate_of(instance, "column-generation", result)
    assert certificate is not None
    found = verify(instance, result.deployment, certificate)
    assert found.verdict is not Ruling.REFUTED, found.sentence
    if result.status is not Status.INFEASIBLE:
        assert found.bound is not None
        assert result.lower_bound is not None
        assert float(found.bound) <= result.lower_bound * (1 + 1e-6)


def test_most_bounds_of_column_generation_are_proven_tight() -> None:
    proven = 0
    for seed in range(20):
        instance = random_shared_instance(seed, penalties=True)
        result = column_generation.solve(instance, time_limit_s=20)
        found = verify(instance, result.deployment, certificate_of(instance, "column-generation", result))
        proven += found.verdict is Ruling.PROVEN
    assert proven >= 10  # the others have a gap between fractions and whole numbers


@pytest.mark.parametrize("seed", few_and_many(range(300), 30))
def test_a_false_claim_is_refuted_or_not_proven(seed: int) -> None:
    instance = random_instance(seed, max_nodes=4, max_blocks=4)
    result = label_setting.solve(instance)
    if result.deployment is None or not result.claimed_objective:
        pytest.skip("there is no deployment to lie about")
    certificate = certificate_of(instance, "label-setting", result)
    assert certificate is not None

    lowered = verify(instance, result.deployment, certificate, claimed=0.99999 * result.claimed_objective)
    assert lowered.verdict is Ruling.REFUTED
    raised = certificate.model_copy(update={"lower_bound": 1.00001 * result.claimed_objective})
    assert verify(instance, result.deployment, raised).verdict is Ruling.NOT_PROVEN
    none = certificate.model_copy(update={"claim": CertificateKind.INFEASIBLE})
    assert verify(instance, result.deployment, none).verdict is Ruling.REFUTED
    assert verify(instance, None, none).verdict is Ruling.NOT_PROVEN
    other = instance.model_copy(update={"name": "another"})
    assert verify(other, result.deployment, certificate).verdict is Ruling.NOT_PROVEN
    (decision,) = result.deployment.deployments
    shorter = decision.model_copy(update={"placement": decision.placement[:-1]})
    assert verify(instance, Deployment(deployments=(shorter,)), certificate).verdict is Ruling.REFUTED


@pytest.mark.parametrize("seed", few_and_many(range(200), 25))
def test_a_multiplier_moves_nothing_that_was_proven(seed: int) -> None:
    """It only guides the search: with any other one, the bound is the same or the multiplier's own."""
    instance = random_instance(seed, max_nodes=4, max_blocks=4)
    result = label_setting.solve(instance)
    if result.deployment is None:
        pytest.skip("there is no deployment")
    assert result.claimed_objective is not None
    rng = np.random.default_rng(seed)
    for factor in (0.0, float(rng.uniform(0, 3)), 1e6):
        name, above = instance.applications[0].name, 2 * result.claimed_objective
        guide = ApplicationProof(application=name, multiplier=factor, least=above)
        certificate = Certificate(instance=instance.content_hash, applications=(guide,))
        assert verify(instance, result.deployment, certificate).verdict is Ruling.PROVEN


@pytest.mark.parametrize(
    ("nudge", "verdict"), [(1e-12, Ruling.PROVEN), (0.9e-6, Ruling.PROVEN), (2e-6, Ruling.REFUTED)]
)
@pytest.mark.parametrize("seed", range(20))
def test_a_latency_over_its_target_is_told_by_its_exact_slack(seed: int, nudge: float, verdict: Ruling) -> None:
    instance = random_instance(seed)
    result = label_setting.solve(instance)
    if result.deployment is None:
        pytest.skip("there is no deployment")
    latency = next(row for row in evaluate_exactly(instance, result.deployment).rows if row.equation == 8)
    tighter = instance.with_overrides(max_latency_s=float(latency.value) / (1 + nudge))
    found = verify(tighter, result.deployment, Certificate(instance=tighter.content_hash))
    assert found.verdict is verdict
    assert found.evaluation is not None
    assert not found.evaluation.strictly_feasible


def test_too_many_paths_leave_the_bound_of_the_multiplier(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = 0
    for seed in range(60):
        instance = random_instance(seed, max_nodes=5, max_blocks=6)
        result = label_setting.solve(instance)
        if result.deployment is None:
            continue
        certificate = certificate_of(instance, "label-setting", result)
        assert certificate is not None
        monkeypatch.setattr(least, "MOST_LABELS", 1)
        found = verify(instance, result.deployment, certificate)
        assert found.bound is not None
        assert found.evaluation is not None
        assert found.evaluation.objective is not None
        assert found.bound <= found.evaluation.objective
        cut += bool(found.cut_short)
        if found.cut_short and result.info["dual_bound_j"] < 0.999 * float(found.evaluation.objective):
            assert found.verdict is Ruling.NOT_PROVEN
            assert float(found.bound) == pytest.approx(result.info["dual_bound_j"], rel=1e-5)
    assert cut > 3


def test_a_block_away_from_its_pin_is_refuted() -> None:
    instance = random_instance(3, max_nodes=4)
    result = exhaustive.solve(instance)
    assert result.deployment is not None
    assert verify(instance, result.deployment).verdict is Ruling.PROVEN
    (at, *_) = result.deployment.deployments[0].placement
    elsewhere = next(node.name for node in instance.network.nodes if node.name != at)
    app = instance.applications[0].model_copy(update={"pinned": {"1": elsewhere}})
    found = verify(of_applications(instance, (app,)), result.deployment)
    assert found.verdict is Ruling.REFUTED
    assert "pinned" in found.sentence


def test_nothing_that_is_not_there_can_be_paid_for() -> None:
    instance = random_shared_instance(1)
    price = ResourcePrice(resource=ResourceKind.COMPUTE, subject="nowhere", price_w=1.0)
    certificate = Certificate(instance=instance.content_hash, prices=(price,))
    found = verify(instance, None, certificate)
    assert (found.verdict, found.sentence) == (
        Ruling.NOT_PROVEN,
        "prices: there is no compute of 'nowhere' to pay for",
    )


def _anywhere(instance: Instance, seed: int) -> Deployment:
    """Deployments of all applications, drawn one by one; some with a block moved from where it is pinned."""
    rng = np.random.default_rng(seed)
    parts = []
    for k, app in enumerate(instance.applications):
        alone = of_applications(instance, (app,)).model_copy(update={"dnns": (instance.dnn_of(app),)})
        (part,) = random_deployment(alone, seed + k).deployments
        if rng.random() < 0.2:
            away = str(rng.choice([node.name for node in instance.network.nodes]))
            part = part.model_copy(update={"placement": (away, *part.placement[1:])})
        nodes = instance.network.node_by_name
        shares = tuple(float(rng.choice(nodes[name].compute_shares)) for name in part.placement)
        parts.append(part.model_copy(update={"shares": shares}))
    return Deployment(deployments=tuple(parts))


def _priced(relaxation: Relaxation) -> list[dict[str, object]]:
    return named_prices(relaxation.system.topology.network, relaxation.bound.prices)


def _drawn(instance: Instance, seed: int, claim: CertificateKind) -> Certificate:
    """Random prices and multipliers, on half of the resources and applications."""
    rng = np.random.default_rng(seed)
    prices = [
        ResourcePrice(resource=kind, subject=node.name, price_w=float(rng.exponential()) * 10.0 ** rng.integers(-3, 3))
        for node in instance.network.nodes
        for kind in (
            ResourceKind.RESERVATION if node.reserves else ResourceKind.COMPUTE,
            *([ResourceKind.MEMORY] if node.memory_bytes is not None else []),
        )
        if rng.random() < 0.5
    ]
    prices += [
        ResourcePrice(
            resource=ResourceKind.BANDWIDTH, subject=f"{link.source}->{link.target}", price_w=float(rng.exponential())
        )
        for link in instance.network.links
        if rng.random() < 0.5
    ]
    guides = tuple(
        ApplicationProof(application=app.name, multiplier=float(rng.exponential()), least=float(10 * rng.exponential()))
        for app in instance.applications
        if rng.random() < 0.7
    )
    return Certificate(instance=instance.content_hash, claim=claim, prices=tuple(prices), applications=guides)


def test_a_run_that_claims_nothing_has_no_certificate() -> None:
    assert certificate_of(random_instance(1), "fin", Result(Status.NO_SOLUTION)) is None
