"""Plans that hold under load, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finbench.benchmarks.planning.comparison import HEADROOMS, SHARES, PricedPlan, planned_once
from finbench.benchmarks.planning.comparison import compare_plans as compare
from finbench.benchmarks.planning.fixed_point import FixedPoint, until_simulated
from finbench.benchmarks.planning.headroom import solve_with_headroom
from finbench.benchmarks.planning.options import PlanningOptions
from finbench.models.instance import Instance
from finbench.models.io import validate


def plan(
    instance: Instance,
    method: str = "fin",
    *,
    headroom: float | None = None,
    time_limit_s: float | None = 60.0,
    method_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> FixedPoint:
    """Return a plan that its own simulation bears out, or the best one and why none is.

    Parameters
    ----------
    instance : Instance
        Its applications have rates.
    method : str
        What plans.
    headroom : float, optional
        Plan once, and fill nothing above this utilisation in (0, 1); left out: plan and simulate in turn.
    time_limit_s : float, optional
        Limit for each plan [s].
    method_options : mapping, optional
        Options of the method.
    **options
        Fields of `PlanningOptions`: `until_simulated`, `of`, `rounds`, and those of a simulation.

    Returns
    -------
    FixedPoint
        `outcome`, `rounds`, and the `best` plan with its `deployment`.

    Raises
    ------
    InputError
        If the method or an option is not known or out of its range, or `headroom` finds no rate.
    ValueError
        If rates are missing.

    Examples
    --------
    >>> import finbench as fb
    >>> campus = fb.generate("campus", nodes=6, applications=3, load=0.3, seed=1)
    >>> fb.plan(campus, until_simulated=0.5, samples=2000).outcome.value
    'holds'
    """
    asked = validate(dict(options), PlanningOptions, "options of plan")
    own = dict(method_options or {})
    if headroom is None:
        return until_simulated(instance, method, asked, time_limit_s=time_limit_s, method_options=own)
    result = solve_with_headroom(instance, headroom, method, time_limit_s=time_limit_s, seed=asked.seed, **own)
    return planned_once(instance, result, asked)


def compare_plans(
    instance: Instance,
    method: str = "fin",
    *,
    headrooms: Sequence[float] = HEADROOMS,
    shares: Sequence[float] = SHARES,
    time_limit_s: float | None = 60.0,
    method_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[PricedPlan, ...]:
    """Return what plans cost and hold that are made without waiting, with headrooms, and until simulated.

    Parameters
    ----------
    instance : Instance
        Its applications have rates.
    method : str
        What plans.
    headrooms : sequence of float
        Utilisations that the plans with headroom do not exceed.
    shares : sequence of float
        Shares of samples that the others are planned and simulated for.
    time_limit_s : float, optional
        Limit for each plan [s].
    method_options : mapping, optional
        Options of the method.
    **options
        Fields of `PlanningOptions` but `until_simulated`.

    Returns
    -------
    tuple of PricedPlan
        `fb.plot.nines` draws them.

    Raises
    ------
    InputError
        If a headroom, a share, the method or an option is not known or out of its range, or rates are missing.

    Examples
    --------
    >>> import finbench as fb
    >>> campus = fb.generate("campus", nodes=6, applications=3, load=0.3, seed=1)
    >>> [str(one) for one in fb.compare_plans(campus, headrooms=[0.5], shares=[0.5], samples=2000)]
    ['no waiting', 'headroom 0.5', 'until simulated 0.5']
    """
    asked = validate(dict(options), PlanningOptions, "options of compare_plans")
    return compare(
        instance, method, asked, headrooms=headrooms, shares=shares, time_limit_s=time_limit_s,
        method_options=method_options,
    )  # fmt: skip
