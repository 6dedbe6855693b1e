"""`fin`: the feasible-inference-graph heuristic of Singhal et al. (INFOCOM 2024), one answer from its three stages.

Latencies are rounded up to γ steps of the budget (eq. 17), so whatever is found is feasible, and

    energy ≤ OPT(δ (1 − K/γ))                                                                       (20)

with K the number of edges of an optimal path of the tightened budget. Two back ends give the same energy: `networkx`
builds the three graphs (`fin_graph.inference`), `arrays` relaxes them without building them (`fin_graph.kernel`).
With `certify` FIN proves its own gap: γ doubles until the answer and the better of two lower bounds (eqs. 18, 19) are
as close as asked.

Several applications, or one whose capacities may bind, that may be rejected or that reserves shares, are placed one
after another on what is left of the system, and then improved (`fin_graph.joint.fin.many`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from finbench.fin_graph.support import layered_arcs, reason_to_refuse
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import Application, Instance
from finbench.models.result import Clock, Result, Status

BACKENDS = ("auto", "networkx", "arrays")

ORDERS = ("tightest", "largest", "given")
"""Who comes first among several applications (`fin_graph.joint.fin.insertion`)."""

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


def supports(  # noqa: PLR0911  (one return for each option)
    instance: Instance,
    *,
    gamma: int = 100,
    lambda_: int | None = None,
    backend: str = "auto",
    certify: float | None = None,
    order: str = "tightest",
    restarts: int = 9,
    effort: float = 1.0,
) -> str | None:
    """Reason why FIN cannot take `instance` with these options, None if it can."""
    if gamma < 1:
        return f"gamma = {gamma}: must be at least 1"
    if lambda_ is not None and lambda_ < 0:
        return f"lambda_ = {lambda_}: must be at least 0"
    if backend not in BACKENDS:
        return f"backend = '{backend}': must be one of {', '.join(BACKENDS)}"
    if certify is not None and not 0 <= certify < inf:
        return f"certify = {certify}: must be a relative gap of at least 0"
    if _prunes(gamma, lambda_) and (certify is not None or backend == "arrays"):
        return "lambda_ < gamma drops end replicas, which only the graphs of backend 'networkx' have"
    if order not in ORDERS:
        return f"order = '{order}': must be one of {', '.join(ORDERS)}"
    if restarts < 0:
        return f"restarts = {restarts}: must be at least 0"
    if not 0 <= effort < inf:
        return f"effort = {effort}: must be at least 0"
    shared = reason_to_refuse(instance)
    if shared is not None and (certify is not None or backend == "networkx" or _prunes(gamma, lambda_)):
        return f"certify, lambda_ and backend 'networkx' are for one application alone: FIN with them {shared}"
    return None


def _prunes(gamma: int, lambda_: int | None) -> bool:
    """Whether λ drops any end replica."""
    return lambda_ is not None and lambda_ < gamma


def solve(
    instance: Instance,
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
    gamma: int = 100,
    lambda_: int | None = None,
    backend: str = "auto",
    certify: float | None = None,
    order: str = "tightest",
    restarts: int = 9,
    effort: float = 1.0,
) -> Result:
    """Run FIN.

    Parameters
    ----------
    instance : Instance
    time_limit_s : float, optional
        For one application alone: `certify` starts no further doubling of γ after this time, a single pass is not
        interrupted. For applications that share the system: ends the search, the best so far is returned.
    seed : int
        Of what is drawn for applications that share the system; one alone draws nothing.
    gamma : int
        Number of latency steps γ ≥ 1.
    lambda_ : int, optional
        Keep only end replicas k ≥ γ − λ; by default λ = γ, all of them. Arrays hold "at most k steps", not "exactly
        k", so that a smaller λ takes the NetworkX stages.
    backend : {'auto', 'networkx', 'arrays'}
    certify : float, optional
        Relative gap to prove, (UB − LB)/LB; 0 asks for the optimum.
    order : {'tightest', 'largest', 'given'}
        Which of several applications comes first: the one with the least slack in its latency target, the one that
        takes most of some resource, or the first of the instance.
    restarts : int
        Further insertions in drawn orders, as far as `effort` lasts.
    effort : float
        Work of improving what several applications were given; 1 is the default amount, 0 none.

    Returns
    -------
    Result
        `feasible`, or `optimal` where the bounds meet; `infeasible` where no exit is accurate enough or the least
        possible latency misses the target; else `no-solution`.
    """
    if reason_to_refuse(instance) is not None:
        from finbench.fin_graph.joint.fin.many import solve_many

        return solve_many(
            instance,
            time_limit_s=time_limit_s,
            seed=seed,
            gamma=gamma,
            order=order,
            restarts=restarts,
            effort=effort,
        )
    clock = Clock(time_limit_s)
    app = instance.applications[0]
    if certify is None:
        backend = "networkx" if _prunes(gamma, lambda_) else _chosen_backend(instance, gamma, backend)
    if certify is None and backend == "networkx":
        result = _networkx_result(instance, app, gamma, lambda_, clock)
    else:
        backend, result = "arrays", _arrays_result(instance, app, gamma, certify, clock)
    return replace(result, times_s=clock.times_s, info={"gamma": gamma, "backend": backend, **result.info})


def _chosen_backend(instance: Instance, gamma: int, backend: str) -> str:
    if backend != "auto":
        return backend
    small = _expanded_edges(instance, gamma) <= SMALL_EXPANSION
    return "networkx" if small and "numba" not in sys.modules else "arrays"


def _expanded_edges(instance: Instance, gamma: int) -> int:
    """Edges of the feasible graph if every one fitted at every replica."""
    return layered_arcs(instance) * (gamma + 1)


def _networkx_result(instance: Instance, app: Application, gamma: int, lambda_: int | None, clock: Clock) -> Result:
    from finbench.fin_graph.inference import fin_three_stages
    from finbench.models.memory import reason_not_to_fit

    reason = reason_not_to_fit(BYTES_PER_EXPANDED_EDGE * _expanded_edges(instance, gamma))
    if reason is not None:
        return Result(Status.MEMORY_LIMIT, reason=reason)
    with clock.phase("search"):
        stages = fin_three_stages(instance, app, gamma, lambda_)
    energy = inf if stages.energy_j is None else stages.energy_j
    info = {
        "extended_vertices": stages.extended.number_of_nodes(),
        "extended_edges": stages.extended.number_of_edges(),
        "feasible_vertices": stages.feasible.number_of_nodes(),
        "feasible_edges": stages.feasible.number_of_edges(),
        "inference_vertices": stages.inference.number_of_nodes(),
        "inference_edges": stages.inference.number_of_edges(),
    }
    return _result(instance, app, _Found(energy, stages.deployment, info), clock)


def _arrays_result(instance: Instance, app: Application, gamma: int, certify: float | None, clock: Clock) -> Result:
    from finbench.fin_graph.arrays import path_problem
    from finbench.fin_graph.kernel import least_energy_replica_path, rows_bytes
    from finbench.fin_graph.loading import load_compiled
    from finbench.models.memory import reason_not_to_fit

    with clock.phase("load"):
        load_compiled()
    with clock.phase("build"):
        problem = path_problem(instance, app)
    if problem is None:
        return _result(instance, app, _Found(inf, None, {}), clock)
    reason = reason_not_to_fit(rows_bytes(problem, gamma))
    if reason is not None:
        return Result(Status.MEMORY_LIMIT, reason=reason)
    if certify is not None:
        from finbench.fin_graph.certificate import certify_fin

        return certify_fin(problem, app.weight, gamma=gamma, tolerance=certify, clock=clock)
    with clock.phase("search"):
        path = least_energy_replica_path(problem, gamma)
        deployment = problem.deployment(path.layers, path.nodes) if path.layers else None
    return _result(instance, app, _Found(path.energy, deployment, {"relaxations": path.relaxations}), clock)


def _result(instance: Instance, app: Application, found: _Found, clock: Clock) -> Result:
    if found.deployment is not None:
        return Result(
            Status.FEASIBLE,
            deployment=Deployment(deployments=(found.deployment,)),
            claimed_objective=app.weight * found.energy,
            info=found.info,
        )
    from finbench.fin_graph.infeasibility import reason_of_infeasibility

    with clock.phase("prove"):
        reason = reason_of_infeasibility(instance, app)
    if reason is not None:
        return Result(Status.INFEASIBLE, reason=reason, info=found.info)
    return Result(Status.NO_SOLUTION, reason="no path fits the rounded latencies; try a larger gamma", info=found.info)
