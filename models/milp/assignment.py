"""`milp-assignment`: the textbook program, a node for every block and a product for every pair of neighbours.

With x_{i,n} and z_f as in the flow formulation, x_{0,n} = 1 at the source and 0 elsewhere, and w_{i,nm} for "output i
goes straight over link (n, m)", i = 0..L−1:

    (3), (5), (6), (8)–(12), (23), (29) as in the flow formulation, with w in the place of t
    (15) w_{i,nm} ≥ x_{i,n} + x_{i+1,m} − 1                       for every output i and link (n, m)
    (16) x_{i,n} + x_{i+1,m} ≤ 1                                  for every i and pair n ≠ m without a link

Its LP relaxation is weak (w = 0 at x = ½). Transfers are direct links only, so it applies where a relay through a third
node never beats the direct link and no link can be overloaded.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base import ConcreteModel, NonNegativeReals

from finbench.models.instance import Instance
from finbench.models.milp import flow, rows
from finbench.models.milp.answer import Selection, result_of, selections_of
from finbench.models.milp.doubt import Knowledge, disbelieved
from finbench.models.milp.options import MilpOptions
from finbench.models.milp.rows import ApplicationProgram, Terms
from finbench.models.milp.solvers import registry
from finbench.models.milp.solvers.interface import (
    GIVING_BACK,
    Limits,
    SolveProgram,
    SolverAnswer,
    building,
    reason_not_to_build,
    unbuilt,
)
from finbench.models.milp.solvers.registry import reason_not_to_use
from finbench.models.news import told_in_units_of
from finbench.models.programs.admission import rejection_reasons
from finbench.models.programs.costs import (
    Capacities,
    Costs,
    Floats,
    Ints,
    NumberedNetwork,
    by_application,
    costs_of,
    energy_per_bit,
)
from finbench.models.programs.steps import Steps, decided
from finbench.models.programs.strengthen import everything
from finbench.models.result import Clock, OutOfTime, Result, Status

ROUNDING = 1e-12
"""Relative rounding allowed when two hops are compared with one."""


def supports(instance: Instance, options: MilpOptions = MilpOptions()) -> str | None:
    """Return why the solver cannot be used here, or direct links may not suffice on `instance`; None where they do.

    Sufficient: for all links (n, k) and (k, m) with m ≠ n there is a link (n, m) whose energy, time per bit and delay
    are each at most the two hops' sum (by induction then no longer route is better), and no bandwidth row can bind.
    """
    missing = reason_not_to_use(options.solver)
    if missing is not None:
        return missing
    menu = next((node.name for node in instance.network.nodes if node.reserves), None)
    if menu is not None:
        return f"knows no service levels, and node '{menu}' offers shares of its compute"
    all_costs = costs_of(instance)
    capacities = Capacities.of(instance.network, all_costs)
    if np.isfinite(capacities.bandwidth).any():
        return "uses direct links only, and a link's bandwidth may bind"
    relay = _relay_that_may_win(instance, all_costs[0].network)
    return None if relay is None else f"uses direct links only, and a relay may be better: {relay}"


def solve(
    instance: Instance,
    options: MilpOptions = MilpOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
    solver_function: SolveProgram | None = None,
) -> Result:
    """Solve `instance`, which must be supported, by the assignment formulation.

    Parameters
    ----------
    instance : Instance
    options : MilpOptions
    time_limit_s : float or None
        Limit for the whole run [s].
    seed : int
        Random seed of the solver.
    solver_function : SolveProgram or None
        What solves instead; None: the solver that the options name.

    Returns
    -------
    Result
        Phases `build`, `handover`, `solve`, `extract` (`explain` where an application is rejected); info `variables`,
        `rows`, `rejected` (reasons by application), …

    Raises
    ------
    ValueError
        If the solver does not accept an option.
    """
    ask = solver_function or registry.solver_function(options.solver)
    clock = Clock(time_limit_s)
    with clock.phase("build"):
        all_costs = costs_of(instance)
        no_room = reason_not_to_build(sum(costs.run_energy.size + costs.send_energy.size for costs in all_costs))
        if no_room is not None:
            return Result(Status.MEMORY_LIMIT, reason=no_room, times_s=clock.times_s)
        capacities = Capacities.of(instance.network, all_costs)
        least = rows.least_objective(all_costs, map(everything, all_costs))
    try:
        with clock.phase("build"):
            model, programs, scale = build(all_costs, capacities, building(clock))
    except OutOfTime:
        result = result_of(unbuilt(), all_costs, None, 1.0, least, {"mip_gap": options.mip_gap})
        return replace(result, times_s=clock.times_s)
    families = [family for program in programs for family in (program.x, program.sent, program.z, program.rho)]
    info: dict[str, Any] = {"mip_gap": options.mip_gap, "variables": sum(len(family.step) for family in families)}
    limits = Limits(options.mip_gap, options.threads, seed)
    clock.keep(GIVING_BACK * clock.elapsed_s)
    with told_in_units_of(scale):
        answer, again = _answered(ask, model, limits, Knowledge(all_costs, capacities), (scale, least), clock)
    if again is not None:
        info["asked_again"] = again
    with clock.phase("extract"):
        found = None
        if answer.values is not None:
            selected = selections_of(answer.values, all_costs)
            found = [_direct(costs, chosen) for costs, chosen in zip(all_costs, selected, strict=True)]
        rows.give_back(model)
    if found is not None and any(steps is None for _, steps in decided(all_costs, found)):
        with clock.phase("explain"):
            alone = flow.alone_on(instance.network, ask, Limits(threads=options.threads, seed=seed), clock)
            info["rejected"] = rejection_reasons(all_costs, found, alone, optimal=answer.status is Status.OPTIMAL)
    with clock.phase("extract"):
        result = result_of(answer, all_costs, found, scale, least, info)
    return replace(result, times_s=clock.times_s)


def _answered(
    ask: SolveProgram,
    model: ConcreteModel,
    limits: Limits,
    knowledge: Knowledge,
    scale_and_least: tuple[float, float],
    clock: Clock,
) -> tuple[SolverAnswer, str | None]:
    """Return a solver's answer, ERROR where it cannot be true, and why the solver was asked twice, if it was."""
    first = ask(model, limits, clock)
    with clock.phase("extract"):
        doubt = knowledge.doubt(first, *scale_and_least)
    if doubt is None:
        return first, None
    if clock.expired:
        return disbelieved(first, doubt), None
    second = ask(model, replace(limits, careful=True), clock)
    with clock.phase("extract"):
        still = knowledge.doubt(second, *scale_and_least)
    return second if still is None else disbelieved(second, still), doubt


