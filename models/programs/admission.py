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

from finbench.models.programs.costs import Costs, by_application
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
    rejected = [
        [all_costs[v] for v in positions]
        for positions in by_application(all_costs)
        if all(found[v] is None for v in positions)
    ]
    return {choices[0].app.name: _reason(choices, alone, optimal) for choices in rejected}


def _reason(choices: list[Costs], alone: CostAlone, optimal: bool) -> str:
    """Return why an application is rejected, whichever of its alternatives it ran."""
    accurate = [costs for costs in choices if earliest_accurate_exit(costs) is not None]
    if not accurate:
        return "no exit is accurate enough"
    pairs = ((costs, within_latency(costs)) for costs in accurate)
    possible = [(costs, kept) for costs, kept in pairs if kept is not None]
    if not possible and all(map(_some_block_nowhere, accurate)):
        return "one of its blocks can run at no node"
    if not possible:
        return "no path meets its latency target and pins, even alone"
    first, least = choices[0], min(costs.weight * least_energy(costs, kept) for costs, kept in possible)
    if first.penalty < least:
        return _cheaper(first, least)
    needed = [alone(costs) for costs, _ in possible]
    known = [cost for cost in needed if cost is not None]
    return _reason_beyond_bounds(first, min(known) if len(known) == len(needed) else None, optimal)


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
