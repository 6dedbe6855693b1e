"""First come, first served: applications in the instance's order, each on what those before it have left.

How one application is served is the caller's choice; nothing is ever moved again. An application that does not fit, or
costs more than its penalty, is rejected; without a penalty there is no solution.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from finbench.fin_graph.joint.system import Group, SharedSystem, Usage, joint_deployment
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.loading import load_compiled
from finbench.models.instance import Instance
from finbench.models.result import Clock, Result, Status

Serve = Callable[[Group, Floats], Usage | None]
"""Returns how a member of a group is served on what is left of every resource, shape (R,); None where it is not."""


def first_come(instance: Instance, serve: Serve, way: str, time_limit_s: float | None) -> Result:
    """Serve applications in the instance's order.

    Parameters
    ----------
    instance : Instance
    serve : callable
    way : str
        What `serve` looks for, in words.
    time_limit_s : float or None
        Looked at between two applications [s].

    Returns
    -------
    Result
        `feasible`, `no-solution` where an application without a penalty does not fit, or `time-limit`.
    """
    clock = Clock(time_limit_s)
    with clock.phase("load"):
        load_compiled()
    with clock.phase("build"):
        system = SharedSystem.of(instance, reachable=True)
    with clock.phase("search"):
        chosen = _served(instance, system, serve, clock)
    left_out = [app.name for app in instance.applications if app.name not in chosen]
    must = [app.name for app in instance.applications if app.name in left_out and app.rejection_penalty_w is None]
    if must:
        status = Status.TIME_LIMIT if clock.expired else Status.NO_SOLUTION
        reason = f"application '{must[0]}': no {way} meets its target on what those before it have left"
        return Result(status, reason=reason, times_s=clock.times_s)
    served = [(group, [chosen[name] for name in group.members if name in chosen]) for group in system.groups]
    penalty = sum(app.rejection_penalty_w or 0.0 for app in instance.applications if app.name in left_out)
    return Result(
        Status.TIME_LIMIT if clock.expired else Status.FEASIBLE,
        joint_deployment(served),
        claimed_objective=penalty + sum(usage.power for usage in chosen.values()),
        times_s=clock.times_s,
        info={"rejected": dict.fromkeys(left_out, f"no {way} that fits costs less than rejecting")},
    )


def _served(instance: Instance, system: SharedSystem, serve: Serve, clock: Clock) -> dict[str, Usage]:
    """Return the usages of the applications that are served, by name."""
    room, chosen = system.empty_room(), dict[str, Usage]()
    group_of = {name: group for group in system.groups for name in group.members}
    for app in instance.applications:
        if clock.expired:
            break
        group = group_of[app.name]
        usage = serve(group, room)
        if usage is not None and usage.power < (inf if group.penalty is None else group.penalty):
            usage.take(room)
            chosen[app.name] = usage
    return chosen