def build(
    all_costs: list[Costs], capacities: Capacities, clock: Clock
) -> tuple[ConcreteModel, list[ApplicationProgram], float]:
    """Return the Pyomo model, its parts by application, and the scale that its objective was divided by.

    Raises
    ------
    finbench.models.result.OutOfTime
        Once the clock's limit has passed; the model raises it, too, while it is handed over.
    """
    with PauseGC(), rows.given_back_unless_built(all_costs, clock) as model:
        applications, blocks = by_application(all_costs), list(model.application.values())
        programs = [
            _program(blocks[v], all_costs[v], clock, several=len(group) > 1, first=v == group.start)
            for group in applications
            for v in group
        ]
        scale = rows.eq3_objective(model, programs)
        rows.one_last_exit([[programs[v] for v in group] for group in applications])
        for program in programs:
            rows.eq6_one_node_per_deployed_block(program)
            rows.eq8_latency(program)
            rows.eq9_accuracy(program)
            rows.eq10_pins(program)
            eq15_product(program)
            eq16_no_direct_link(program)
        rows.eq11_compute(model, programs, capacities)
        rows.eq12_memory(model, programs, capacities)
    return model, programs, scale


def _program(block: Any, costs: Costs, clock: Clock, *, several: bool, first: bool) -> ApplicationProgram:
    kept = everything(costs)
    x, z = rows.placement_and_exit(block, costs, kept, clock)
    kept.send[0] = costs.network.tails == costs.source  # the sample is nowhere else
    output, link = np.nonzero(kept.send)
    labels = rows.link_labels(costs.network, output, link)
    w = rows.new_family(block, "w", labels, output, link, clock=clock, domain=NonNegativeReals)
    return ApplicationProgram(costs, kept, block, x, w, z, rows.rejection(block, costs, first=first), clock, several)


