"""Simulating a solution from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finbench.api.solution import Solution
from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.benchmarks.simulation.simulate import Simulation
from finbench.benchmarks.simulation.simulate import simulate as simulate_deployment
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import validate


def simulate(
    instance: Instance,
    plan: Solution | Deployment,
    *,
    trace: Mapping[str, Sequence[float]] | None = None,
    exits: Mapping[str, Sequence[int]] | None = None,
    **options: Any,
) -> Simulation:
    """Return what samples meet that arrive at a deployment, beside what its plan says.

    Parameters
    ----------
    instance : Instance
    plan : Solution or Deployment
    trace : mapping of str to sequence of float, optional
        When the samples of each application arise [s]; instead of drawing arrivals.
    exits : mapping of str to sequence of int, optional
        Exits (1-based) at which the samples of an application leave in turn; instead of drawing them.
    **options
        Fields of `SimulationOptions`: `samples`, `arrivals`, `service`, `warm_up`, `until_ci`, `seed`.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        If an option is not known or out of its range.
    ValueError
        If there is no deployment, it cannot be carried out, or rates are missing.

    Examples
    --------
    >>> import finbench as fb
    >>> instance = fb.load("blenet-mnist")
    >>> met = fb.simulate(instance, fb.solve(instance, "fin"), arrivals="alone", samples=1000)
    >>> met.applications[0].within.value
    1.0
    """
    deployment = plan.deployment if isinstance(plan, Solution) else plan
    if deployment is None:
        raise ValueError("plan: there is no deployment to simulate")
    asked = validate(dict(options), SimulationOptions, "options of simulate")
    times = None if trace is None else {name: np.sort(np.asarray(each, float)) for name, each in trace.items()}
    leaving = None if exits is None else {name: np.asarray(each, np.int64) for name, each in exits.items()}
    return simulate_deployment(instance, deployment, asked, trace=times, exits=leaving)
