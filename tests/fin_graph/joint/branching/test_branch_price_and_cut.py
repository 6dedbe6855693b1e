"""Branch-price-and-cut against programs that share nothing with it, and its branches against enumeration."""

from __future__ import annotations

import signal
import subprocess
import sys
from math import inf
from time import perf_counter

import psutil
import pytest

from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.certifying import certificate_of
from finbench.fin_graph.joint.branching import branch_price_and_cut as method
from finbench.fin_graph.joint.branching.branch import Branch
from finbench.fin_graph.joint.branching.branch_price_and_cut import solve
from finbench.fin_graph.joint.branching.fixing import load_branching
from finbench.fin_graph.joint.branching.spots import Spots
from finbench.fin_graph.joint.columns.incumbent import Incumbent
from finbench.fin_graph.joint.system import SharedSystem
from finbench.fin_graph.options import BranchingOptions
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.milp import flow
from finbench.models.result import Result, Status
from finbench.models.tolerances import BRANCHING_GAP
from finbench.models.verify.verdict import Ruling, verify
from tests.extended_instances import extended_shared_instance
from tests.few_and_many import few_and_many
from tests.fin_graph.joint.branching.enumerated import Joint, allowed, joint_deployments
from tests.fin_graph.joint.branching.watching import Watch
from tests.random_instances import random_shared_instance

LIMIT_S = 300.0
"""Never met: all these instances are solved."""

ONLY_BRANCHING = BranchingOptions(lists=False)


def instance_of(seed: int) -> Instance:
    return random_shared_instance(
        seed, max_applications=5, max_nodes=5, max_blocks=3, levels=seed % 4 == 3, penalties=seed % 4 == 2
    )


def assert_solved(instance: Instance, ours: Result, exact: Result) -> None:
    """Assert that both results are the same proven optimum, or prove that there is none."""
    assert ours.status is exact.status, (ours.reason, exact.reason)
    if exact.status is Status.INFEASIBLE:
        assert ours.deployment is None
        return
    assert ours.status is Status.OPTIMAL
    assert ours.deployment is not None
    judged = evaluate(instance, ours.deployment)
    assert judged.feasible, judged.violations
    assert judged.objective == pytest.approx(ours.claimed_objective, rel=1e-9)
    assert ours.claimed_objective == pytest.approx(exact.claimed_objective, rel=1e-6)
    assert ours.lower_bound == pytest.approx(exact.claimed_objective, rel=1e-6)
    assert ours.lower_bound is not None
    assert exact.claimed_objective is not None
    assert ours.lower_bound <= exact.claimed_objective * (1 + 1e-7)


@pytest.mark.parametrize("first", few_and_many(range(0, 120, 10), 0))
def test_small_instances_are_solved_as_by_the_exact_program(first: int) -> None:
    for seed in range(first, first + 10):
        instance = instance_of(seed)
        exact = flow.solve(instance, time_limit_s=LIMIT_S)
        assert_solved(instance, solve(instance, time_limit_s=LIMIT_S), exact)


def test_instances_of_every_feature_are_solved_as_by_the_exact_program() -> None:
    for seed in range(4):
        instance = extended_shared_instance(seed)
        exact = flow.solve(instance, time_limit_s=LIMIT_S)
        assert_solved(instance, solve(instance, time_limit_s=LIMIT_S), exact)


def least(branch: Branch, joints: list[tuple[float, Joint]]) -> float:
    """Return the least objective that a branch allows."""
    return min((cost for cost, joint in joints if allowed(branch, joint)), default=inf)


