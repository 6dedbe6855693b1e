"""`fin`: the feasible-inference-graph heuristic of Singhal et al. (INFOCOM 2024), one answer from its three stages.

Latencies are rounded up to γ steps of the budget (eq. 17), so whatever is found is feasible, and

    energy ≤ OPT(δ (1 − K/γ))                                                                       (20)

with K the number of edges of an optimal path of the tightened budget. With `rounding` cumulative it is the latency of
the path so far that is rounded up (eq. 32): never worse than edge by edge, at any γ. Two engines give the same energy:
`networkx` builds the three graphs (`fin_graph.stages`), `arrays` relaxes them without building them
(`fin_graph.paths.kernel`, `fin_graph.paths.cumulative`). With `certify` FIN proves its own gap: γ doubles until the
answer and the better of two lower bounds (eqs. 18, 19) are as close as asked.

Of an application with alternatives (eq. 29) each takes the stages, the one of the least bound (eq. 19) first; one whose
bound is no less than the answer of another is left out. (The explicit graphs of all are built, to be looked at.)

Several applications, or one whose capacities may bind, that may be rejected or that reserves shares, are placed one
after another on what is left of the system, and then improved (`fin_graph.joint.fin.many`). Where that finds nothing
for one application, or options ask for its three stages, its path is repaired instead (`fin_graph.repair`).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any

from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths.support import layered_arcs, reason_to_refuse, reason_to_share
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance
from finbench.models.result import LOAD, Clock, OutOfTime, Result, Status

SMALL_EXPANSION = 50_000
"""`auto` takes the NetworkX stages up to this many expanded edges while the compiler is not loaded: loading it takes
longer."""

BYTES_PER_EXPANDED_EDGE = 280
"""Memory of the NetworkX stages for every edge at every replica, measured on dense networks."""


@dataclass(frozen=True)
class _Found:
    """One run of the three stages: the energy per inference, inf where nothing was found."""

    energy: float
    deployment: ApplicationDeployment | None
    info: dict[str, Any]


def supports(instance: Instance, options: FinOptions = FinOptions()) -> str | None:
    """Return why FIN cannot take `instance` with these options; None where it can."""
    if _prunes(options) and (options.certify is not None or options.engine == "arrays"):
        return "band < gamma drops end replicas, which only the graphs of engine 'networkx' have"
    shared = reason_to_share(instance)
    if shared is not None and _needs_stages(options):
        return f"certify, band and engine 'networkx' are for one application alone: FIN with them {shared}"
    return None


def _needs_stages(options: FinOptions) -> bool:
    """Return whether only FIN for one application can do what is asked."""
    return options.certify is not None or options.engine == "networkx" or _prunes(options)


def _prunes(options: FinOptions) -> bool:
    """Return whether λ drops any end replica."""
    return options.band is not None and options.band < options.gamma


def solve(
    instance: Instance,
    options: FinOptions = FinOptions(),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Result:
    """Run FIN and return its answer.

    Parameters
    ----------
    instance : Instance
    options : FinOptions
        Arrays hold "at most k steps", not "exactly k": a `band` < `gamma` takes the NetworkX stages.
    time_limit_s : float, optional
        Ends the search [s]. For one application alone the best path of the Lagrangian dual (eq. 19) is then returned,
        with `certify` the sandwich so far; for applications that share the system, the best placement so far.
    seed : int
        Of what is drawn for applications that share the system; one alone draws nothing.

    Returns
    -------
    Result
        `feasible`, or `optimal` where the bounds meet; `infeasible` where no exit is accurate enough or the least
        possible latency misses the target; `time-limit` or `memory-limit`; else `no-solution`.
    """
    if reason_to_refuse(instance) is not None:
        return _with_capacities(instance, options, time_limit_s, seed)
    return _alone(instance, time_limit_s, options)


def _with_capacities(instance: Instance, options: FinOptions, time_limit_s: float | None, seed: int) -> Result:
    """Run FIN where capacities are shared, or may bind for one application."""
    from finbench.fin_graph.joint.fin.many import solve_many
    from finbench.fin_graph.repair import repaired

    clock, run = Clock(time_limit_s), partial(_alone, options=options)
    if _needs_stages(options):
        return repaired(run, instance, time_limit_s)
    result = solve_many(instance, options, time_limit_s=time_limit_s, seed=seed)
    if result.status is not Status.NO_SOLUTION or reason_to_share(instance) is not None:
        return result
    again = repaired(run, instance, clock.remaining_s)
    return result if again.deployment is None else replace(again, lower_bound=result.lower_bound)


def _alone(instance: Instance, time_limit_s: float | None, options: FinOptions) -> Result:
    """Run the three stages for one application, whatever the capacities."""
    clock = Clock(time_limit_s)
    app = instance.applications[0]
    if options.certify is None and _engine(instance, options) == "networkx":
        engine, run = "networkx", _networkx_result
    else:
        engine, run = "arrays", _arrays_result
    try:
        result = run(instance, app, options, clock)
    except OutOfTime:
        result = _stopped(instance, app, clock)
    return replace(result, times_s=clock.times_s, info={"gamma": options.gamma, "engine": engine, **result.info})


def _engine(instance: Instance, options: FinOptions) -> str:
    """Return the engine that runs the three stages: `networkx` or `arrays`."""
    if _prunes(options):
        return "networkx"
    if options.engine != "auto":
        return options.engine
    small = _expanded_edges(instance, options.gamma) <= SMALL_EXPANSION
    return "networkx" if small and "numba" not in sys.modules else "arrays"


def _expanded_edges(instance: Instance, gamma: int) -> int:
    """Return the number of edges that the feasible graph has if every edge fits at every replica."""
    return layered_arcs(instance) * (gamma + 1)


def _networkx_result(instance: Instance, app: Application, options: FinOptions, clock: Clock) -> Result:
    from finbench.fin_graph.stages.inference import fin_three_stages
    from finbench.models.memory import reason_not_to_fit

    reason = reason_not_to_fit(BYTES_PER_EXPANDED_EDGE * _expanded_edges(instance, options.gamma))
    if reason is not None:
        return Result(Status.MEMORY_LIMIT, reason=reason)
    best, sizes = _Found(inf, None, {}), Counter[str]()
    for choice in app.choices:
        with clock.phase("search"):
            stages = fin_three_stages(instance, choice, options.gamma, options.band, options.how, clock)
        for name in ("extended", "feasible", "inference"):
            graph = getattr(stages, name)
            sizes.update({f"{name}_vertices": len(graph), f"{name}_edges": graph.number_of_edges()})
        if stages.energy_j is not None and stages.energy_j < best.energy:
            best = _Found(stages.energy_j, stages.deployment, {})
    return _result(instance, app, replace(best, info=dict(sizes)), clock)


def _arrays_result(instance: Instance, app: Application, options: FinOptions, clock: Clock) -> Result:
    from finbench.fin_graph.paths.alternatives import in_order, problems_of
    from finbench.fin_graph.paths.kernel import least_energy_replica_path, rows_bytes
    from finbench.fin_graph.paths.loading import load_compiled, load_cumulative
    from finbench.models.memory import reason_not_to_fit

    with clock.phase(LOAD):
        load_compiled()
    with clock.phase("build"):
        problems = problems_of(instance, app)
    how = options.how
    if how == "cumulative":
        with clock.phase(LOAD):
            load_cumulative()
    reason = reason_not_to_fit(max((rows_bytes(problem, options.gamma, how) for problem in problems), default=0))
    if reason is not None:
        return Result(Status.MEMORY_LIMIT, reason=reason)
    if options.certify is not None and problems:
        from finbench.fin_graph.paths.certificate import certify_fin

        result = certify_fin(problems, app.weight, gamma=options.gamma, tolerance=options.certify, clock=clock, how=how)
        if result.status is Status.INFEASIBLE and len(problems) > 1:
            return replace(result, reason=_reason(instance, app))
        return result
    best, relaxations = _Found(inf, None, {}), 0
    with clock.phase("search"):
        for problem, least in in_order(problems, clock):
            if least >= best.energy:
                break
            path = least_energy_replica_path(problem, options.gamma, how=how, clock=clock)
            if path.stopped:
                raise OutOfTime
            relaxations += path.relaxations
            if path.energy < best.energy:
                best = _Found(path.energy, problem.deployment(path.layers, path.nodes), {})
    return _result(instance, app, replace(best, info={"relaxations": relaxations}), clock)


def _reason(instance: Instance, app: Application) -> str | None:
    from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility

    return reason_of_infeasibility(instance, app)


def _stopped(instance: Instance, app: Application, clock: Clock) -> Result:
    """Return the Lagrangian dual's answer where the time ended the pass: it takes only a few shortest paths."""
    from finbench.fin_graph.paths.alternatives import best_incumbent, bounded, problems_of
    from finbench.fin_graph.paths.loading import load_compiled

    with clock.phase(LOAD):
        load_compiled()
    with clock.phase("dual"):
        alternatives = bounded(problems_of(instance, app), clock)
    if not alternatives:
        return Result(Status.INFEASIBLE, reason=_reason(instance, app))
    best = best_incumbent(alternatives)
    path = best.dual.incumbent
    assert path is not None
    return Result(
        Status.TIME_LIMIT,
        deployment=Deployment(deployments=(best.problem.deployment(path.layers, path.nodes),)),
        claimed_objective=app.weight * path.energy,
        reason="time ended the pass over the replicas; this is the best path of the Lagrangian dual",
    )


def _result(instance: Instance, app: Application, found: _Found, clock: Clock) -> Result:
    if found.deployment is not None:
        return Result(
            Status.FEASIBLE,
            deployment=Deployment(deployments=(found.deployment,)),
            claimed_objective=app.weight * found.energy,
            info=found.info,
        )
    with clock.phase("prove"):
        reason = _reason(instance, app)
    if reason is not None:
        return Result(Status.INFEASIBLE, reason=reason, info=found.info)
    return Result(Status.NO_SOLUTION, reason="no path fits the rounded latencies; try a larger gamma", info=found.info)
