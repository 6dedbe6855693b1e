"""The method `fin`: engines agree, statuses are honest, λ prunes, the guarantee (20) holds."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
from pydantic import ValidationError

from finbench.fin_graph import fin
from finbench.fin_graph.label_setting import solve as label_setting
from finbench.fin_graph.options import FinOptions
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from tests.random_instances import random_instance

NOISE = 1e-9


def checked(instance: Instance, result: Result) -> Result:
    """Return the result after the evaluator has judged its deployment."""
    if result.deployment is not None:
        judgement = evaluate(instance, result.deployment)
        assert judgement.feasible
        assert judgement.objective == pytest.approx(result.claimed_objective, rel=NOISE, abs=0)
    return result


@pytest.mark.parametrize("gamma", [3, 40])
def test_engines_agree_in_status_and_energy(gamma: int) -> None:
    for seed in range(120):
        instance = random_instance(seed, zeros=seed % 2 == 0)
        one = checked(instance, fin.solve(instance, FinOptions(gamma=gamma, engine="networkx")))
        two = checked(instance, fin.solve(instance, FinOptions(gamma=gamma, engine="arrays")))
        assert one.status is two.status
        if two.claimed_objective is None:
            assert one.claimed_objective is None
        else:
            assert one.claimed_objective == pytest.approx(two.claimed_objective, rel=NOISE, abs=0)
        assert {"extended_vertices", "feasible_edges", "inference_vertices"} <= set(one.info) or not one.deployment


def test_infeasible_is_proven_and_no_solution_is_not() -> None:
    endings = dict.fromkeys((Status.FEASIBLE, Status.INFEASIBLE, Status.NO_SOLUTION), 0)
    for seed in range(200):
        instance = random_instance(seed)
        result, truth = fin.solve(instance, FinOptions(gamma=2, engine="arrays")), label_setting(instance)
        endings[result.status] += 1
        assert (result.status is Status.INFEASIBLE) == (truth.status is Status.INFEASIBLE)
        assert (result.reason is not None) == (result.deployment is None)
    assert min(endings.values()) > 5


def test_energy_is_at_most_the_optimum_of_a_budget_tightened_by_its_edges() -> None:
    """Equation (20), with the number of edges bounded by that of blocks and links on any simple path."""
    gamma, compared = 100, 0
    for seed in range(150):
        instance = random_instance(seed, max_nodes=3, max_blocks=4)
        edges = len(instance.dnns[0].blocks) * len(instance.network.nodes)
        delta = instance.applications[0].max_latency_s
        tightened = label_setting(instance.with_overrides(max_latency_s=delta * (1 - edges / gamma)))
        if tightened.claimed_objective is None:
            continue
        found = fin.solve(instance, FinOptions(gamma=gamma, engine="arrays"))
        assert found.claimed_objective is not None
        assert found.claimed_objective <= tightened.claimed_objective * (1 + NOISE)
        compared += 1
    assert compared > 50


def test_the_band_keeps_late_ends(balexnet: Instance) -> None:
    free = fin.solve(balexnet, FinOptions(gamma=100))
    energies = []
    for band in (0, 10, 30, 100):
        result = checked(balexnet, fin.solve(balexnet, FinOptions(gamma=100, band=band)))
        assert result.status is Status.FEASIBLE
        assert result.info["engine"] == ("networkx" if band < 100 else result.info["engine"])
        energies.append(result.claimed_objective)
    assert energies[-1] == free.claimed_objective
    assert "networkx" in str(fin.supports(balexnet, FinOptions(gamma=100, band=5, engine="arrays")))


def test_large_work_takes_the_arrays_engine_and_an_option_overrides_it(balexnet: Instance) -> None:
    assert fin.solve(balexnet, FinOptions(gamma=1_000_000 // 45)).info["engine"] == "arrays"
    assert fin.solve(balexnet, FinOptions(gamma=5, engine="networkx")).info["engine"] == "networkx"


def test_a_run_that_would_not_fit_is_refused(balexnet: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    monkeypatch.setattr("finbench.models.memory.UNASKED_BYTES", 0)
    result = fin.solve(balexnet, FinOptions(gamma=100, engine="arrays"))
    assert result.status is Status.MEMORY_LIMIT
    assert "GiB" in str(result.reason)
    assert fin.solve(balexnet, FinOptions(gamma=100, certify=0.0)).status is Status.MEMORY_LIMIT
    assert fin.solve(balexnet, FinOptions(gamma=100, engine="networkx")).status is Status.MEMORY_LIMIT


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"gamma": 0}, "greater than or equal to 1"),
        ({"band": -1}, "greater than or equal to 0"),
        ({"engine": "gpu"}, "'auto', 'networkx' or 'arrays'"),
        ({"certify": -0.1}, "greater than or equal to 0"),
        ({"order": "random"}, "'tightest', 'largest' or 'given'"),
        ({"restarts": -1}, "greater than or equal to 0"),
        ({"effort": -1.0}, "greater than or equal to 0"),
        ({"gama": 10}, "not permitted"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], rule: str) -> None:
    with pytest.raises(ValidationError, match=rule):
        FinOptions(**options)


def test_a_single_node_without_links_has_the_optimum() -> None:
    """One node, no links: everything runs there or nothing does."""
    found = 0
    for seed in range(40):
        instance = random_instance(seed, max_nodes=1)
        result = checked(instance, fin.solve(instance, FinOptions(gamma=1, engine="arrays")))
        truth = label_setting(instance)
        assert (truth.deployment is None) == (truth.status is Status.INFEASIBLE)
        if result.deployment is not None:
            found += 1
            assert result.claimed_objective == pytest.approx(truth.claimed_objective, rel=NOISE, abs=0)
    assert found > 0
