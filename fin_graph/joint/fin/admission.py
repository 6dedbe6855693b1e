"""Why an application is not served, in words that follow from the model."""

from __future__ import annotations

from math import inf

from finbench.fin_graph.joint.fin.alone import Alone
from finbench.fin_graph.joint.fin.placement import Placement
from finbench.fin_graph.joint.system import resource_name
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.models.instance import Instance
from finbench.models.tolerances import FLOAT_NOISE


def reason_alone(instance: Instance, placement: Placement, alone: list[Alone], g: int) -> str | None:
    """Why nobody of group `g` is ever served, None where one would be if it were alone."""
    group, one = placement.system.groups[g], alone[g]
    if one.bound == inf:
        reason = reason_of_infeasibility(instance, group.application)
        return reason or "no path that meets its latency target has room for its blocks and transfers, even alone"
    if one.usage is None:
        return "no path was found in the time and work allowed, even alone"
    if group.penalty is not None and one.power >= group.penalty:
        return f"cheaper to reject ({group.penalty:.6g} W) than to serve even alone ({one.power:.6g} W)"
    return None


def reason_not_served(instance: Instance, placement: Placement, alone: list[Alone], g: int) -> str:
    """Why a member of group `g` is not served."""
    reason, usage = reason_alone(instance, placement, alone, g), alone[g].usage
    if reason is not None or usage is None:
        return str(reason)
    lacks = usage.fractions - placement.room[usage.resources]
    if lacks.max(initial=0.0) <= FLOAT_NOISE:
        return "no path was found in the time and work allowed"
    kind, subject = resource_name(instance.network, int(usage.resources[lacks.argmax()]))
    return f"no room: {kind} of {subject} lacks {lacks.max():.3g} of the whole"


def reasons(instance: Instance, placement: Placement, alone: list[Alone]) -> tuple[dict[str, str], dict[str, str]]:
    """Why members are not served, by name: of those rejected at a penalty, and of those that must be served."""
    rejected, left_out = dict[str, str](), dict[str, str]()
    for g, (group, missing) in enumerate(zip(placement.system.groups, placement.unserved, strict=True)):
        if missing:
            names = group.members[group.count - missing :]
            found = left_out if group.penalty is None else rejected
            found.update(dict.fromkeys(names, reason_not_served(instance, placement, alone, g)))
    return rejected, left_out
