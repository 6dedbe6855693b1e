"""Whether a deployment may serve as a warm start: energy bounds fix variables only against a feasible one."""

from __future__ import annotations

import numpy as np

from models.milp.costs import FLOAT_NOISE, Capacities, Costs, Floats
from models.milp.steps import Steps


def broken_constraint(all_costs: list[Costs], capacities: Capacities, all_steps: list[Steps]) -> str | None:
    """The first constraint that the decisions break, in words; None where they are feasible."""
    for costs, steps in zip(all_costs, all_steps, strict=True):
        broken = _broken_by_one(costs, steps)
        if broken is not None:
            return f"application '{costs.app.name}': {broken}"
    return _broken_capacity(all_costs, capacities, all_steps)


def _broken_by_one(costs: Costs, steps: Steps) -> str | None:
    if steps.last_exit > len(costs.after_block):
        return "there is no such exit"
    if len(steps.placement) != costs.after_block[steps.last_exit - 1] or not _connected(costs, steps):
        return "the placement and routes are no path to the exit"
    if costs.accuracy[steps.last_exit - 1] < costs.app.min_accuracy:
        return "accuracy (9)"
    if any(steps.placement[b - 1] != node for b, node in costs.pins.items() if b <= len(steps.placement)):
        return "pins (10)"
    if steps.latency(costs) > costs.app.max_latency_s * (1 + FLOAT_NOISE):
        return "latency (8)"
    return None


def _connected(costs: Costs, steps: Steps) -> bool:
    """Whether every route leads from the previous block's node to the next one's."""
    topology, here = costs.topology, costs.source
    for node, route in zip(steps.placement, steps.routes, strict=True):
        for link in route:
            if topology.tails[link] != here:
                return False
            here = int(topology.heads[link])
        if here != node:
            return False
    return True


def _broken_capacity(all_costs: list[Costs], capacities: Capacities, all_steps: list[Steps]) -> str | None:
    compute, memory = np.zeros_like(capacities.compute), np.zeros_like(capacities.memory)
    bandwidth = np.zeros_like(capacities.bandwidth)
    for costs, steps in zip(all_costs, all_steps, strict=True):
        for k, (node, route) in enumerate(zip(steps.placement, steps.routes, strict=True)):
            compute[node] += costs.compute_load[k]
            memory[node] += costs.memory_load[k]
            np.add.at(bandwidth, list(route), costs.link_load[k])
    loads: dict[str, tuple[Floats, Floats]] = {
        "compute (11)": (compute, capacities.compute),
        "memory (12)": (memory, capacities.memory),
        "bandwidth (13)": (bandwidth, capacities.bandwidth),
    }
    return next((name for name, (load, limit) in loads.items() if (load > limit * (1 + FLOAT_NOISE)).any()), None)
