"""Plans anew, and a day of drift, from Python."""

from __future__ import annotations

from pathlib import Path

from finbench.api.solution import Solution
from finbench.benchmarks.replanning.policies import Course, PolicyOptions, live
from finbench.benchmarks.replanning.replan import Replan
from finbench.benchmarks.replanning.replan import replan as replan_deployment
from finbench.models.day import load_day
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.moving import Migration


def replan(
    instance: Instance,
    old: Solution | Deployment,
    migration: Migration | None = None,
    *,
    horizon: float = 3600.0,
    method: str = "auto",
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Replan:
    """Return the plan that costs least over a horizon, moving to it included (eq. 37).

    Parameters
    ----------
    instance : Instance
        As it is now.
    old : Solution or Deployment
        The plan that runs. It may break rules.
    migration : Migration, optional
        What moving costs beside the energy of carrying parameters; left out: nothing.
    horizon : float
        How long the new plan will run [s]; inferences where the application has no rate.
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
        If there is no old deployment, the horizon is not above 0, or the repository is no node.
    InputError
        If the method cannot replan.

    Examples
    --------
    >>> import finbench as fb
    >>> instance = fb.load("balexnet-cifar10")
    >>> old = fb.solve(instance, "label-setting")
    >>> fb.replan(instance, old, horizon=1000).moves
    ()
    """
    deployment = old.deployment if isinstance(old, Solution) else old
    if deployment is None:
        raise ValueError("old: there is no deployment")
    return replan_deployment(
        instance,
        deployment,
        migration or Migration(),
        horizon=horizon,
        method=method,
        time_limit_s=time_limit_s,
        seed=seed,
    )


def drift(day: str | Path, options: PolicyOptions | None = None, *, jobs: int = 1) -> tuple[Course, ...]:
    """Return a day of changing rates, exits and links under every policy, by FIN and by an exact method.

    Parameters
    ----------
    day : str or Path
        A shipped name or a TOML/JSON file of periods.
    options : PolicyOptions, optional
        What policies go by.
    jobs : int
        Processes that work at the same time; numbers do not depend on it.

    Returns
    -------
    tuple of Course

    Raises
    ------
    InputError
        If a file cannot be read or breaks a rule.
    ValueError
        If the repository is no node of the instance.

    Examples
    --------
    >>> import finbench as fb
    >>> {course.policy.value: course.broken_s for course in fb.drift("three-tier")}
    {'never': 7200.0, 'always': 0.0, 'threshold': 0.0, 'moving': 0.0}
    """
    return live(*load_day(day), options, jobs=jobs)
