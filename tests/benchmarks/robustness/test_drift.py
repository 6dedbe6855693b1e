"""The worst of drifting exit shares, against a linear program and against every vertex."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog

from finbench.benchmarks.robustness.drift import drift_of, worst_of
from finbench.fin_graph.joint.greedy import solve as greedy
from finbench.models.deployment import Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Accounting, Block, Exit, Instance, LatencyKind
from finbench.models.options import Options
from tests.benchmarks.simulation.test_queues import one_server
from tests.random_instances import random_shared_instance


def by_program(shares: list[float], costs: list[float], distance: float) -> float:
    """The same by a linear program: ψ = φ + up − down, Σ up ≤ Δ."""
    n = len(shares)
    found = linprog(
        [-cost for cost in (*costs, *(-c for c in costs))],
        A_ub=[[1.0] * n + [0.0] * n],
        b_ub=[distance],
        A_eq=[[1.0] * n + [-1.0] * n],
        b_eq=[0.0],
        bounds=[(0, None)] * n + [(0, share) for share in shares],
    )
    assert found.fun is not None
    return float(np.dot(shares, costs)) - float(found.fun)


@pytest.mark.parametrize("seed", range(200))
def test_the_worst_is_the_optimum_of_the_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = list(rng.dirichlet(np.ones(int(rng.integers(1, 6)))))
    costs = list(np.round(rng.uniform(0, 3, len(shares)), int(rng.integers(0, 3))))
    distance = float(rng.choice([0.0, rng.uniform(0, 1), 1.0]))
    assert worst_of(shares, costs, distance) == pytest.approx(by_program(shares, costs, distance), rel=1e-9, abs=1e-12)


def placed(seed: int) -> tuple[Instance, Deployment] | None:
    instance = random_shared_instance(seed, penalties=True)
    instance = instance.with_overrides(accounting=Accounting.EXPECTED)
    found = greedy(instance, Options(), time_limit_s=None, seed=0).deployment
    return (instance, found) if found is not None and found.deployments else None


def moved(instance: Instance, deployment: Deployment, choice: dict[str, tuple[int, int]], distance: float) -> Instance:
    """The instance after mass of each served application's DNN has moved from one deployed exit to another."""
    dnns = {dnn.name: dnn for dnn in instance.dnns}
    for one in deployment.deployments:
        app = next(app for app in instance.applications if app.name == one.application)
        dnn = instance.dnn_of(app)
        dnns[dnn.name] = _moved(dnn, one.last_exit, *choice[app.name], distance)
    return instance.model_copy(update={"dnns": tuple(dnns.values())})


def _moved(dnn: DNN, last: int, start: int, end: int, distance: float) -> DNN:
    shares = [exit_.exit_fraction for exit_ in dnn.exits]
    shares[last - 1 :] = [sum(shares[last - 1 :]), *[0.0] * (len(shares) - last)]
    mass = min(distance, shares[start - 1])
    shares[start - 1] -= mass
    shares[end - 1] += mass
    exits = [
        Exit(after_block=exit_.after_block, exit_fraction=min(share, 1.0), accuracy=exit_.accuracy)
        for exit_, share in zip(dnn.exits, shares, strict=True)
    ]
    return dnn.model_copy(update={"exits": tuple(exits)})


@pytest.mark.parametrize("seed", range(25))
def test_the_evaluator_never_finds_worse_and_reaches_the_worst_where_one_move_does(seed: int) -> None:
    """Over all single moves of mass between two exits, in all applications: no number exceeds the worst."""
    case = placed(seed)
    if case is None or len({case[0].dnn_of(app).name for app in case[0].applications}) < len(case[0].applications):
        pytest.skip("nobody is served, or two applications share a DNN")
    instance, deployment = case
    instance = instance.with_overrides(latency_kind=LatencyKind.EXPECTED)
    distance, names = 0.05, [one.application for one in deployment.deployments]
    worst = {(one.what, one.subject): one.worst for one in drift_of(instance, deployment, distance).numbers}
    reached = dict.fromkeys(worst, 0.0)
    pairs = [
        [(a, b) for a in range(1, one.last_exit + 1) for b in range(1, one.last_exit + 1)]
        for one in deployment.deployments
    ]
    for chosen in product(*pairs):
        after = moved(instance, deployment, dict(zip(names, chosen, strict=True)), distance)
        judged = evaluate(after, deployment)
        seen = {("energy", one.application): one.energy_j for one in judged.applications}
        seen |= {("latency", one.application): one.latency_s for one in judged.applications}
        seen |= {
            ("load", f"node {name}"): load / instance.network.node_by_name[name].parallel
            for name, load in judged.loads.executions.items()
        }
        seen |= {
            ("load", f"link {a}->{b}"): load / instance.network.link_by_pair[a, b].bandwidth_bit_per_s
            for (a, b), load in judged.loads.bandwidth_bit_per_s.items()
        }
        for key, value in seen.items():
            if key in reached:
                assert value <= worst[key] * (1 + 1e-9) + 1e-15, key
                reached[key] = max(reached[key], value)
    whole = all(min(e.exit_fraction for e in instance.dnn_of(app).exits) >= distance for app in instance.applications)
    if whole:
        assert all(reached[key] == pytest.approx(worst[key], rel=1e-9, abs=1e-15) for key in worst)


