"""Reasons, in words that follow from the model, why FIN did not serve an application."""

from __future__ import annotations

from math import inf

from finbench.fin_graph.joint.fin.alone import Alone
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.system import Group, resource_name
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.models.instance import Instance
from finbench.models.tolerances import FLOAT_NOISE


def unservable_reason(instance: Instance, group: Group) -> str:
    """Return why a group that, proven, cannot be served even alone cannot."""
    reason = reason_of_infeasibility(instance, group.application)
    return reason or "no path that meets its latency target has room for its blocks and transfers, even alone"


def never_served_reason(instance: Instance, occupancy: Occupancy, alone: list[Alone], g: int) -> str | None:
    """Return why no member of group `g` is worth serving even alone; None where one would be."""
    group, one = occupancy.system.groups[g], alone[g]
    if one.bound == inf:
        return unservable_reason(instance, group)
    if one.usage is None:
        return "no path was found in the time and work allowed, even alone"
    if group.penalty is not None and one.power >= group.penalty:
        unit = instance.objective_unit
        return f"cheaper to reject ({group.penalty:.6g} {unit}) than to serve even alone ({one.power:.6g} {unit})"
    return None


def not_served_reason(instance: Instance, occupancy: Occupancy, alone: list[Alone], g: int) -> str:
    """Return why a member of group `g` is not served."""
    reason, usage = never_served_reason(instance, occupancy, alone, g), alone[g].usage
    if reason is not None or usage is None:
        return str(reason)
    lacks = usage.fractions - occupancy.room[usage.resources]
    if lacks.max(initial=0.0) <= FLOAT_NOISE:
        return "no path was found in the time and work allowed"
    kind, subject = resource_name(instance.network, int(usage.resources[lacks.argmax()]))
    return f"no room: {kind} of {subject} lacks {lacks.max():.3g} of the whole"


def reasons(instance: Instance, occupancy: Occupancy, alone: list[Alone]) -> tuple[dict[str, str], dict[str, str]]:
    """Return why members are not served, by name.

    Returns
    -------
    rejected, left_out : dict
        Reasons of the members that are rejected at a penalty, and of those that must be served.
    """
    rejected, left_out = dict[str, str](), dict[str, str]()
    for g, (group, missing) in enumerate(zip(occupancy.system.groups, occupancy.unserved, strict=True)):
        if missing:
            names = group.members[group.count - missing :]
            found = left_out if group.penalty is None else rejected
            found.update(dict.fromkeys(names, not_served_reason(instance, occupancy, alone, g)))
    return rejected, left_out
