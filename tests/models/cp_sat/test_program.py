"""The whole-number program loses no feasible deployment, and its objective is a close bound from below."""

from __future__ import annotations

import numpy as np
import pytest

from finbench.models import exhaustive
from finbench.models.cp_sat.program import ABSENT, PRECISION_BITS, IntegerProgram, accurate, at_most, program_of
from finbench.models.instance import Instance, Network, Node
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.steps import Steps, objective_of, steps_of
from finbench.models.programs.strengthen import least_cost
from tests.models.enumeration import shared_instance
from tests.random_instances import random_instance, random_shared_instance

INSTANCES = [
    *(random_instance(seed, zeros=seed % 2 == 1) for seed in range(60)),
    *(shared_instance(seed, applications=2) for seed in range(40)),
    *(random_shared_instance(seed, levels=True, penalties=True) for seed in range(40)),
]


def plain(instance: Instance, forbidden: list[list[Steps | None]] | None = None) -> IntegerProgram:
    all_costs = costs_of(instance)
    parts = [accurate(costs) for costs in all_costs]
    kept = [part for part in parts if part is not None]
    least = sum(least_cost(costs, part) for costs, part in zip(all_costs, kept, strict=True))
    return program_of(all_costs, kept, Capacities.of(instance.network, all_costs), (least, np.inf), forbidden or [])


def chosen(program: IntegerProgram, all_steps: list[Steps | None]) -> list[int]:
    ends = [
        int(part.end[part.exits.index(steps.last_exit), part.costs.network.site_node[steps.placement[-1]]])
        if steps is not None
        else int(part.reject[0])
        for part, steps in zip(program.parts, all_steps, strict=True)
    ]
    return program.columns_of(all_steps) + ends


def holds(program: IntegerProgram, columns: list[int]) -> bool:
    values = np.zeros(len(program.objective), dtype=np.int64)
    values[columns] = 1
    sums = [sum(a * int(values[j]) for j, a in zip(cols, coefs, strict=True)) for cols, coefs, _, _ in program.rows]
    rows = all(least <= total <= most for total, (_, _, least, most) in zip(sums, program.rows, strict=True))
    return rows and all(values[together].sum() == 1 for together in program.exactly_one)


def optimum(instance: Instance) -> list[Steps | None] | None:
    truth = exhaustive.solve(instance)
    return None if truth.deployment is None else steps_of(costs_of(instance), truth.deployment)


def test_the_optimum_is_a_solution_and_reads_back() -> None:
    solved = 0
    for instance in INSTANCES:
        found = optimum(instance)
        if found is None:
            continue
        solved += 1
        program = plain(instance)
        assert ABSENT not in program.columns_of(found)
        assert holds(program, chosen(program, found))
        assert program.steps(chosen(program, found)) == found
    assert solved > 50


def test_the_objective_is_a_close_bound_from_below() -> None:
    for instance in INSTANCES:
        found = optimum(instance)
        if found is None:
            continue
        program, energy = plain(instance), objective_of(costs_of(instance), found)
        columns = chosen(program, found)
        below = sum(program.objective[j] for j in columns) * program.unit
        assert below <= energy * (1 + 1e-15)
        assert energy - below <= (len(columns) * program.unit) * (1 + 1e-9)
        assert energy - below <= 1e-9 * energy


def rebuilt(instance: Instance, nodes: tuple[Node, ...]) -> Instance:
    network = Network(name="other", nodes=nodes, links=instance.network.links)
    fields = {name: getattr(instance, name) for name in ("accounting", "latency_kind", "dnns", "applications")}
    return Instance(name="other", network=network, **fields)


def with_dear_node(instance: Instance, factor: float) -> Instance:
    """Return the instance with one more node, out of reach, that takes `factor` times the power of the first."""
    first = instance.network.nodes[0]
    return rebuilt(
        instance,
        (*instance.network.nodes, first.model_copy(update={"name": "dear", "power_w": first.power_w * factor})),
    )


@pytest.mark.parametrize("factor", [1e-200, 1e-12, 1.0, 1e12, 1e200])
def test_sums_stay_within_what_cp_sat_counts(factor: float) -> None:
    for seed in range(20):
        instance = shared_instance(seed, applications=3)
        nodes = tuple(node.model_copy(update={"power_w": node.power_w * factor}) for node in instance.network.nodes)
        if optimum(instance) is None:
            continue
        program = plain(rebuilt(instance, nodes))
        assert sum(program.objective) < 2**62
        assert min(program.objective) >= 0
        for _, coefficients, _, most in program.rows:
            assert sum(map(abs, coefficients)) < 2**62
            assert most <= 2**PRECISION_BITS + 1


def test_forbidden_decisions_are_no_solution_and_the_others_still_are() -> None:
    for instance in INSTANCES[:30]:
        found = optimum(instance)
        if found is None:
            continue
        program, other = plain(instance, [found]), plain(instance)
        assert not holds(program, chosen(program, found))
        (cut,) = program.rows[len(other.rows) :]
        columns, coefficients, least, most = cut
        assert (sorted(columns), set(coefficients)) == (sorted(program.columns_of(found)), {1})
        assert (least, most) == (0, len(columns) - 1)


def test_what_costs_more_than_the_incumbent_is_left_out() -> None:
    """At the optimum's own energy the optimum stays, and nothing that costs more alone is left."""
    removed = 0
    for seed in range(40):
        instance = random_instance(seed)
        found = optimum(instance)
        if found is None:
            continue
        (costs,) = costs_of(instance)
        kept = accurate(costs)
        assert kept is not None
        capacities, energy = Capacities.of(instance.network, [costs]), objective_of([costs], found)
        cheap, whole = program_of([costs], [kept], capacities, (0.0, energy)), plain(instance)
        assert holds(cheap, chosen(cheap, found))
        (part,) = cheap.parts
        assert (costs.run_energy[: len(part.run)][part.run >= 0] <= energy * (1 + 1e-8)).all()
        assert (costs.send_energy[: len(part.send)][part.send >= 0] <= energy * (1 + 1e-8)).all()
        removed += len(whole.objective) - len(cheap.objective)
    assert removed > 50


def test_leaving_out_dear_columns_makes_coefficients_finer() -> None:
    """Column sums that would be too large take precision from the least energy; without the dear columns it is back."""
    instance = with_dear_node(random_instance(3, max_nodes=5), 1e15)
    found = optimum(instance)
    assert found is not None
    (costs,) = costs_of(instance)
    energy, kept = objective_of([costs], found), accurate(costs)
    assert kept is not None
    capacities = Capacities.of(instance.network, [costs])
    coarse, fine = plain(instance), program_of([costs], [kept], capacities, (0.0, energy))
    assert coarse.unit > 1e-9 * energy > 1e-3 * energy * fine.unit / coarse.unit
    assert fine.unit < 1e-10 * energy


@pytest.mark.parametrize("bits", [3, 8, 40])
@pytest.mark.parametrize("seed", range(20))
def test_a_row_never_cuts_off_what_meets_the_limit_exactly(
    seed: int, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finbench.models.cp_sat.program.PRECISION_BITS", bits)
    rng = np.random.default_rng(seed)
    amounts = 10 ** rng.uniform(-4, 0, 30)
    limit = float(amounts[:20].sum())
    _, coefficients, least, most = at_most(np.arange(30), amounts, limit)
    assert least <= sum(coefficients[:20]) <= most
    assert most <= 2**bits + 1
    if bits == 40:
        assert sum(coefficients) > most, "it still is a row"
        assert sum(coefficients[:20]) >= most * (1 - 2e-9)