def check_tree(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> int:
    """Assert that bounds hold in all branches and that children divide what is allowed; return how many were divided.

    Without cuts trees are larger.
    """
    system = SharedSystem.of(instance)
    spots = Spots(system)
    joints = joint_deployments(spots, system.empty_room(), most=30_000)
    if joints is None:
        return 0
    divided = 0
    for cuts in (True, False):
        with monkeypatch.context() as patched:
            watch = Watch(patched)
            result = solve(instance, BranchingOptions(lists=False, cuts=cuts), time_limit_s=LIMIT_S)
        check_branches(watch, result, joints)
        divided += len(watch.divided)
    return divided


def check_branches(watch: Watch, result: Result, joints: list[tuple[float, Joint]]) -> None:
    """Assert that a result and all branches that led to it agree with all joint deployments."""
    best = min((cost for cost, _ in joints), default=inf)
    if best < inf:
        assert result.claimed_objective == pytest.approx(best, rel=BRANCHING_GAP)
        assert result.status is Status.OPTIMAL
    else:
        assert result.status is Status.INFEASIBLE
    for branch, outcome in watch.visited:
        assert outcome.bound <= least(branch, joints) * (1 + 1e-9)
    for branch, children in watch.divided:
        assert min(least(child, joints) for child in children) == least(branch, joints)


def with_copies(instance: Instance, name: str = "again") -> Instance:
    """Return the instance with its first application once more, under another name."""
    first = instance.applications[0]
    return instance.model_copy(
        update={"applications": (*instance.applications, first.model_copy(update={"name": name}))}
    )


@pytest.mark.parametrize("seeds", few_and_many([range(0, 16), range(16, 70)], 1))
def test_bounds_hold_in_every_branch(seeds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    divided = 0
    for seed in seeds:
        instance = random_shared_instance(
            seed, max_applications=3, max_nodes=4, max_blocks=2, levels=seed % 4 == 3, penalties=seed % 4 == 2
        )
        divided += check_tree(with_copies(instance) if seed % 2 else instance, monkeypatch)
    assert divided > len(seeds) / 4


def test_members_of_a_group_are_counted_right_in_every_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems of a few applications, four of them equal, whose trees bound how many of these are on a spot."""
    for seed in (10, 104, 136):
        instance = random_shared_instance(seed, max_applications=2, max_nodes=3, max_blocks=2, penalties=seed % 3 == 2)
        for name in ("second", "third", "fourth"):
            instance = with_copies(instance, name)
        assert check_tree(instance, monkeypatch) > 0


def test_order_and_names_change_no_optimum() -> None:
    for seed in (1, 2, 3, 7, 18):
        instance = instance_of(seed)
        apps = [app.model_copy(update={"name": f"z{k}"}) for k, app in enumerate(reversed(instance.applications))]
        ours = solve(instance, time_limit_s=LIMIT_S)
        other = solve(instance.model_copy(update={"applications": tuple(apps)}), time_limit_s=LIMIT_S)
        assert other.status is ours.status
        if ours.claimed_objective is not None:
            assert other.claimed_objective == pytest.approx(ours.claimed_objective, rel=BRANCHING_GAP)


@pytest.mark.slow
def test_any_limit_ends_with_a_bound() -> None:
    load_branching()
    instance = generate_shared("campus", nodes=20, applications=20, load=0.8, seed=3, penalty=5.0)
    best = solve(instance, time_limit_s=10.0)
    assert best.claimed_objective is not None
    for limit in (0.0, 0.01, 0.03, 0.1, 0.3, 1.0):
        begun = perf_counter()
        result = solve(instance, time_limit_s=limit)
        assert perf_counter() - begun <= limit + 1.0
        assert result.lower_bound is not None
        assert result.lower_bound <= best.claimed_objective * (1 + 1e-9)
        if result.deployment is not None:
            assert evaluate(instance, result.deployment).feasible
            assert result.claimed_objective is not None
            assert result.lower_bound <= result.claimed_objective
            assert best.lower_bound is not None
            assert best.lower_bound <= result.claimed_objective * (1 + 1e-9)


def test_runs_without_a_limit_are_equal() -> None:
    for seed in (1, 6, 11):
        first, second = (solve(instance_of(seed), seed=3) for _ in range(2))
        assert first.deployment == second.deployment
        assert first.lower_bound == second.lower_bound
        counts = ("nodes", "cuts", "closed_spots", "closed_by_lists", "columns")
        assert [first.info.get(key) for key in counts] == [second.info.get(key) for key in counts]


def test_what_would_not_fit_into_memory_is_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "BYTES_PER_SPOT", 1e12)
    result = solve(instance_of(1))
    assert result.status is Status.MEMORY_LIMIT
    assert result.reason is not None
    assert "GiB" in result.reason


def test_a_tree_that_grows_too_large_ends_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = open_at_the_root(monkeypatch)
    monkeypatch.setattr(method, "available_bytes", lambda: -(2.0**60))
    result = solve(instance, ONLY_BRANCHING)
    assert result.status is Status.MEMORY_LIMIT
    assert result.reason is not None
    assert result.lower_bound is not None


def open_at_the_root(monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Return a system whose relaxation leaves something open, and take away what else would close it."""
    monkeypatch.setattr(Incumbent, "improve", lambda *_: None)
    monkeypatch.setattr(Incumbent, "insert", lambda *_: None)
    monkeypatch.setattr(Incumbent, "round", lambda *_: None)
    return instance_of(1)


RUN_LONG = """
from finbench.benchmarks.families import generate_shared
from finbench.fin_graph.joint.branching import branch_price_and_cut as method
from finbench.fin_graph.joint.branching.tree import Tree
explore = Tree.explore

def told(*arguments):
    print("exploring", flush=True)
    explore(*arguments)

Tree.explore = told
method.solve(generate_shared("campus", nodes=100, applications=200, load=0.7, seed=1))
"""


@pytest.mark.slow
def test_a_run_ends_when_it_is_asked_to() -> None:
    with subprocess.Popen([sys.executable, "-c", RUN_LONG], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "exploring\n"
        own = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.SIGTERM)
        assert run.wait(10) == -signal.SIGTERM
    assert not any(process.is_running() for process in own)


def test_the_bound_of_the_root_is_certified() -> None:
    instance = instance_of(1)
    result = solve(instance, time_limit_s=LIMIT_S)
    certificate = certificate_of(instance, "branch-price-and-cut", result)
    assert certificate is not None
    assert result.deployment is not None
    found = verify(instance, result.deployment, certificate)
    assert found.verdict is not Ruling.REFUTED, found.sentence
    assert found.bound is not None
    assert result.lower_bound is not None
    assert float(found.bound) <= result.lower_bound * (1 + 1e-6)
