"""Stress of a plan from Python."""

from __future__ import annotations

from collections.abc import Sequence

from finbench.api.solution import Solution
from finbench.benchmarks.robustness.stress import SEVERITIES, Stress, disturbances
from finbench.benchmarks.robustness.stress import stress as stress_deployment
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance


def stress(
    instance: Instance,
    plan: Solution | Deployment,
    method: str = "fin",
    *,
    severities: Sequence[float] = SEVERITIES,
    parts: int = 12,
    drift: float = 0.1,
    time_limit_s: float | None = 10.0,
    seed: int = 0,
) -> Stress:
    """Return what disturbances break of a plan, what it then costs, and what a new plan costs.

    Parameters
    ----------
    instance : Instance
    plan : Solution or Deployment
        It must keep every rule of the instance.
    method : str
        What plans anew after each disturbance.
    severities : sequence of float
        Parts of its speed that each node and link loses, and parts that rates grow and fall by.
    parts : int
        Nodes and links at most, those first that most applications use.
    drift : float
        Total-variation distance that exit shares may drift.
    time_limit_s : float, optional
        Limit for each new plan [s].
    seed : int

    Returns
    -------
    Stress

    Raises
    ------
    ValueError
        If there is no deployment, or it breaks a rule of the instance.
    InputError
        If the method is not known.

    Examples
    --------
    >>> import finbench as fb
    >>> instance = fb.load("balexnet-cifar10")
    >>> found = fb.stress(instance, fb.solve(instance, "label-setting"), "label-setting")
    >>> sum(one.holds for one in found.results), len(found.results)
    (15, 20)
    """
    deployment = plan.deployment if isinstance(plan, Solution) else plan
    if deployment is None:
        raise ValueError("plan: there is no deployment")
    chosen = disturbances(instance, deployment, severities, parts)
    return stress_deployment(
        instance, deployment, chosen, drift=drift, method=method, time_limit_s=time_limit_s, seed=seed
    )
