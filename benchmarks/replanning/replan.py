"""A new plan where moving costs: running and moving together are least over a horizon (37)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import numpy as np

from finbench.benchmarks.methods import find_method
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Violation, evaluate
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.moving import Migration, Move, Movers
from finbench.models.programs.costs import Costs, Floats, costs_of
from finbench.models.result import Result, Status
from finbench.models.tolerances import FLOAT_NOISE, equal_energy

REPLANNING_METHODS = ("milp-flow", "label-setting")
"""Exact methods that weigh moving against running."""


@dataclass(frozen=True)
class Replan:
    """A new plan, what it takes to get there, and what it is worth."""

    horizon: float
    """T [s]; inferences where the application has no rate."""
    result: Result
    """Its claims are (37) divided by T."""
    before: float | None
    """Objective of the old plan; None where it cannot be carried out."""
    broken: tuple[Violation, ...]
    """Rules that the old plan breaks."""
    after: float | None
    """Objective of the new plan; None where there is none."""
    moves: tuple[Move, ...]

    @property
    def deployment(self) -> Deployment | None:
        """The new plan; None where there is none."""
        return self.result.deployment

    @property
    def moving(self) -> float:
        """What all moves cost together, in what is minimised."""
        return sum((move.cost for move in self.moves), 0.0)

    @property
    def total(self) -> float | None:
        """Running and moving over the horizon (37)."""
        return None if self.after is None else self.horizon * self.after + self.moving

    @property
    def pays_back_after(self) -> float | None:
        """When the moves have paid for themselves [as the horizon]; None where they never do, or the old plan broke."""
        if self.before is None or self.after is None or self.broken:
            return None
        saved = self.before - self.after
        if not self.moves:
            return None
        return self.moving / saved if saved > FLOAT_NOISE * self.before else None

    @property
    def contradiction(self) -> str | None:
        """What the method claims and is not so; None where all is true."""
        claimed = self.result.claimed_objective
        if self.deployment is None or self.total is None:
            return None if self.deployment is None else "the new plan breaks a rule"
        if claimed is None or not equal_energy(claimed * self.horizon, self.total):
            return f"the method claims {claimed} a unit of the horizon, it is {self.total / self.horizon}"
        return None


def chosen_method(instance: Instance, method: str) -> str:
    """Return the method that replans: for `auto` label setting where it can, else milp-flow.

    Raises
    ------
    InputError
        If a method does not exist or cannot replan.
    """
    if method == "auto":
        from finbench.fin_graph.label_setting import supports

        return "label-setting" if supports(instance) is None else "milp-flow"
    if method not in REPLANNING_METHODS:
        find_method(method)
        raise InputError("--method", f"'{method}' weighs no moves; {' and '.join(REPLANNING_METHODS)} do")
    return method


def replan(
    instance: Instance,
    old: Deployment,
    migration: Migration,
    *,
    horizon: float,
    method: str = "auto",
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Replan:
    """Find the plan that costs least over a horizon, moving to it included.

    Parameters
    ----------
    instance : Instance
        As it is now.
    old : Deployment
        Where blocks run. It may break rules, and name nodes that there are no longer.
    migration : Migration
    horizon : float
        T > 0 [s]; inferences where the application has no rate.
    method : {"auto", "milp-flow", "label-setting"}
    time_limit_s : float, optional
        Limit [s].
    seed : int

    Returns
    -------
    Replan

    Raises
    ------
    ValueError
        If the horizon is not above 0, or the repository is no node.
    InputError
        If the method cannot replan.
    """
    if not 0 < horizon < inf:
        raise ValueError(f"horizon = {horizon}: must be a number above 0")
    movers = Movers(instance, old, migration)
    if chosen_method(instance, method) == "milp-flow":
        result = _by_flow(instance, movers, horizon, time_limit_s, seed)
    else:
        result = _by_labels(instance, movers, horizon, time_limit_s, seed)
    judged = evaluate(instance, old)
    new = None if result.deployment is None else evaluate(instance, result.deployment)
    return Replan(
        horizon=horizon,
        result=result,
        before=judged.objective,
        broken=judged.violations,
        after=None if new is None or not new.feasible else new.objective,
        moves=() if result.deployment is None else tuple(movers.moves(result.deployment)),
    )


def _by_flow(instance: Instance, movers: Movers, horizon: float, time_limit_s: float | None, seed: int) -> Result:
    from finbench.models.milp import flow

    costs = [_with_moves(one, movers, horizon) for one in costs_of(instance)]
    return flow.solve(instance, time_limit_s=time_limit_s, seed=seed, costs=costs)


def _with_moves(costs: Costs, movers: Movers, horizon: float) -> Costs:
    """Return the costs with (36), by inference, in the energy of running; where no route leads, nothing runs."""
    prices = _per_inference(costs, movers, horizon)[:, costs.network.site_node]
    reached = np.isfinite(prices)
    energy = costs.run_energy + np.where(reached, prices, 0.0)
    return replace(costs, run_energy=energy, can_run=costs.can_run & reached)


def _per_inference(costs: Costs, movers: Movers, horizon: float) -> Floats:
    prices: Floats = np.array(movers.prices(costs.app)) / (horizon * costs.weight)
    return prices


def _by_labels(instance: Instance, movers: Movers, horizon: float, time_limit_s: float | None, seed: int) -> Result:
    from finbench.fin_graph import label_setting

    reason = label_setting.supports(instance)
    if reason is not None:
        return Result(Status.UNSUPPORTED, reason=reason)
    (app,) = instance.applications
    prices = {one.named_dnn: np.array(movers.prices(one)) / (horizon * app.weight) for one in app.choices}
    return label_setting.solve(instance, time_limit_s=time_limit_s, seed=seed, prices=prices)
