"""CP-SAT against enumeration and label setting; limits, gaps, trajectories, and what becomes of its process."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from finbench.benchmarks.families import generate
from finbench.benchmarks.methods import run_method
from finbench.fin_graph import label_setting
from finbench.models import exhaustive
from finbench.models.cp_sat import conversation, method, program
from finbench.models.cp_sat.conversation import Request, Said
from finbench.models.cp_sat.program import IntegerProgram
from finbench.models.evaluate import evaluate
from finbench.models.instance import Application, Instance, Link, Network, Node
from finbench.models.io import load_instance, shipped
from finbench.models.milp import flow
from finbench.models.options import ReducedProgramOptions
from finbench.models.programs.costs import Floats, Ints
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import equal_energy
from tests.few_and_many import few_and_many
from tests.models.cp_sat.conftest import needs_ortools
from tests.models.enumeration import shared_instance
from tests.random_instances import of_applications, random_instance, random_shared_instance

pytestmark = needs_ortools


def assert_agrees(instance: Instance, result: Result, truth: Result) -> None:
    assert result.status is truth.status, result.reason
    if truth.claimed_objective is None:
        assert result.deployment is None
        return
    assert result.claimed_objective is not None
    assert result.lower_bound is not None
    assert result.deployment is not None
    judged = evaluate(instance, result.deployment)
    assert judged.violations == ()
    assert judged.objective == pytest.approx(result.claimed_objective, rel=1e-9)
    assert equal_energy(result.claimed_objective, truth.claimed_objective)
    assert result.lower_bound <= result.claimed_objective
    assert result.claimed_objective - result.lower_bound <= 1e-9 * result.claimed_objective


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("strengthen", [True, False])
@pytest.mark.parametrize("seed", few_and_many(range(60), 18))
def test_cp_sat_and_label_setting_equal_enumeration_on_arbitrary_networks(seed: int, strengthen: bool) -> None:
    instance = random_instance(seed)
    result, truth = method.solve(instance, ReducedProgramOptions(strengthen=strengthen)), exhaustive.solve(instance)
    assert_agrees(instance, result, truth)
    assert_agrees(instance, label_setting.solve(instance), truth)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", few_and_many(range(100, 160), 18))
def test_cp_sat_and_label_setting_equal_enumeration_on_zeros_and_ties(seed: int) -> None:
    instance = random_instance(seed, zeros=True)
    truth = exhaustive.solve(instance)
    assert_agrees(instance, method.solve(instance, ReducedProgramOptions(strengthen=seed % 2 == 0)), truth)
    assert_agrees(instance, label_setting.solve(instance), truth)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", few_and_many(range(60), 18))
def test_cp_sat_equals_enumeration_on_shared_systems(seed: int) -> None:
    instance = shared_instance(seed, applications=1 + seed % 3, max_nodes=2 + seed % 2)
    assert_agrees(
        instance, method.solve(instance, ReducedProgramOptions(strengthen=seed % 2 == 0)), exhaustive.solve(instance)
    )


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("seed", few_and_many(range(80), 24))
def test_cp_sat_equals_enumeration_on_shares_and_rejections(seed: int) -> None:
    instance = random_shared_instance(seed, levels=seed % 4 != 0, penalties=seed % 4 != 1)
    assert_agrees(
        instance, method.solve(instance, ReducedProgramOptions(strengthen=seed % 2 == 0)), exhaustive.solve(instance)
    )


@pytest.mark.parametrize("seed", few_and_many([6097, 6116, 5145, 5715], 1))
def test_what_presolve_lost_is_found(seed: int) -> None:
    """Systems on which CP-SAT 9.15 with its presolve calls something optimal that is not."""
    instance = random_shared_instance(
        seed, max_applications=5, max_nodes=5, max_blocks=4, levels=seed % 2 == 1, penalties=seed % 4 >= 2
    )
    assert_agrees(instance, method.solve(instance), flow.solve(instance))


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("strengthen", [True, False])
def test_what_no_exit_serves_is_rejected_where_it_may_be(strengthen: bool) -> None:
    instance = random_shared_instance(4, penalties=True)
    first, *others = instance.applications
    may = first.model_copy(update={"min_accuracy": 1.0, "rejection_penalty_w": 2.0})
    for app in (may, may.model_copy(update={"rejection_penalty_w": None})):
        asking = of_applications(instance, (app, *others))
        result = method.solve(asking, ReducedProgramOptions(strengthen=strengthen))
        assert_agrees(asking, result, exhaustive.solve(asking))
        if app is may:
            assert result.deployment is not None
            assert app.name in result.deployment.rejected


def test_some_of_these_are_rejected_and_some_reserve() -> None:
    truths = [exhaustive.solve(random_shared_instance(seed, levels=True, penalties=True)) for seed in range(20)]
    deployments = [truth.deployment for truth in truths if truth.deployment is not None]
    assert any(deployment.rejected for deployment in deployments)
    assert any(app.shares for deployment in deployments for app in deployment.deployments)


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("name", sorted(shipped("instances")))
def test_cp_sat_finds_the_optima_of_published_instances(name: str) -> None:
    instance = load_instance(name)
    assert_agrees(instance, method.solve(instance), label_setting.solve(instance))


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("factor", [1e-9, 1e6])
@pytest.mark.parametrize("seed", range(8))
def test_units_change_no_decision(seed: int, factor: float) -> None:
    instance = random_instance(seed)
    plain = method.solve(instance)
    dearer, slower = method.solve(with_energies(instance, factor)), method.solve(with_times(instance, factor))
    assert dearer.status is slower.status is plain.status
    if plain.claimed_objective is not None:
        assert dearer.deployment == plain.deployment
        assert dearer.claimed_objective == pytest.approx(factor * plain.claimed_objective, rel=1e-12)
        assert slower.claimed_objective == pytest.approx(factor * plain.claimed_objective, rel=1e-12)


def with_energies(instance: Instance, factor: float) -> Instance:
    return rebuilt(
        instance,
        nodes=[node.model_copy(update={"power_w": node.power_w * factor}) for node in instance.network.nodes],
        links=[
            link.model_copy(
                update={
                    "tx_energy_j_per_bit": link.tx_energy_j_per_bit * factor,
                    "rx_energy_j_per_bit": link.rx_energy_j_per_bit * factor,
                }
            )
            for link in instance.network.links
        ],
    )


def with_times(instance: Instance, factor: float) -> Instance:
    """Everything takes `factor` times as long, and so much more energy."""
    return rebuilt(
        with_energies(instance, factor),
        nodes=[
            node.model_copy(update={"compute_ops_per_s": (node.compute_ops_per_s or 0.0) / factor})
            for node in instance.network.nodes
        ],
        links=[
            link.model_copy(
                update={
                    "bandwidth_bit_per_s": link.bandwidth_bit_per_s / factor,
                    "delay_s": link.delay_s * factor,
                    "tx_energy_j_per_bit": link.tx_energy_j_per_bit * factor,
                    "rx_energy_j_per_bit": link.rx_energy_j_per_bit * factor,
                }
            )
            for link in instance.network.links
        ],
        apps=[app.model_copy(update={"max_latency_s": app.max_latency_s * factor}) for app in instance.applications],
    )


def rebuilt(
    instance: Instance, *, nodes: list[Node], links: list[Link], apps: list[Application] | None = None
) -> Instance:
    return Instance(
        name=instance.name,
        accounting=instance.accounting,
        latency_kind=instance.latency_kind,
        network=Network(name="other", nodes=tuple(nodes), links=tuple(links)),
        dnns=instance.dnns,
        applications=tuple(apps) if apps is not None else instance.applications,
    )


@pytest.mark.usefixtures("one_process")
def test_what_only_the_rounding_lets_in_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """With limits of three bits the first incumbents are often infeasible; the answers stay the same."""
    truths = {seed: exhaustive.solve(random_instance(seed)) for seed in range(14)}
    monkeypatch.setattr(program, "at_most", coarse)
    cut_off = 0
    for seed, truth in truths.items():
        result = method.solve(random_instance(seed), ReducedProgramOptions(strengthen=False))
        assert_agrees(random_instance(seed), result, truth)
        cut_off += result.info.get("cut_off", 0)
    assert cut_off > 5


def coarse(columns: Ints, amounts: Floats, limit: float) -> program.IntegerRow:
    """A row with a limit of three bits."""
    shift = 3 - int(np.frexp(limit)[1])
    return columns.tolist(), program.floored(amounts, shift).tolist(), 0, int(np.ldexp(limit, shift)) + 1


@pytest.mark.usefixtures("one_process")
def test_coarse_coefficients_are_refined_until_bound_and_energy_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that takes 1e16 times the energy leaves the others few bits; the second round is without it."""
    rounds = 0
    for seed in range(30):
        plain = random_instance(seed, max_nodes=4)
        dear = plain.network.nodes[0].model_copy(update={"name": "dear", "power_w": 1e17})
        there = Link(
            source=plain.applications[0].source,
            target="dear",
            bandwidth_bit_per_s=1e12,
            tx_energy_j_per_bit=1e-12,
            rx_energy_j_per_bit=0.0,
        )
        instance = rebuilt(plain, nodes=[*plain.network.nodes, dear], links=[*plain.network.links, there])
        truth = exhaustive.solve(instance)
        result = method.solve(instance, ReducedProgramOptions(strengthen=False))
        assert_agrees(instance, result, truth)
        rounds = max(rounds, result.info.get("rounds", 0))
    assert rounds == 2