def eq15_product(program: ApplicationProgram) -> None:
    """Add (15): w_{i,nm} ≥ x_{i,n} + x_{i+1,m} − 1 for every output i and link (n, m), with x_0 = 1 at the source.

    Where the application is rejected, or another alternative chosen, every x_1 is 0, and so is what x_0 = 1 asks of w.
    """
    w, network = program.sent, program.costs.network
    x = _by_block_and_node(program)
    number, later = np.arange(len(w.step)), w.step > 0
    terms = Terms()
    terms.add(number, w.variables, 1.0)
    _add_present(terms, number, x[w.step, network.heads[w.subject]], -1.0)
    _add_present(terms, number[later], x[w.step[later] - 1, network.tails[w.subject[later]]], -1.0)
    labels = list(program.clock.watch(rows.link_labels(network, w.step, w.subject)))
    lower = np.where(later, -1.0, 0.0).tolist()
    products = ((labels[v], lower[v], body, None) for v, body in terms.sums())
    rows.add_rows(program.block, "eq15_product", products, program.clock)


def eq16_no_direct_link(program: ApplicationProgram) -> None:
    """Add (16): x_{i,n} + x_{i+1,m} ≤ 1 for every i and pair n ≠ m without a link; x_0 is 1 at the source, else 0."""
    network, depth, x, terms = program.costs.network, program.depth, _by_block_and_node(program), Terms()
    count = len(network.nodes)
    missing = ~np.eye(count, dtype=np.bool_)
    missing[network.tails, network.heads] = False
    tails, heads = np.nonzero(missing)
    for i in range(depth):
        apart = tails == program.costs.source if i == 0 else np.ones_like(tails, dtype=np.bool_)
        row = (i * count + tails[apart]) * count + heads[apart]
        _add_present(terms, row, x[i, heads[apart]], 1.0)
        if i > 0:
            _add_present(terms, row, x[i - 1, tails[apart]], 1.0)
    labelled = (
        ((row // count**2, network.nodes[row // count % count], network.nodes[row % count]), body)
        for row, body in terms.sums()
    )
    pairs = ((label, None, body, float(label[0] > 0)) for label, body in labelled)
    rows.add_rows(program.block, "eq16_no_direct_link", pairs, program.clock)


def _by_block_and_node(program: ApplicationProgram) -> rows.Variables:
    """Return the (L, N) array of the variables x_{i,n}, row i − 1; None where block i cannot run."""
    table = np.full(program.costs.run_energy.shape, None, dtype=np.object_)
    table[program.x.step - 1, program.x.subject] = program.x.variables
    return table


def _add_present(terms: Terms, number: Ints, variables: rows.Variables, coefficient: float) -> None:
    """Add the variables that there are to rows; another is 0."""
    present = np.array([variable is not None for variable in variables], dtype=np.bool_)
    terms.add(number[present], variables[present], coefficient)


def _direct(costs: Costs, chosen: Selection) -> Steps | None:
    """Return the chosen placement with direct links."""
    if not chosen.last_exit:
        return None
    network = costs.network
    depth = int(costs.after_block[chosen.last_exit - 1])
    stops = [costs.app.source, *(chosen.sites[i][0] for i in range(1, depth + 1))]
    routes = tuple(() if here == there else (network.link_number[here, there],) for here, there in pairwise(stops))
    return Steps(chosen.last_exit, tuple(network.number[name] for name in stops[1:]), routes)


def _relay_that_may_win(instance: Instance, network: NumberedNetwork) -> str | None:
    """Return the first two hops n → k → m that no direct link is as good as, in words; None where there are none."""
    nodes, metrics = network.nodes, _link_metrics(instance)
    ends = network.tails * len(nodes) + network.heads
    order = np.argsort(ends)
    for k, name in enumerate(nodes):
        into, out = np.flatnonzero(network.heads == k), np.flatnonzero(network.tails == k)
        first, second = (hop.ravel() for hop in np.meshgrid(into, out, indexing="ij"))
        leaves = network.tails[first] != network.heads[second]
        first, second = first[leaves], second[leaves]
        wanted = network.tails[first] * len(nodes) + network.heads[second]
        position = np.minimum(np.searchsorted(ends, wanted, sorter=order), len(ends) - 1)
        direct = order[position]
        as_good = (metrics[direct] <= (metrics[first] + metrics[second]) * (1 + ROUNDING)).all(axis=1)
        worse = np.flatnonzero((ends[direct] != wanted) | ~as_good)
        if worse.size:
            start, end = network.tails[first[worse[0]]], network.heads[second[worse[0]]]
            return f"'{nodes[start]}' to '{nodes[end]}' through '{name}'"
    return None


def _link_metrics(instance: Instance) -> Floats:
    """Return (A, 3) energy per bit, time per bit and delay of every link."""
    links = instance.network.links
    times = np.array([(1 / link.bandwidth_bit_per_s, link.delay_s) for link in links]).reshape(-1, 2)
    return np.column_stack([energy_per_bit(instance), times])