def barely(seed: int) -> tuple[Instance, Deployment] | None:
    """A plan whose expected latencies are a tenth below their targets."""
    case = placed(seed)
    if case is None:
        return None
    instance = case[0].with_overrides(latency_kind=LatencyKind.EXPECTED)
    planned = {one.application: one.latency_s for one in evaluate(instance, case[1]).applications}
    apps = [
        app.model_copy(update={"max_latency_s": 1.1 * planned.get(app.name, app.max_latency_s)})
        for app in instance.applications
    ]
    return instance.model_copy(update={"applications": tuple(apps)}), case[1]


@pytest.mark.parametrize("seed", range(25))
def test_a_plan_stands_the_distance_that_is_said_and_no_more(seed: int) -> None:
    case = barely(seed)
    if case is None:
        pytest.skip("nobody is served")
    stands = drift_of(*case, 0.1).stands
    assert not any(one.breaks for one in drift_of(*case, stands).numbers)
    assert stands == 1 or any(one.breaks for one in drift_of(*case, min(1.0, stands + 1e-4)).numbers)


def test_some_plans_stand_any_drift_and_some_stand_little() -> None:
    stands = [drift_of(*case, 0.1).stands for seed in range(60) if (case := barely(seed)) is not None]
    assert max(stands) == 1
    assert sum(0 < one < 0.5 for one in stands) >= 5


@pytest.mark.parametrize(("q", "distance", "blocks"), [(0.6, 0.0, 1), (0.8, 0.0, 2), (0.6, 0.15, 2), (1.0, 0.0, 2)])
def test_a_quantile_counts_what_enough_samples_may_reach(q: float, distance: float, blocks: int) -> None:
    instance, _ = one_server(0.01)
    dnn = DNN(
        name="d",
        input_bits=1.0,
        blocks=(Block(ops=1.0, output_bits=1.0), Block(ops=1.0, output_bits=1.0)),
        exits=(
            Exit(after_block=1, exit_fraction=0.7, accuracy=0.5),
            Exit(after_block=2, exit_fraction=0.3, accuracy=0.9),
        ),
    )
    two = instance.model_copy(update={"dnns": (dnn,), "latency_kind": LatencyKind.QUANTILE, "latency_quantile": q})
    found = Deployment.model_validate({"deployments": [{"application": "a", "last_exit": 2, "placement": ["n", "n"]}]})
    (latency,) = (one for one in drift_of(two, found, distance).numbers if one.what == "latency")
    assert latency.worst == pytest.approx(float(blocks))


def vertices(shares: list[float], distance: float) -> list[list[float]]:
    """Every vertex of Φ(Δ): where as many of its inequalities as there are free shares are equations."""
    n = len(shares)
    subsets = [[(s >> e) & 1 for e in range(n)] for s in range(1, 2**n - 1)]
    rows = [[-float(e == k) for e in range(n)] for k in range(n)] + [[float(one) for one in s] for s in subsets]
    limits = [0.0] * n + [float(np.dot(s, shares)) + distance for s in subsets]
    found = []
    for chosen in combinations(range(len(rows)), n - 1):
        matrix = np.array([[1.0] * n, *(rows[k] for k in chosen)])
        if abs(np.linalg.det(matrix)) > 1e-9:
            point = np.linalg.solve(matrix, [1.0, *(limits[k] for k in chosen)])
            if np.all(np.array(rows) @ point <= np.array(limits) + 1e-12):
                found.append([max(0.0, float(x)) for x in point])
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_worst_is_that_of_all_vertices_as_the_evaluator_sees_them(seed: int) -> None:
    """On a DNN of two to four exits: energy, expected latency and loads of a plan at every vertex of Φ(Δ)."""
    rng = np.random.default_rng(seed)
    n, distance = int(rng.integers(2, 5)), float(rng.uniform(0.02, 0.6))
    shares = [float(share) for share in rng.dirichlet(np.ones(n))]
    instance, _ = one_server(0.01)
    blocks = tuple(Block(ops=float(rng.uniform(0.1, 3)), output_bits=1.0) for _ in range(n))

    def with_shares(some: list[float]) -> Instance:
        exits = tuple(Exit(after_block=k + 1, exit_fraction=min(x, 1.0), accuracy=0.9) for k, x in enumerate(some))
        dnn = DNN(name="d", input_bits=1.0, blocks=blocks, exits=exits)
        return instance.model_copy(update={"dnns": (dnn,), "latency_kind": LatencyKind.EXPECTED})

    placed_ = [{"application": "a", "last_exit": n, "placement": ["n"] * n}]
    deployment = Deployment.model_validate({"deployments": placed_})
    worst = {one.what: one.worst for one in drift_of(with_shares(shares), deployment, distance).numbers}
    seen = [evaluate(with_shares(point), deployment) for point in vertices(shares, distance)]
    assert len(seen) >= n
    assert worst["energy"] == pytest.approx(max(one.applications[0].energy_j for one in seen), rel=1e-9)
    assert worst["latency"] == pytest.approx(max(one.applications[0].latency_s for one in seen), rel=1e-9)
    assert worst["load"] == pytest.approx(max(one.loads.executions["n"] for one in seen), rel=1e-9)
