"""Why an application is rejected (eq. 23), derived from the model.

For an application h with penalty ψ that a solution rejects, one of these holds:

- no deployment of it is feasible, even with the system to itself: no exit is accurate enough, no path meets the latency
  target and the pins, or none of these fits the capacities;
- with the system to itself it would cost a ≥ ψ;
- it would cost a < ψ alone. Where the solution is optimal, its objective being O + ψ with O for all others, every
  deployment that serves h costs O + ψ or more: beside the others h costs at least ψ − a more than alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf

from finbench.models.programs.costs import Costs
from finbench.models.programs.steps import Steps
from finbench.models.programs.strengthen import earliest_accurate_exit, least_energy, within_latency

CostAlone = Callable[[Costs], float | None]
"""The objective of one application that must be served and has the system to itself; infinite where it cannot be, None
where that is not known."""


def rejection_reasons(
    all_costs: list[Costs], found: Sequence[Steps | None], alone: CostAlone, *, optimal: bool
) -> dict[str, str]:
    """Return one line for every application that `found` rejects, by name.

    Parameters
    ----------
    all_costs : list of Costs
    found : list of (Steps or None)
        A solution.
    alone : callable
        Least cost with the system to itself, asked for where bounds do not decide.
    optimal : bool
        Whether the solution is proven optimal.
    """
    rejected = [costs for costs, steps in zip(all_costs, found, strict=True) if steps is None]
    return {costs.app.name: _reason(costs, alone, optimal) for costs in rejected}


def _reason(costs: Costs, alone: CostAlone, optimal: bool) -> str:
    if earliest_accurate_exit(costs) is None:
        return "no exit is accurate enough"
    kept = within_latency(costs)
    if kept is None and _some_block_nowhere(costs):
        return "one of its blocks can run at no node"
    if kept is None:
        return "no path meets its latency target and pins, even alone"
    least = costs.weight * least_energy(costs, kept)
    return _cheaper(costs, least) if costs.penalty < least else _reason_beyond_bounds(costs, alone(costs), optimal)


def _some_block_nowhere(costs: Costs) -> bool:
    last_exit = earliest_accurate_exit(costs)
    depth = 0 if last_exit is None else int(costs.after_block[last_exit - 1])
    return not costs.can_run[:depth].any(axis=1).all()


def _reason_beyond_bounds(costs: Costs, needed: float | None, optimal: bool) -> str:
    penalty, unit = costs.penalty, costs.unit
    if needed is None:
        return "not proven: the time limit passed before it was known what serving it alone costs"
    if isinf(needed):
        return "no path that meets its targets fits the capacities, even alone"
    if penalty <= needed:
        return _cheaper(costs, needed)
    if not optimal:
        return f"not proven: alone it would cost {needed:.6g} {unit}, less than its penalty of {penalty:.6g} {unit}"
    more = f"at least {penalty - needed:.6g} {unit} more beside the others"
    return f"the capacities leave no cheaper room: {needed:.6g} {unit} alone, {more}"


def _cheaper(costs: Costs, needed: float) -> str:
    least = f"least {costs.minimised} {needed:.6g} {costs.unit}"
    return f"cheaper to reject than to serve alone: penalty {costs.penalty:.6g} {costs.unit}, {least}"
