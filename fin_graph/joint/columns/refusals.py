"""Reasons, in words that follow from prices and proofs, why column generation did not serve applications.

Of an instance that is infeasible, the reason names what is too small; of a rejected application, what serving it would
take from others.
"""

from __future__ import annotations

import numpy as np

from finbench.fin_graph.joint.columns.relaxation import Bound, Relaxation
from finbench.fin_graph.joint.fin.admission import never_served_reason, not_served_reason
from finbench.fin_graph.joint.fin.alone import Alone
from finbench.fin_graph.joint.fin.occupancy import Occupancy
from finbench.fin_graph.joint.system import resource_name
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.infeasibility import reason_of_infeasibility
from finbench.models.instance import Instance

_NAMED = 3
"""Resources, and applications, that a reason names at most."""


def infeasible_alone_reason(instance: Instance, relaxation: Relaxation, g: int) -> str:
    """Return why group g, whose members must be served, cannot be served even alone."""
    application = relaxation.system.groups[g].application
    reason = reason_of_infeasibility(instance, application)
    reason = reason or "no deployment that meets its latency target fits even alone: nodes or links are too small"
    return f"application '{application.name}': {reason}"


def rejection_reasons(
    instance: Instance, relaxation: Relaxation, occupancy: Occupancy, alone: list[Alone], prices: Floats
) -> dict[str, str]:
    """Return why each rejected application is rejected, at the prices of the best bound."""
    found = {}
    for g, (group, missing) in enumerate(zip(occupancy.system.groups, occupancy.unserved, strict=True)):
        if missing:
            reason = (
                never_served_reason(instance, occupancy, alone, g)
                or _too_dear(instance, relaxation, g, prices)
                or not_served_reason(instance, occupancy, alone, g)
            )
            found.update(dict.fromkeys(group.members[group.count - missing :], reason))
    return found


def _too_dear(instance: Instance, relaxation: Relaxation, g: int, prices: Floats) -> str | None:
    """Return that the penalty is below what serving costs at `prices`; None where it is not."""
    group, usage = relaxation.system.groups[g], relaxation.pricer.price(g, prices).usage
    if group.penalty is None or usage is None or not len(usage.resources) or usage.cost(prices) < group.penalty:
        return None
    paid = prices[usage.resources] * usage.fractions
    kind, subject = resource_name(instance.network, int(usage.resources[paid.argmax()]))
    unit = instance.objective_unit
    return (
        f"cheaper to reject ({group.penalty:.6g} {unit}) than to serve: {usage.power:.6g} {unit}, and what it takes "
        f"from others is worth {paid.sum():.6g} {unit}, most of it the {kind} of {subject}"
    )


def overload_reason(instance: Instance, relaxation: Relaxation, bound: Bound, overload: Floats) -> str:
    """Return which resources the applications overload together, and which applications weigh most in the proof."""
    scarce = np.argsort(-overload, kind="stable")[:_NAMED]
    if not overload.any():
        scarce = np.argsort(-bound.prices, kind="stable")[:_NAMED]
    lacks = []
    for r in scarce.tolist():
        kind, subject = resource_name(instance.network, r)
        if overload[r] > 0:
            lacks.append(f"{kind} of {subject} (by {100 * overload[r]:.3g} %)")
        elif not lacks and bound.prices[r] > 0:
            lacks.append(f"{kind} of {subject}")
    weights = np.where(np.isfinite(bound.least), bound.least, 0.0) * relaxation.sizes
    weights *= [group.penalty is None for group in relaxation.system.groups]
    heaviest = [g for g in np.argsort(-weights, kind="stable")[:_NAMED].tolist() if weights[g] > 0]
    names = ", ".join(f"'{relaxation.system.groups[g].members[0]}'" for g in heaviest)
    return f"together the applications overload {', '.join(lacks)}; most is asked by {names}"
