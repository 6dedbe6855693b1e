"""FIN on arrays: same energies as the three NetworkX stages, feasible up, a bound down, bounded memory."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finbench.fin_graph.label_setting import solve as label_setting
from finbench.fin_graph.paths import kernel
from finbench.fin_graph.paths.arrays import PathProblem, path_problem
from finbench.fin_graph.paths.kernel import ReplicaPath, least_energies, least_energy_replica_path, rows_bytes
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, evaluate
from finbench.models.instance import Instance
from finbench.models.result import Status
from tests.few_and_many import few_and_many, slow
from tests.random_instances import random_instance

NOISE = 1e-9


def problem_of(instance: Instance) -> PathProblem | None:
    return path_problem(instance, instance.applications[0])


def judged(instance: Instance, problem: PathProblem, path: ReplicaPath) -> Evaluation:
    return evaluate(instance, Deployment(deployments=(problem.deployment(path.layers, path.nodes),)))


def energies_agree(seed: int, gammas: tuple[int, ...], *, zeros: bool, max_nodes: int = 4) -> None:
    instance = random_instance(seed, max_nodes=max_nodes, max_blocks=4, zeros=zeros)
    problem = problem_of(instance)
    if problem is None:
        return
    for gamma in gammas:
        for rounding in ("up", "down"):
            stages = fin_three_stages(instance, instance.applications[0], gamma, rounding=rounding)
            expected = inf if stages.energy_j is None else stages.energy_j
            found = least_energy_replica_path(problem, gamma, how=rounding).energy
            assert found == pytest.approx(expected, rel=NOISE, abs=0), (gamma, rounding)


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("block", few_and_many(range(10), 4))
def test_the_kernel_finds_the_energy_of_the_three_stages(block: int, zeros: bool) -> None:
    for seed in range(40 * block, 40 * (block + 1)):
        energies_agree(seed, (1, 2 + seed % 30), zeros=zeros)


@pytest.mark.parametrize("block", few_and_many(range(4), 2))
def test_the_kernel_finds_the_energy_of_the_three_stages_where_relays_matter(block: int) -> None:
    for seed in range(40 * block, 40 * (block + 1)):
        energies_agree(seed, (9, 25), zeros=False, max_nodes=9)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), gamma=st.integers(1, 200), zeros=st.booleans())
def test_the_kernel_finds_the_energy_of_the_three_stages_at_any_gamma(seed: int, gamma: int, zeros: bool) -> None:
    energies_agree(seed, (gamma,), zeros=zeros)


@pytest.mark.parametrize("seeds", [300, slow(1500)])
@pytest.mark.parametrize("gamma", [1, 7, 60])
def test_rounding_up_gives_a_feasible_path_and_rounding_down_a_bound(gamma: int, seeds: int) -> None:
    found = 0
    for seed in range(seeds):
        instance = random_instance(seed, zeros=seed % 2 == 0)
        problem = problem_of(instance)
        optimum = label_setting(instance)
        if problem is None or optimum.claimed_objective is None:
            continue
        up = least_energy_replica_path(problem, gamma)
        down = least_energy_replica_path(problem, gamma, how="down")
        assert down.energy <= optimum.claimed_objective * (1 + NOISE)
        assert up.energy >= optimum.claimed_objective * (1 - NOISE)
        if up.layers:
            found += 1
            judgement = judged(instance, problem, up)
            assert judgement.feasible
            assert judgement.objective == pytest.approx(up.energy, rel=NOISE, abs=0)
        assert judged(instance, problem, down).objective == pytest.approx(down.energy, rel=NOISE, abs=0)
    assert found > seeds / (75 if gamma > 1 else 1500)


def test_checkpoints_give_the_same_path_in_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    instances = [random_instance(seed, zeros=seed % 2 == 0) for seed in range(120)]
    problems = [problem for problem in map(problem_of, instances) if problem is not None]
    kept = [least_energy_replica_path(problem, 20) for problem in problems]
    assert sum(len(path.layers) > 3 for path in kept) > 20
    before = [rows_bytes(problem, 20) for problem in problems]
    monkeypatch.setattr(kernel, "KEPT_ROWS_BYTES", 0)
    for problem, path, size in zip(problems, kept, before, strict=True):
        again = least_energy_replica_path(problem, 20)
        assert (again.energy, again.layers, again.nodes) == (path.energy, path.layers, path.nodes)
        assert rows_bytes(problem, 20) <= size + 8 * 21 * len(problem.node_names)
    deep = next(problem for problem in problems if problem.depth == 6)
    assert rows_bytes(deep, 20) < 8 * 21 * len(deep.node_names) * 7


@pytest.mark.parametrize(("kept", "held_rows"), [(2**40, 6 + 1), (0, 3 + 1 + 2)], ids=["all rows", "checkpoints"])
def test_foreseen_memory_is_rows_checkpoints_and_a_byte_for_each_place_seen(
    kept: int, held_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 6 layers all 7 rows, or 3 layers at a time with 2 checkpoints; 8 bytes a number."""
    monkeypatch.setattr(kernel, "KEPT_ROWS_BYTES", kept)
    problems = (problem_of(random_instance(seed)) for seed in range(120))
    deep = next(problem for problem in problems if problem is not None and problem.depth == 6)
    places = len(deep.node_names) * 21
    assert rows_bytes(deep, 20) == held_rows * 8 * places + places


def test_least_energies_end_where_the_search_does() -> None:
    for seed in range(60):
        problem = problem_of(random_instance(seed))
        if problem is not None:
            assert least_energies(problem, 25)[-1, -1] == least_energy_replica_path(problem, 25).energy


@pytest.mark.parametrize("bandwidth", [1.0, 1e15])
@pytest.mark.parametrize("gamma", [1, 200])
def test_extreme_bandwidths_never_beat_the_optimum(balexnet: Instance, bandwidth: float, gamma: int) -> None:
    links = tuple(link.model_copy(update={"bandwidth_bit_per_s": bandwidth}) for link in balexnet.network.links)
    network = balexnet.network.model_copy(update={"links": links})
    instance = balexnet.model_copy(update={"network": network}).with_overrides(max_latency_s=0.01)
    problem = problem_of(instance)
    assert problem is not None
    path = least_energy_replica_path(problem, gamma)
    optimum = label_setting(instance)
    assert optimum.status is Status.OPTIMAL
    assert optimum.claimed_objective is not None
    assert path.energy >= optimum.claimed_objective * (1 - NOISE)


def test_nothing_fits_a_tiny_budget(balexnet: Instance) -> None:
    for budget in (0.0, 1e-300, 1e-9):
        problem = problem_of(balexnet.with_overrides(max_latency_s=budget))
        assert problem is not None
        assert least_energy_replica_path(problem, 100).energy == inf
