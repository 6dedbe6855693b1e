"""From a solver's answer back to decisions and a `Result`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from finbench.models.milp.rows import block_names
from finbench.models.milp.solvers.interface import SolverAnswer
from finbench.models.programs.costs import Costs
from finbench.models.programs.steps import Steps, deployment_of, objective_of
from finbench.models.result import Result, Status
from finbench.models.tolerances import ENERGY_TOLERANCE
from finbench.models.trajectory import Point

STEEP = 1e6
"""Penalty over scale of the objective above which a solver may fail by its tolerances."""


@dataclass
class Selection:
    """The variables of one application that are 1, by their labels."""

    last_exit: int = 0
    """The exit f with z_f = 1; 0 where ρ = 1."""
    sites: dict[int, tuple[str, float]] = field(default_factory=dict)
    """Node of every deployed block and the share it gets there, x_{i,n} = 1 or x_{i,n,r} = 1."""
    links: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    """Links that every output takes, t_{i,nm} = 1."""


def selections_of(values: Iterable[tuple[Any, float]], all_costs: Sequence[Costs]) -> list[Selection]:
    """Return what a solution selects, in the order of `all_costs`.

    Parameters
    ----------
    values : iterable of (Pyomo variable, value)
        Every variable that is not 0.
    all_costs : sequence of Costs
        Those that the program was built of.
    """
    selections: dict[str, Selection] = {}
    for variable, value in values:
        if value < 0.5:
            continue
        chosen = selections.setdefault(variable.parent_block().index(), Selection())
        symbol, label = variable.parent_component().local_name, variable.index()
        if symbol == "z":
            chosen.last_exit = label
        elif symbol == "x":
            chosen.sites[label[0]] = (label[1], label[2] if len(label) > 2 else 1.0)
        elif symbol == "t":
            chosen.links.setdefault(label[0], []).append(label[1:])
    return [selections.get(name, Selection()) for name in block_names(all_costs)]


def result_of(
    answer: SolverAnswer,
    all_costs: list[Costs],
    found: Sequence[Steps | None] | None,
    scale: float,
    least: float,
    info: Mapping[str, Any],
) -> Result:
    """Return the result in objective units.

    Parameters
    ----------
    answer : SolverAnswer
    all_costs : list of Costs
    found : list of (Steps or None), or None
        The decisions read from the answer, None where there are none.
    scale : float
        What the program's objective was divided by.
    least : float
        A bound below every feasible objective, for when the solver has none.
    info : mapping
        Facts to report besides the solver's.
    """
    facts = {**info, **answer.info, "node_count": answer.node_count, "gap": answer.gap}
    if answer.status is Status.ERROR:
        return Result(Status.ERROR, reason=f"{answer.reason}{_steep_penalty(all_costs, scale)}", info=facts)
    if answer.status in (Status.INFEASIBLE, Status.UNSUPPORTED):
        return Result(answer.status, reason=answer.reason, info=facts)
    bound = least if answer.bound is None else max(least, answer.bound * scale)
    if found is None:
        facts |= _trajectory(answer, scale, None, bound)
        return Result(answer.status, lower_bound=bound, reason=answer.reason, info=facts)
    claimed = objective_of(all_costs, found)
    said = None if answer.objective is None else answer.objective * scale
    if answer.status is Status.OPTIMAL and (
        said is None or abs(said - claimed) > ENERGY_TOLERANCE * max(claimed, scale)
    ):
        reason = f"the solver's objective {said} is not that of its solution, {claimed}"
        return Result(Status.ERROR, reason=f"{reason}{_steep_penalty(all_costs, scale)}", info=facts)
    # The solver's bound may lie above by its rounding.
    bound = min(bound, claimed)
    return Result(
        answer.status,
        deployment=deployment_of(all_costs, found),
        claimed_objective=claimed,
        lower_bound=bound,
        reason=answer.reason if answer.status is not Status.OPTIMAL else None,
        info={**facts, **_trajectory(answer, scale, claimed, bound)},
    )


def _steep_penalty(all_costs: list[Costs], scale: float) -> str:
    """Return what an error shall add where a penalty is so high that a solver's tolerances are not small beside it."""
    penalties = [(c.penalty, c.app.name) for c in all_costs if STEEP * scale < c.penalty < inf]
    if not penalties:
        return ""
    penalty, name = max(penalties)
    factor = f"{penalty / scale:.1g} times the least objective"
    return f"; application '{name}' has a rejection penalty of {factor}: lower it, or leave it out to require serving"


def _trajectory(answer: SolverAnswer, scale: float, objective: float | None, bound: float) -> dict[str, list[Point]]:
    """Return the trajectory in objective units; it ends with the result's own objective and bound."""
    if not answer.trajectory:
        return {}
    *before, last = answer.trajectory
    points = [(time, _scaled(found, scale), _scaled(proven, scale)) for time, found, proven in before]
    return {"trajectory": [*points, (last[0], objective, bound)]}


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale
