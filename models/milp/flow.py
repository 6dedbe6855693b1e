"""`milp-flow`: every block output is a unit flow over the network.

For outputs i = 0..L−1 (output 0 is the sample), with x_{0,n} = 1 at the source and 0 elsewhere:

    x_{i,n}   block i runs at node n           t_{i,nm}   output i takes link (n, m)
    z_f       exit f is the last               y_{f,n}    the DNN ends at exit f on node n
    ρ_h       application h is rejected, where it may be

    (3)  minimise Σ_h (λ_h energy(h) + ψ_h ρ_h)
    (5)  Σ_f z_f = 1, or (23) Σ_f z_f = 1 − ρ, or of alternatives v together (29) Σ_v Σ_f z_{v,f} = 1 − ρ
    (6)  Σ_n x_{i,n} = Σ_{f: b(f) ≥ i} z_f                                                      for every block i
    (7)  x_{i,n} + Σ_m t_{i,mn} = Σ_m t_{i,nm} + x_{i+1,n} + Σ_{f: b(f) = i} y_{f,n}            for every i and n
    (8)  latency(h) ≤ δ_h          (9)  Σ_f α_f z_f ≥ α_h (1 − ρ)  (10) pinned blocks run where they must
    (11) compute, (12) memory, (13) bandwidth                                   where applications could exceed them
    (14) Σ_n y_{f,n} = z_f                                                                      for every exit f
    (21) reservations                                                           where nodes offer shares

Where n offers shares, x_{i,n} stands for Σ_r x_{i,n,r}: block i runs at n on share r of its rate. A variable per share
gives each its own latency in (8); shares that break stability (22) have no variable. Each alternative has variables and
rows of its own; Σ_f z_{v,f}, 1 where it is the chosen one, is then what stands for 1 − ρ in its rows.
The LP relaxation is the path polytope cut by the latency and capacity rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base import ConcreteModel

from finbench.models.deployment import Deployment
from finbench.models.instance import Instance, Network
from finbench.models.milp import rows
from finbench.models.milp.answer import Selection, result_of, selections_of
from finbench.models.milp.doubt import Knowledge, disbelieved
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.rows import ApplicationProgram, Terms, VariableFamily
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
from finbench.models.nowhere import NOTHING_ALONE, application_without_node
from finbench.models.programs.admission import CostAlone, rejection_reasons
from finbench.models.programs.costs import Capacities, Costs, Mask, by_application, costs_of
from finbench.models.programs.steps import Steps, decided, steps_of
from finbench.models.programs.strengthen import (
    Kept,
    all_worth,
    everything,
    improved,
    within_energy,
    within_latency,
    worth_serving,
)
from finbench.models.programs.warm_start import broken_constraint
from finbench.models.result import Clock, OutOfTime, Result, Status


@dataclass(frozen=True)
class FlowProgram(ApplicationProgram):
    """One application's part of the flow formulation; `sent` holds t_{i,nm}."""

    y: VariableFamily
    """y_{f,n}, the DNN ends at exit f on node n; `step` is b(f), `subject` is n."""


def supports(instance: Instance, options: MilpFlowOptions = MilpFlowOptions()) -> str | None:  # noqa: ARG001
    """Return why the solver cannot be used here; None where it can: every instance is supported."""
    return reason_not_to_use(options.solver)


