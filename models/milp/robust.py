"""`milp-flow` against uncertain exit shares and rates: the linear program of the worst of all deviations, by duality.

`models.uncertainty` says what deviates (33). A row at its worst is

    (34)  max_z Σ_h (1 + ω z_h) (a_h(x) + Σ_e z_{h,e} g_{h,e}(x)) ≤ b,    z ∈ {0, 1},  Σ z ≤ Γ

with a_h what application h asks for as planned and g_{h,e} what it asks for besides where exit e loses samples, all of
them linear in the decisions. A deviating rate multiplies deviating shares, so that the plain dual of Bertsimas and Sim,
for deviations that add up, does not hold. But the maximum is a longest path: application after application, with or
without its rate, share after share, k deviations left. The dual of a longest path are potentials of its vertices,

    (35)  v_{h,k} ≥ (1 + ω ζ) a_h(x) + u_{h,ζ,1,k−ζ}    ζ ∈ {0, 1}: the rate deviates or not
          u_{h,ζ,e,k} ≥ u_{h,ζ,e+1,k},   u_{h,ζ,e,k} ≥ (1 + ω ζ) g_{h,e}(x) + u_{h,ζ,e+1,k−1},   u_{h,ζ,E,k} = v_{h+1,k}

so that (34) holds if and only if some potentials have v_{1,Γ} ≤ b. Without rates this is their dual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base import Block, ConcreteModel, Constraint, Objective
from pyomo.core.expr import LinearExpression

from finbench.models.instance import Accounting, Instance, LatencyKind
from finbench.models.milp import rows
from finbench.models.milp.answer import selections_of
from finbench.models.milp.flow import FlowProgram, add_deployments, extracted, programs_of
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.potentials import Form, Potentials, UncertainTerms
from finbench.models.milp.solvers import registry
from finbench.models.milp.solvers.interface import Limits, SolverAnswer, building, reason_not_to_build, unbuilt
from finbench.models.nowhere import NOTHING_ALONE, application_without_node
from finbench.models.programs.costs import Capacities, Costs, Floats, by_application
from finbench.models.programs.steps import Steps, deployment_of
from finbench.models.programs.strengthen import Kept, all_worth, worth_serving
from finbench.models.programs.uncertain_costs import Amounts, UncertainCosts, uncertain_costs
from finbench.models.result import Clock, OutOfTime, Result, Status
from finbench.models.tolerances import relaxed
from finbench.models.uncertainty import Uncertainty


def solve_robust(
    instance: Instance,
    uncertainty: Uncertainty,
    options: MilpFlowOptions = MilpFlowOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Result:
    """Find the deployment whose worst objective is least among those that keep every rule whatever deviates.

    Parameters
    ----------
    instance : Instance
    uncertainty : Uncertainty
    options : MilpFlowOptions
        `warm_start` is ignored.
    time_limit_s : float or None
        Limit for the whole run [s].
    seed : int
        Random seed of the solver.

    Returns
    -------
    Result
        `claimed_objective` and `lower_bound` are of the worst objective (34).
    """
    clock, known = Clock(time_limit_s), uncertainty.within(instance)
    with clock.phase("build"):
        uncertain = uncertain_costs(instance, known)
    all_costs = [one.costs for one in uncertain]
    with clock.phase("strengthen"):
        all_kept = all_worth(all_costs, worth_serving)
    if all_kept is None:
        reason = application_without_node(instance) or NOTHING_ALONE
        return Result(Status.INFEASIBLE, reason=reason, times_s=clock.times_s)
    no_room = reason_not_to_build(sum(int(kept.run.sum() + kept.send.sum()) for kept in all_kept))
    if no_room is not None:
        return Result(Status.MEMORY_LIMIT, reason=no_room, times_s=clock.times_s)
    ask = partial(
        registry.solver_function(options.solver), limits=Limits(options.mip_gap, options.threads, seed), clock=clock
    )
    with PauseGC():
        try:
            with clock.phase("build"):
                model, scale = _build(instance, uncertain, all_kept, known.budget, building(clock))
        except OutOfTime:
            return _result(unbuilt(), all_costs, None, 1.0, clock)
        answer = ask(model)
        chosen = None if answer.values is None else selections_of(answer.values, all_costs)
        rows.give_back(model)
    found = None if chosen is None else [extracted(*pair) for pair in zip(all_costs, chosen, strict=True)]
    return _result(answer, all_costs, found, scale, clock)


def _result(
    answer: SolverAnswer, all_costs: list[Costs], found: list[Steps | None] | None, scale: float, clock: Clock
) -> Result:
    objective = None if found is None or answer.objective is None else answer.objective * scale
    bound = None if answer.bound is None or answer.status is Status.INFEASIBLE else answer.bound * scale
    return Result(
        answer.status,
        deployment=None if found is None else deployment_of(all_costs, found),
        claimed_objective=objective,
        lower_bound=bound if bound is None or objective is None else min(bound, objective),
        reason=answer.reason if answer.status is not Status.OPTIMAL else None,
        times_s=clock.times_s,
        info={**answer.info, "node_count": answer.node_count, "gap": answer.gap},
    )


def _build(
    instance: Instance, uncertain: list[UncertainCosts], all_kept: list[Kept], budget: int, clock: Clock
) -> tuple[ConcreteModel, float]:
    """Return the model, and the scale that its objective was divided by."""
    all_costs = [one.costs for one in uncertain]
    with rows.given_back_unless_built(all_costs, clock) as model:
        programs = programs_of(model, all_costs, all_kept, clock)
        robust = RobustRows(model, list(zip(programs, uncertain, strict=True)), budget)
        scale = robust.eq3_objective(by_survival=instance.accounting is Accounting.EXPECTED)
        expected = instance.latency_kind is LatencyKind.EXPECTED
        add_deployments(programs, robust.eq8_latency if expected else rows.eq8_latency)
        loaded = [_at_most_loaded(one) for one in uncertain]
        capacities = Capacities.of(instance.network, loaded)
        robust.eq11_compute(capacities)
        rows.eq12_memory(model, programs, capacities)
        robust.eq13_bandwidth(capacities)
        rows.eq21_reservation(model, programs, capacities)
    return model, scale


def _at_most_loaded(one: UncertainCosts) -> Costs:
    """Return the costs with loads as if all deviated: what no deviation exceeds."""
    lost = sum((loss * (np.arange(len(one.survival)) >= after) for after, loss in one.losses), np.zeros(1))
    weight = (1 + one.growth) * (one.survival + lost)
    network = one.costs.network
    first = np.searchsorted(network.site_node, np.arange(len(network.nodes)))
    load = weight[:, None] * one.occupancy[:, first]
    return replace(one.costs, compute_load=load, link_load=weight * one.traffic)


class RobustRows:
    """Adds the objective and the rows that are to hold at their worst.

    Parameters
    ----------
    model : ConcreteModel
    parts : list of (FlowProgram, UncertainCosts)
        In the order of the costs: an application's alternatives one after another.
    budget : int
        Γ.
    """

    def __init__(self, model: ConcreteModel, parts: list[tuple[FlowProgram, UncertainCosts]], budget: int) -> None:
        self._model, self._parts, self._budget = model, parts, budget
        self._groups = [[parts[v] for v in group] for group in by_application([one.costs for _, one in parts])]
        self._count = 0

    def eq3_objective(self, *, by_survival: bool) -> float:
        """Minimise the worst Σ_h λ_h energy(h) and the penalties, divided by the scale that is returned."""
        groups = [
            _group(
                [(p, one.energy_weight, one.power, one) for p, one in group],
                shares=by_survival,
            )
            for group in self._groups
        ]
        least = rows.least_objective([p.costs for p, _ in self._parts], [p.kept for p, _ in self._parts])
        positive = [float(c[c > 0].min()) for group in groups if (c := group.base.coefficients)[c > 0].size]
        scale = least if 0 < least < np.inf else min(positive, default=1.0)
        worst = self._worst([_mapped(group, lambda coefficients: coefficients / scale) for group in groups])
        penalties = [(p.costs.penalty / scale, v) for p, _ in self._parts for v in p.rho.variables]
        body = LinearExpression(
            constant=0,
            linear_coefs=[1.0, *(penalty for penalty, _ in penalties)],
            linear_vars=[worst, *(variable for _, variable in penalties)],
        )
        self._model.eq3_objective = Objective(expr=body)
        return scale

    def eq8_latency(self, program: FlowProgram) -> None:
        """Add (8) at its worst, divided by δ, for an expected latency."""
        one = next(one for own, one in self._parts if own is program)
        amounts, limit = Amounts(one.unit.run_latency, one.unit.send_latency), program.costs.app.max_latency_s
        group = _group([(program, one.latency_weight, amounts, one)], shares=True)
        scaled = _scaled(replace(group, growth=0.0), limit)
        if not scaled.base.variables.size:
            return
        coefficients, variables = [1.0], [self._worst([scaled])]
        if program.alternative:
            coefficients += [-relaxed(1.0)] * len(program.z.variables)
            variables += program.z.variables.tolist()
        body = LinearExpression(constant=0, linear_coefs=coefficients, linear_vars=variables)
        program.block.eq8_latency = Constraint(expr=(None, body, 0.0 if program.alternative else relaxed(1.0)))

    def eq11_compute(self, capacities: Capacities) -> None:
        """Add (11) at its worst, divided by K_n, for every node where the row could bind."""
        for n in np.flatnonzero(np.isfinite(capacities.compute)).tolist():
            at_node = self._parts[0][1].costs.network.site_node == n
            amounts = [
                [Amounts(one.occupancy * at_node, np.zeros_like(one.unit.send_energy)) for _, one in g]
                for g in self._groups
            ]
            self._capacity("eq11_compute", n, amounts, float(capacities.compute[n]))

    def eq13_bandwidth(self, capacities: Capacities) -> None:
        """Add (13) at its worst, divided by B_nm, for every link where the row could bind."""
        for a in np.flatnonzero(np.isfinite(capacities.bandwidth)).tolist():
            amounts = [[_over_link(one, a) for _, one in group] for group in self._groups]
            self._capacity("eq13_bandwidth", a, amounts, float(capacities.bandwidth[a]))

    def _capacity(self, name: str, number: int, amounts: list[list[Amounts]], limit: float) -> None:
        groups = []
        for group, asked in zip(self._groups, amounts, strict=True):
            parts = [(p, one.survival, each, one) for (p, one), each in zip(group, asked, strict=True)]
            groups.append(_scaled(_group(parts, shares=True), limit))
        groups = [group for group in groups if group.most > 0]
        if groups:
            body = LinearExpression(constant=0, linear_coefs=[1.0], linear_vars=[self._worst(groups)])
            self._model.add_component(f"{name}_{number}", Constraint(expr=(None, body, relaxed(1.0))))

    def _worst(self, groups: Sequence[UncertainTerms]) -> Any:
        """Add (35) and return v_{1,Γ}, which is at least the worst of the groups together."""
        self._count += 1
        block = Block()
        self._model.add_component(f"worst_{self._count}", block)
        potentials = Potentials(block, sum(group.most for group in groups))
        budget = min(self._budget, sum(len(group.gains) + (group.growth > 0) for group in groups))
        after: list[Any] = [None] * (budget + 1)
        for group in reversed(groups):
            after = potentials.before(group, after)
        return after[-1]


def _group(parts: list[tuple[FlowProgram, Floats, Amounts, UncertainCosts]], *, shares: bool) -> UncertainTerms:
    """Return what one application adds, over all of its alternatives: parts with the weights of their steps."""
    bases = [_form(program, weights, amounts) for program, weights, amounts, _ in parts]
    base = Form(
        np.concatenate([form.variables for form in bases]), np.concatenate([form.coefficients for form in bases])
    )
    gains = [
        _form(program, np.where(np.arange(len(weights)) >= after, loss, 0.0), amounts)
        for program, weights, amounts, one in parts
        for after, loss in (one.losses if shares else ())
    ]
    return UncertainTerms(base, tuple(form for form in gains if form.variables.size), parts[0][3].growth)


def _form(program: FlowProgram, weights: Floats, amounts: Amounts) -> Form:
    """Return Σ of weighted amounts over the steps that the decisions take, without zeros."""
    x, sent = program.x, program.sent
    run = weights[x.step - 1] * amounts.run[x.step - 1, x.subject]
    send = weights[sent.step] * amounts.send[sent.step, sent.subject]
    coefficients, variables = np.concatenate([run, send]), np.concatenate([x.variables, sent.variables])
    return Form(variables[coefficients > 0], coefficients[coefficients > 0])


def _mapped(group: UncertainTerms, change: Callable[[Floats], Floats]) -> UncertainTerms:
    forms = [replace(form, coefficients=change(form.coefficients)) for form in (group.base, *group.gains)]
    return replace(group, base=forms[0], gains=tuple(forms[1:]))


def _scaled(group: UncertainTerms, limit: float) -> UncertainTerms:
    """Return the group for a row that was divided by its right-hand side."""
    return _mapped(group, lambda coefficients: rows.scaled(coefficients, limit))


def _over_link(one: UncertainCosts, link: int) -> Amounts:
    """Return what every step asks of one link."""
    send = np.zeros_like(one.unit.send_energy)
    send[:, link] = one.traffic
    return Amounts(np.zeros_like(one.unit.run_energy), send)
