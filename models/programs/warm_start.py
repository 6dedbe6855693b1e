"""Whether a deployment may serve as a warm start: energy bounds fix variables only against a feasible one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finbench.models.programs.costs import Capacities, Costs, Floats, by_application
from finbench.models.programs.steps import Steps, decided
from finbench.models.tolerances import relaxed


def broken_constraint(all_costs: list[Costs], capacities: Capacities, all_steps: Sequence[Steps | None]) -> str | None:
    """Return the first constraint that the decisions break, in words; None where they are feasible."""
    for positions in by_application(all_costs):
        if sum(all_steps[v] is not None for v in positions) > 1:
            return f"application '{all_costs[positions.start].app.name}': one alternative (29)"
    for costs, steps in decided(all_costs, all_steps):
        broken = _broken_by_one(costs, steps)
        if broken is not None:
            return f"application '{costs.app.name}': {broken}"
    return _broken_capacity(all_costs, capacities, all_steps)


def _broken_by_one(costs: Costs, steps: Steps | None) -> str | None:
    if steps is None:
        return None if np.isfinite(costs.penalty) else "admission (23)"
    if steps.last_exit > len(costs.after_block):
        return "there is no such exit"
    if len(steps.placement) != costs.after_block[steps.last_exit - 1] or not _connected(costs, steps):
        return "the placement and routes are no path to the exit"
    nodes = costs.network.site_node[list(steps.placement)]
    rules = {
        "accuracy (9)": not costs.accurate[steps.last_exit - 1],
        "pins (10)": any(nodes[b - 1] != node for b, node in costs.pins.items() if b <= len(nodes)),
        "where blocks can run (26–28)": not costs.can_run[range(len(nodes)), steps.placement].all(),
        "latency (8)": steps.latency(costs) > costs.max_latency,
        "stability (22)": not costs.stable[range(len(nodes)), steps.placement].all(),
    }
    return next((rule for rule, broken in rules.items() if broken), None)


def _connected(costs: Costs, steps: Steps) -> bool:
    """Return whether every route leads from the previous block's node to the next one's."""
    network, here = costs.network, costs.source
    for site, route in zip(steps.placement, steps.routes, strict=True):
        for link in route:
            if network.tails[link] != here:
                return False
            here = int(network.heads[link])
        if here != network.site_node[site]:
            return False
    return True


def _broken_capacity(all_costs: list[Costs], capacities: Capacities, all_steps: Sequence[Steps | None]) -> str | None:
    compute, memory = np.zeros_like(capacities.compute), np.zeros_like(capacities.memory)
    bandwidth, reserved = np.zeros_like(capacities.bandwidth), np.zeros_like(capacities.reservation)
    served = [(costs, steps) for costs, steps in zip(all_costs, all_steps, strict=True) if steps is not None]
    for costs, steps in served:
        for k, (site, route) in enumerate(zip(steps.placement, steps.routes, strict=True)):
            node = costs.network.site_node[site]
            compute[node] += costs.compute_load[k, node]
            memory[node] += costs.memory_load[k]
            reserved[node] += costs.network.share[site]
            np.add.at(bandwidth, list(route), costs.link_load[k])
    loads: dict[str, tuple[Floats, Floats]] = {
        "compute (11)": (compute, capacities.compute),
        "memory (12)": (memory, capacities.memory),
        "bandwidth (13)": (bandwidth, capacities.bandwidth),
        "reservation (21)": (reserved, capacities.reservation),
    }
    return next((name for name, (load, limit) in loads.items() if (load > relaxed(limit)).any()), None)