def solve(
    instance: Instance,
    options: MilpFlowOptions = MilpFlowOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
    start: Deployment | None = None,
    solver_function: SolveProgram | None = None,
    costs: list[Costs] | None = None,
) -> Result:
    """Solve `instance` by the flow formulation.

    Parameters
    ----------
    instance : Instance
    options : MilpFlowOptions
        `warm_start` is for the caller, who hands over its deployment as `start`.
    time_limit_s : float or None
        Limit for the whole run [s].
    seed : int
        Random seed of the solver.
    start : Deployment or None
        A deployment to start from. One that breaks a constraint is not used; `Result.info["warm_start"]` says why.
    solver_function : SolveProgram or None
        What solves instead; None: the solver that the options name.
    costs : list of Costs or None
        The instance's costs where the caller has added to them; None: those that the instance says.

    Returns
    -------
    Result
        Phases `strengthen`, `build`, `handover`, `solve`, `extract` (`explain` where an application is rejected); info
        `variables`, `variables_removed`, `rows`, `rejected` (reasons by application), …

    Raises
    ------
    KeyError
        If `start` names an application, node, share or link that `instance` does not have, or leaves an
        application out.
    ValueError
        If the solver does not accept an option.
    """
    ask = solver_function or registry.solver_function(options.solver)
    clock, info = Clock(time_limit_s), dict[str, Any](strengthen=options.strengthen, mip_gap=options.mip_gap)
    with clock.phase("build"):
        all_costs = costs_of(instance) if costs is None else costs
        capacities = Capacities.of(instance.network, all_costs)
        begun = _start(all_costs, capacities, start, options.strengthen, info)
    with clock.phase("strengthen"):
        all_kept = reduced(all_costs, begun) if options.strengthen else [everything(costs) for costs in all_costs]
    if all_kept is None:
        reason = application_without_node(instance) or NOTHING_ALONE
        return Result(Status.INFEASIBLE, reason=reason, times_s=clock.times_s, info=info)
    no_room = reason_not_to_build(sum(int(kept.run.sum() + kept.send.sum()) for kept in all_kept))
    if no_room is not None:
        return Result(Status.MEMORY_LIMIT, reason=no_room, times_s=clock.times_s, info=info)
    question = Question(all_costs, capacities, ask, Limits(options.mip_gap, options.threads, seed))
    asked = question.answered(all_kept, begun, clock)
    info |= asked.facts
    answer = asked.answer
    with clock.phase("extract"):
        found = begun if answer.status is Status.TIME_LIMIT else None
        if answer.values is not None and asked.chosen is not None:
            found = [extracted(costs, chosen) for costs, chosen in zip(all_costs, asked.chosen, strict=True)]
    if found is not None and any(steps is None for _, steps in decided(all_costs, found)):
        with clock.phase("explain"):
            alone = alone_on(instance.network, ask, Limits(threads=options.threads, seed=seed), clock)
            info["rejected"] = rejection_reasons(all_costs, found, alone, optimal=answer.status is Status.OPTIMAL)
    with clock.phase("extract"):
        result = result_of(answer, all_costs, found, asked.scale, asked.least, info)
    return replace(result, times_s=clock.times_s)


@dataclass(frozen=True)
class Asked:
    """What became of a program."""

    answer: SolverAnswer
    """What the solver said, ERROR where it cannot be true."""
    chosen: list[Selection] | None
    """What its incumbent selects, by application; None where it has none."""
    scale: float
    """What the program's objective was divided by."""
    least: float
    """A bound below every feasible objective."""
    facts: dict[str, Any]
    """Facts to report: sizes, and `asked_again` with the reason where the first answer was not believed."""


