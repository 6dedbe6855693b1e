"""Label setting against uncertain exit shares and rates, where one deviation is the worst for every path.

The worst of all deviations (34) is a maximum of sums along a path, and no such sum itself: labels cannot add it up. But
where one deviation z has the largest weights λ(z) s_i(z) and s_i(z) of all blocks i at once, it is the worst for every
path and every row, and the instance with these shares and rates is an ordinary one. That is so where Γ lets everything
deviate, and where the first exits are those that may lose the most samples.
"""

from __future__ import annotations

from finbench.fin_graph import label_setting
from finbench.fin_graph.paths.arrays import accurate_exits
from finbench.fin_graph.paths.support import may_bind, reason_to_share
from finbench.models.instance import DNN, Accounting, Application, Instance, LatencyKind
from finbench.models.result import Result, Status
from finbench.models.tolerances import SUM_NOISE
from finbench.models.uncertainty import Uncertainty

NOT_ADDITIVE = (
    "adds up weights along a path, and which deviation is the worst depends on the path here; milp-flow takes it"
)


def solve_robust(
    instance: Instance, uncertainty: Uncertainty, *, time_limit_s: float | None = None, seed: int = 0
) -> Result:
    """Find the deployment whose worst objective is least among those that keep every rule whatever deviates.

    Parameters
    ----------
    instance : Instance
    uncertainty : Uncertainty
    time_limit_s : float or None
        Limit [s].
    seed : int
        Ignored: nothing is drawn.

    Returns
    -------
    Result
        `claimed_objective` and `lower_bound` are of the worst objective; `unsupported` with the reason where the worst
        deviation depends on the path.
    """
    reason = reason_to_share(instance)
    worst = None if reason is not None else one_worst(instance, uncertainty.within(instance))
    if worst is None:
        return Result(Status.UNSUPPORTED, reason=reason or NOT_ADDITIVE)
    return label_setting.solve(worst, time_limit_s=time_limit_s, seed=seed)


def one_worst(instance: Instance, uncertainty: Uncertainty) -> Instance | None:
    """Return the instance of a single application at the deviation that is the worst for all; None where none is.

    Of an application with alternatives, each alternative must have one, and all with the rate or all without.
    """
    (app,) = instance.applications
    budget = uncertainty.budget
    for with_rate in (True, False) if uncertainty.growth(app) and budget else (False,):
        rate = app.rate_per_s
        if rate is not None and with_rate:
            rate *= 1 + uncertainty.deviation
        dnns = tuple(_with_losses(dnn, uncertainty, budget - with_rate) for dnn in instance.dnns_of(app))
        grown = app.model_copy(update={"rate_per_s": rate})
        others = tuple(dnn for dnn in instance.dnns if dnn.name not in app.alternatives)
        own = {name: getattr(instance, name) for name in Instance.model_fields}
        deviated = Instance(**{**own, "dnns": (*dnns, *others), "applications": (grown,)})
        if all(_is_worst(instance, deviated, choice, uncertainty) for choice in app.choices):
            return deviated
    return None


def _with_losses(dnn: DNN, uncertainty: Uncertainty, count: int) -> DNN:
    """Return the DNN whose first `count` exits lose all the samples that they may lose."""
    losses = dict(uncertainty.losses(dnn)[:count])
    exits = [
        one.model_copy(update={"exit_fraction": max(0.0, one.exit_fraction - losses.get(one.after_block, 0.0))})
        for one in dnn.exits
    ]
    last = min(1.0, exits[-1].exit_fraction + sum(losses.values()))
    exits[-1] = exits[-1].model_copy(update={"exit_fraction": last})
    return dnn.model_copy(update={"exits": tuple(exits)})


def _is_worst(instance: Instance, deviated: Instance, app: Application, uncertainty: Uncertainty) -> bool:
    """Return whether the deviated instance has the largest weights of all blocks that count, in every row."""
    dnn, after = instance.dnn_of(app), deviated.dnn_of(app)
    ends = accurate_exits(dnn, app.min_accuracy)
    if not ends:
        return True
    depth = dnn.exits[ends[0] - 1].after_block
    survival = after.survival[:depth]
    if instance.latency_kind is not LatencyKind.FULL_DEPTH and not _reach(survival, uncertainty.survival(dnn)):
        return False
    by_survival = instance.accounting is Accounting.EXPECTED
    if app.rate_per_s is None:
        return not by_survival or _reach(survival, uncertainty.survival(dnn))
    rate = deviated.applications[0].weight
    if by_survival or may_bind(_all_deviated(instance, uncertainty)):
        return _reach([rate * share for share in survival], uncertainty.arrivals(app, dnn))
    return _reach([rate], [app.weight * (1 + uncertainty.growth(app) * bool(uncertainty.budget))])


def _reach(weights: tuple[float, ...] | list[float], largest: tuple[float, ...] | list[float]) -> bool:
    return all(own >= most * (1 - SUM_NOISE) for own, most in zip(weights, largest, strict=False))


def _all_deviated(instance: Instance, uncertainty: Uncertainty) -> Instance:
    """Return the instance as if no budget kept anything from deviating."""
    (app,) = instance.applications
    dnns = tuple(
        _with_losses(dnn, uncertainty, len(dnn.exits)) if dnn.name in app.alternatives else dnn for dnn in instance.dnns
    )
    grown = app.model_copy(update={"rate_per_s": app.weight * (1 + uncertainty.growth(app))})
    own = {name: getattr(instance, name) for name in Instance.model_fields}
    return Instance(**{**own, "dnns": dnns, "applications": (grown,)})