@pytest.mark.usefixtures("one_process")
def test_precision_that_cannot_be_had_is_no_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "SUM_BITS", 10)
    instance = generate("dense", nodes=8, blocks=5, exits=2, seed=1)
    optimum, result = label_setting.solve(instance).claimed_objective, method.solve(instance)
    assert (result.status, result.reason) == (Status.FEASIBLE, "the rounding of energies leaves a gap")
    assert 1 < result.info["rounds"] < 10
    assert optimum is not None
    assert result.lower_bound is not None
    assert result.claimed_objective is not None
    assert 0 < result.lower_bound <= optimum <= result.claimed_objective * (1 + 1e-9)


@pytest.mark.usefixtures("one_process")
def test_a_program_without_a_constraint_is_an_error_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the rounding alone lets in takes so many rounds."""
    monkeypatch.setattr(method, "MOST_ROUNDS", 6)
    monkeypatch.setattr(program, "at_most", lambda columns, *_: (columns.tolist(), [0] * len(columns), 0, 1))
    result = method.solve(
        generate("dense", nodes=8, blocks=5, exits=2, seed=1), ReducedProgramOptions(strengthen=False)
    )
    assert result.status is Status.ERROR
    assert result.reason == "CP-SAT: after 6 rounds its incumbents still break a constraint"


@pytest.mark.usefixtures("one_process")
def test_incumbent_and_bound_close_in_over_time() -> None:
    result = method.solve(generate("correlated", nodes=10, blocks=6, exits=2, seed=4))
    points = result.info["trajectory"]
    assert result.status is Status.OPTIMAL
    assert points[-1][1:] == (result.claimed_objective, result.lower_bound)
    assert points[0][0] >= result.times_s["build"]
    assert len({energy for _, energy, _ in points}) > 2
    for (before, worse, looser), (after, better, tighter) in pairwise(points):
        assert before <= after
        assert worse is None or better <= worse
        assert looser <= tighter


@pytest.fixture(scope="module")
def hard() -> Instance:
    return generate("correlated", nodes=30, blocks=12, exits=3, seed=1)


def test_time_limit_is_wall_clock_and_leaves_a_sound_bound(hard: Instance) -> None:
    before, start = len(children()), time.perf_counter()
    result = method.solve(hard, time_limit_s=3.0)
    assert time.perf_counter() - start < 12  # a busy machine hands over slowly
    assert result.status is Status.TIME_LIMIT
    assert result.lower_bound is not None
    assert result.lower_bound > 0
    assert set(result.times_s) == {"build", "process", "handover", "solve", "extract"}
    assert sum(result.times_s.values()) < 12
    if result.deployment is not None:
        judged = evaluate(hard, result.deployment)
        assert judged.violations == ()
        assert result.claimed_objective is not None
        assert result.lower_bound <= result.claimed_objective
    assert len(children()) == before


def test_no_process_is_started_for_want_of_time(hard: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "run_worker", None)
    result = method.solve(hard, time_limit_s=0.0)
    assert (result.status, result.deployment) == (Status.TIME_LIMIT, None)


def children() -> list[psutil.Process]:
    """Processes of this one that run CP-SAT."""
    return [c for c in psutil.Process().children(recursive=True) if str(conversation.WORKER) in c.cmdline()]


@pytest.mark.usefixtures("one_process")
def test_gap_is_kept_and_bound_is_sound() -> None:
    instance = generate("correlated", nodes=10, blocks=6, exits=2, seed=3)
    optimum = label_setting.solve(instance).claimed_objective
    assert optimum is not None
    result = method.solve(instance, ReducedProgramOptions(mip_gap=0.05))
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert result.lower_bound is not None
    assert result.claimed_objective is not None
    assert result.lower_bound <= optimum * (1 + 1e-6)
    assert optimum <= result.claimed_objective * (1 + 1e-6)
    assert result.claimed_objective - result.lower_bound <= 0.05 * result.claimed_objective * (1 + 1e-6)


def test_threads_and_seed_are_taken() -> None:
    instance = load_instance("balexnet-cifar10")
    result = run_method(instance, "cp-sat", threads=2, seed=2**40 + 5)
    assert_agrees(instance, result, label_setting.solve(instance))


def test_the_process_ends_with_its_parent() -> None:
    code = (
        "from finbench.benchmarks.families import generate\n"
        "from finbench.models.cp_sat import method\n"
        "method.solve(generate('correlated', nodes=30, blocks=12, exits=3, seed=1), time_limit_s=60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        found: list[psutil.Process] = []
        until = time.monotonic() + 120
        while not found and time.monotonic() < until:
            found = [c for c in psutil.Process(parent.pid).children() if c.cpu_times().user > 0.5]
            time.sleep(0.05)
        assert len(found) == 1
    finally:
        parent.kill()
        parent.wait()
    until = time.monotonic() + 60
    while alive(found[0]) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(found[0])


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("raise MemoryError('no more')", Status.MEMORY_LIMIT, "MemoryError: no more"),
        ("raise ValueError('what is this')", Status.ERROR, "ValueError: what is this"),
        ("import os; os.kill(os.getpid(), 9)", Status.ERROR, "its process ended with code -9"),
    ],
)
def test_a_process_that_fails_is_a_result(
    code: str, status: Status, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(f"import sys\nsys.stdin.readline()\n{code}\n")
    monkeypatch.setattr(conversation, "WORKER", worker)
    result = method.solve(load_instance("balexnet-cifar10"))
    assert (result.status, result.reason) == (status, f"CP-SAT: {said}")
    assert result.deployment is None


def test_a_process_that_ignores_the_limit_is_killed_and_what_it_told_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = load_instance("balexnet-cifar10")
    least = method.solve(instance, time_limit_s=0.0).lower_bound
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import json, sys, time\n"
        "sys.stdin.readline()\n"
        f"print(json.dumps({{'at': 0.1, 'bound': {2**program.PRECISION_BITS}}}), flush=True)\n"
        "print('cut o', end='', flush=True)\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(conversation, "WORKER", worker)
    start = time.perf_counter()
    result = method.solve(instance, time_limit_s=2.0)
    assert time.perf_counter() - start < 30
    assert result.status is Status.TIME_LIMIT
    assert least is not None
    assert result.lower_bound is not None
    assert least < result.lower_bound <= 2 * least
    assert [point[1:] for point in result.info["trajectory"]] == [(None, result.lower_bound)] * 2


def test_a_bound_above_a_checked_deployment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = load_instance("balexnet-cifar10")

    def lying(asked: IntegerProgram, request: Request, clock: Clock) -> Said:
        said = conversation.ask(asked, request, clock)
        *before, last = said.events
        assert last.bound is not None
        return replace(said, events=(*before, replace(last, bound=1.01 * last.bound)))

    monkeypatch.setattr(method, "ask", lying)
    result = method.solve(instance)
    assert result.status is Status.ERROR
    assert "is above the objective 0.0213954574 of a deployment" in (result.reason or "")