@dataclass(frozen=True)
class Question:
    """An instance for a solver."""

    all_costs: list[Costs]
    capacities: Capacities
    solver_function: SolveProgram
    limits: Limits

    def answered(self, all_kept: list[Kept], begun: Sequence[Steps | None] | None, clock: Clock) -> Asked:
        """Build the program of what is kept and solve it; once more, reduced and carefully, where that is needed."""
        knowledge = Knowledge(self.all_costs, self.capacities)
        first = self._solved(all_kept, begun, self.limits, clock)
        doubt = _timed_doubt(knowledge, first, clock)
        if doubt is None:
            return first
        if clock.expired:
            return replace(first, answer=disbelieved(first.answer, doubt))
        with clock.phase("strengthen"):
            incumbent = begun if knowledge.deployment is None else knowledge.deployment
            again = all_kept if incumbent is None else reduced(self.all_costs, incumbent) or all_kept
        second = self._solved(again, None, replace(self.limits, careful=True), clock)
        still = _timed_doubt(knowledge, second, clock)
        answer = second.answer if still is None else disbelieved(second.answer, still)
        return replace(second, answer=answer, facts={**second.facts, "asked_again": doubt})

    def _solved(
        self, all_kept: list[Kept], begun: Sequence[Steps | None] | None, limits: Limits, clock: Clock
    ) -> Asked:
        with clock.phase("build"):
            least = rows.least_objective(self.all_costs, all_kept)
        with PauseGC():  # to build and hand over make millions of objects that live on: collecting takes as long again
            try:
                return self._built_and_solved(all_kept, begun, limits, least, clock)
            except OutOfTime:
                return Asked(unbuilt(), None, 1.0, least, {})

    def _built_and_solved(
        self, all_kept: list[Kept], begun: Sequence[Steps | None] | None, limits: Limits, least: float, clock: Clock
    ) -> Asked:
        """Build, solve and give back, so that no variable is left when objects are collected again."""
        with clock.phase("build"):
            before = clock.elapsed_s
            model, parts, scale = build(self.all_costs, all_kept, self.capacities, building(clock))
            if begun is not None:
                _set_values(parts, begun)
            clock.keep(GIVING_BACK * (clock.elapsed_s - before))
        facts = _sizes(self.all_costs, parts)
        with told_in_units_of(scale):
            answer = self.solver_function(model, replace(limits, warm_start=begun is not None), clock)
        with clock.phase("extract"):
            chosen = None if answer.values is None else selections_of(answer.values, self.all_costs)
            rows.give_back(model)
        return Asked(answer, chosen, scale, least, facts)


def _timed_doubt(knowledge: Knowledge, asked: Asked, clock: Clock) -> str | None:
    with clock.phase("extract"):
        return knowledge.doubt(asked.answer, asked.scale, asked.least)


def build(
    all_costs: list[Costs], all_kept: list[Kept], capacities: Capacities, clock: Clock
) -> tuple[ConcreteModel, list[FlowProgram], float]:
    """Return the Pyomo model, its parts by application, and the scale that its objective was divided by.

    Raises
    ------
    finbench.models.result.OutOfTime
        Once the clock's limit has passed; the model raises it, too, while it is handed over.
    """
    with PauseGC(), rows.given_back_unless_built(all_costs, clock) as model:
        programs = programs_of(model, all_costs, all_kept, clock)
        scale = rows.eq3_objective(model, programs)
        add_deployments(programs)
        rows.eq11_compute(model, programs, capacities)
        rows.eq12_memory(model, programs, capacities)
        rows.eq13_bandwidth(model, programs, capacities)
        rows.eq21_reservation(model, programs, capacities)
    return model, programs, scale


def programs_of(model: ConcreteModel, all_costs: list[Costs], all_kept: list[Kept], clock: Clock) -> list[FlowProgram]:
    """Add the variables of every application to a model that has their blocks, and return its parts."""
    blocks = list(model.application.values())
    return [
        _program(blocks[v], all_costs[v], all_kept[v], clock, several=len(group) > 1, first=v == group.start)
        for group in by_application(all_costs)
        for v in group
    ]


def add_deployments(programs: Sequence[FlowProgram], latency: Callable[[FlowProgram], None] = rows.eq8_latency) -> None:
    """Add the rows that each application has for itself; `latency` adds (8)."""
    groups = by_application([program.costs for program in programs])
    rows.one_last_exit([[programs[v] for v in group] for group in groups])
    for program in programs:
        rows.eq6_one_node_per_deployed_block(program)
        eq7_flow_conservation(program)
        latency(program)
        rows.eq9_accuracy(program)
        rows.eq10_pins(program)
        eq14_end(program)


