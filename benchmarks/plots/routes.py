"""Where the blocks of an application run, and the ways their inputs take, for the picture of a network."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, ViolationKind
from finbench.models.instance import Instance
from finbench.models.loads import UNITS, Resource

MOST_ROUTED = 3
"""Applications up to which their blocks and routes are drawn; more would hide each other."""

CAPACITIES = {
    ViolationKind.COMPUTE: Resource.COMPUTE,
    ViolationKind.MEMORY: Resource.MEMORY,
    ViolationKind.BANDWIDTH: Resource.BANDWIDTH,
    ViolationKind.RESERVATION: Resource.RESERVATION,
}
"""Rules whose breach is a missing capacity."""


def blocks_at(instance: Instance, deployment: Deployment | None) -> dict[str, str]:
    """Return which blocks run at each node, such as `1–3`; with several applications each with its name."""
    if deployment is None or len(deployment.deployments) > MOST_ROUTED:
        return {}
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for decision in deployment.deployments:
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for block, node in enumerate(decision.placement, start=1):
            numbers[node].append(block)
        name = f"{decision.application}: " if len(instance.applications) > 1 else ""
        for node, blocks in numbers.items():
            texts[node].append(f"{name}{'blocks' if len(blocks) > 1 else 'block'} {ranges(blocks)}")
    return {node: "\n".join(lines) for node, lines in texts.items()}


def ranges(numbers: list[int]) -> str:
    """Return ascending numbers with runs of them drawn together: `1–3, 5`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts)


def hops_of(instance: Instance, deployment: Deployment | None) -> set[tuple[str, str]]:
    """Return the links that transfers use."""
    if deployment is None or len(deployment.deployments) > MOST_ROUTED:
        return set()
    source_of = {app.name: app.source for app in instance.applications}
    routes = (route for one in deployment.deployments for route in one.routes_from(source_of[one.application]) if route)
    return {hop for route in routes for hop in pairwise(route)}


def missing_capacities(evaluation: Evaluation | None) -> list[tuple[str, str]]:
    """Return what is missing of overloaded resources, and how much of it, in the evaluator's order."""
    if evaluation is None:
        return []
    return [
        (f"{one.subject}  {CAPACITIES[one.kind]}", f"+{one.excess:.3g} {UNITS[CAPACITIES[one.kind]]}")
        for one in evaluation.violations
        if one.kind in CAPACITIES and one.excess is not None
    ]