def _program(block: Any, costs: Costs, kept: Kept, clock: Clock, *, several: bool, first: bool) -> FlowProgram:
    x, z = rows.placement_and_exit(block, costs, kept, clock)
    output, link = np.nonzero(kept.send)
    t = rows.new_family(block, "t", rows.link_labels(costs.network, output, link), output, link, clock=clock)
    exit_, node = np.nonzero(_nodes(costs, kept)[z.step - 1])
    labels = ((kept.exits[f], costs.network.nodes[n]) for f, n in zip(exit_, node, strict=True))
    y = rows.new_family(block, "y", labels, z.step[exit_], node, clock=clock)
    return FlowProgram(costs, kept, block, x, t, z, rows.rejection(block, costs, first=first), clock, several, y)


def _nodes(costs: Costs, kept: Kept) -> Mask:
    """Return (L, N) whether block i = row + 1 may run at node n, at any of its sites."""
    first = np.searchsorted(costs.network.site_node, np.arange(len(costs.network.nodes)))
    return np.logical_or.reduceat(kept.run, first, axis=1)


def eq7_flow_conservation(program: FlowProgram) -> None:
    """Add (7): x_{i,n} + Σ_m t_{i,mn} = Σ_m t_{i,nm} + x_{i+1,n} + Σ_{f: b(f) = i} y_{f,n} for i = 0..L and all n.

    What has output i (block i ran there, or the output arrived) passes it on, runs block i + 1, or is the DNN's end.
    x_0 is data, not variables: at the source 1, or 1 − ρ where the application may be rejected, or Σ_f z_f of one of
    several alternatives.
    """
    x, t, y, network = program.x, program.sent, program.y, program.costs.network
    count, source, terms = len(network.nodes), program.costs.source, Terms()
    terms.add(x.step * count + program.node, x.variables, 1.0)
    terms.add(t.step * count + network.heads[t.subject], t.variables, 1.0)
    terms.add(t.step * count + network.tails[t.subject], t.variables, -1.0)
    terms.add((x.step - 1) * count + program.node, x.variables, -1.0)
    terms.add(y.step * count + y.subject, y.variables, -1.0)
    if program.alternative:
        terms.add(np.full_like(program.z.step, source), program.z.variables, 1.0)
    else:
        terms.add(program.rho.step + source, program.rho.variables, -1.0)
    begun = 0.0 if program.alternative else -1.0
    balance = (
        ((row // count, network.nodes[row % count]), begun if row == source else 0.0, body)
        for row, body in terms.sums()
    )
    both = ((label, rhs, body, rhs) for label, rhs, body in balance)
    rows.add_rows(program.block, "eq7_flow_conservation", both, program.clock)


def eq14_end(program: FlowProgram) -> None:
    """Add (14): the DNN ends at its last exit, on one node: Σ_n y_{f,n} = z_f for every exit f."""
    y, z, terms = program.y, program.z, Terms()
    terms.add(y.step, y.variables, 1.0)
    terms.add(z.step, z.variables, -1.0)
    exit_after = dict(zip(z.step.tolist(), z.subject.tolist(), strict=True))
    ends = ((exit_after[b], 0, body, 0) for b, body in terms.sums())
    rows.add_rows(program.block, "eq14_end", ends, program.clock)


def alone_on(network: Network, solver_function: SolveProgram, limits: Limits, clock: Clock) -> CostAlone:
    """Return what an application costs with `network` to itself, solved in the time that `clock` leaves."""

    def least(costs: Costs) -> float | None:
        served = replace(costs, app=costs.app.model_copy(update={"rejection_penalty_w": None}))
        kept = within_latency(served)
        if kept is None:
            return np.inf
        if clock.expired:
            return None
        question = Question([served], Capacities.of(network, [served]), solver_function, limits)
        asked = question.answered([kept], None, Clock(clock.remaining_s))
        answer = asked.answer
        if answer.status is Status.INFEASIBLE:
            return np.inf
        if answer.status is not Status.OPTIMAL or answer.objective is None:
            return None
        return answer.objective * asked.scale

    return least


def _start(
    all_costs: list[Costs],
    capacities: Capacities,
    warm_start: Deployment | None,
    strengthen: bool,
    info: dict[str, Any],
) -> list[Steps | None] | None:
    """Return the warm start by number, None where there is none or it breaks a constraint."""
    if warm_start is None:
        return None
    start = steps_of(all_costs, warm_start)
    broken = broken_constraint(all_costs, capacities, start)
    info["warm_start"] = "used" if broken is None else f"not used: {broken}"
    if broken is not None:
        return None
    if not strengthen:
        return start
    return [None if one is None else improved(costs, one) for costs, one in zip(all_costs, start, strict=True)]


def reduced(all_costs: list[Costs], start: Sequence[Steps | None] | None) -> list[Kept] | None:
    """Return what strengthening keeps of every application; None where one that must be served cannot be."""
    kept = all_worth(all_costs, worth_serving)
    return kept if kept is None or start is None else within_energy(all_costs, kept, start)


def _set_values(programs: list[FlowProgram], start: Sequence[Steps | None]) -> None:
    """Give the variables of `start` the value 1; one without a value is 0."""
    served = {costs.app.name for costs, steps in decided([p.costs for p in programs], start) if steps is not None}
    for program, steps in zip(programs, start, strict=True):
        block, network = program.block, program.costs.network
        names = network.nodes
        if steps is None:
            if program.costs.app.name not in served and program.rho.variables.size:
                block.rho.set_value(1)
            continue
        block.z[steps.last_exit].set_value(1)
        block.y[steps.last_exit, network.sites[steps.placement[-1]][0]].set_value(1)
        for i, (site, route) in enumerate(zip(steps.placement, steps.routes, strict=True)):
            block.x[i + 1, *network.site_labels[site]].set_value(1)
            for link in route:
                block.t[i, names[network.tails[link]], names[network.heads[link]]].set_value(1)


def _sizes(all_costs: list[Costs], programs: list[FlowProgram]) -> dict[str, Any]:
    """Return the size of the program, and what it lacks of the plain one."""
    families = [family for p in programs for family in (p.x, p.sent, p.z, p.y, p.rho)]
    variables = sum(len(family.step) for family in families)
    rejections = sum(bool(np.isfinite(all_costs[group.start].penalty)) for group in by_application(all_costs))
    plain = rejections + sum(map(_plain_size, all_costs))
    return {"variables": variables, "variables_removed": plain - variables}


def _plain_size(costs: Costs) -> int:
    kept = everything(costs)
    ends = _nodes(costs, kept)[costs.after_block - 1]
    return int(kept.run.sum() + kept.send.sum() + len(kept.exits) + ends.sum())


def extracted(costs: Costs, chosen: Selection) -> Steps | None:
    """Return the decisions that a solution selects; None where it selects no exit.

    The unit flow is followed from the source; cycles of flow that touch it nowhere, or rejoin it, are left out.
    """
    if not chosen.last_exit:
        return None
    network = costs.network
    here, placement, routes = costs.app.source, [], []
    for i in range(costs.after_block[chosen.last_exit - 1]):
        there, share = chosen.sites[i + 1]
        stops = path_without_cycles(chosen.links.get(i, []), here, there)
        routes.append(tuple(network.link_number[pair] for pair in pairwise(stops)))
        placement.append(network.site_number[there, share])
        here = there
    return Steps(chosen.last_exit, tuple(placement), tuple(routes))


def path_without_cycles(links: list[tuple[str, str]], start: str, end: str) -> list[str]:
    """Return the nodes of a path with the fewest links from `start` to `end` (breadth first)."""
    came_from, queue = {start: start}, deque([start])
    while end not in came_from:
        here = queue.popleft()
        for tail, head in links:
            if tail == here and head not in came_from:
                came_from[head] = here
                queue.append(head)
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]
