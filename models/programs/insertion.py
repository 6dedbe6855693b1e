"""Applications inserted one after another into what the others leave: a deployment known without a solver.

Every application takes a cheap path (`models.programs.known`) among what still has room for each of its blocks and
transfers alone. Where the path as a whole overloads something, that is left out and another path is sought. Then each
is taken out and inserted again, as long as that saves anything. No bound comes of it, but whatever claims to be optimal
must not lie above.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from finbench.models.programs.costs import Capacities, Costs, Floats, Ints, by_application
from finbench.models.programs.known import path_among
from finbench.models.programs.steps import Steps, cost_of
from finbench.models.programs.strengthen import Kept, within_latency
from finbench.models.tolerances import relaxed

MOST_PATHS = 6
"""Paths tried for one application, each without what the one before overloads."""

MOST_VERTICES = 2_000_000
"""Sites and links of all blocks of all applications up to which insertion is tried: it then takes a quarter of a
second, and a solver takes many."""

ROUNDS = 2
"""How often everybody is taken out and inserted again."""


@dataclass
class _Room:
    """What the applications inserted so far leave; infinite where nothing can bind."""

    compute: Floats
    memory: Floats
    bandwidth: Floats
    reservation: Floats

    def take(self, costs: Costs, steps: Steps | None, times: float = 1.0) -> None:
        """Take what decisions load, or with −1 give it back."""
        if steps is None:
            return
        network, count = costs.network, len(steps.placement)
        sites = np.array(steps.placement, dtype=np.intp)
        node = network.site_node[sites]
        np.subtract.at(self.compute, node, times * costs.compute_load[np.arange(count), node])
        np.subtract.at(self.memory, node, times * costs.memory_load[:count])
        np.subtract.at(self.reservation, node, times * network.share[sites])
        for k, route in enumerate(steps.routes):
            np.subtract.at(self.bandwidth, list(route), times * costs.link_load[k])

    def fitting(self, costs: Costs, kept: Kept) -> Kept:
        """Return what is kept of an application without what has no room for a single block or transfer."""
        network = costs.network
        node, blocks = network.site_node, len(kept.run)
        compute, memory, link = costs.compute_load[:blocks, node], costs.memory_load[:blocks], costs.link_load[:blocks]
        run = (
            (compute <= self.compute[node])
            & (memory[:, None] <= self.memory[node])
            & (network.share <= self.reservation[node])
        )
        return replace(kept, run=kept.run & run, send=kept.send & (link[:, None] <= self.bandwidth))

    def overloaded(self) -> tuple[Ints, Ints]:
        """Return the nodes and the links that hold more than fits, by number."""
        nodes = (self.compute < 0) | (self.memory < 0) | (self.reservation < 0)
        return np.flatnonzero(nodes).astype(np.intp), np.flatnonzero(self.bandwidth < 0).astype(np.intp)


def inserted(all_costs: Sequence[Costs], capacities: Capacities) -> list[Steps | None] | None:
    """Return feasible decisions for all applications; None where insertion finds none, or would take long.

    Parameters
    ----------
    all_costs : sequence of Costs
    capacities : Capacities
    """
    if sum(costs.run_energy.size + costs.send_energy.size for costs in all_costs) > MOST_VERTICES:
        return None
    orders: tuple[Callable[[Costs], float], ...] = (
        lambda costs: -float(costs.compute_load.sum()),
        lambda costs: costs.app.max_latency_s,
    )
    apps = [[all_costs[v] for v in positions] for positions in by_application(all_costs)]
    found = (_inserted_in_order(apps, capacities, sorted(apps, key=lambda one: order(one[0]))) for order in orders)
    return next((decisions for decisions in found if decisions is not None), None)


Inserted = tuple[Costs, Steps | None]
"""One of an application's alternatives, and its decisions; None where the application is rejected."""


def _inserted_in_order(
    apps: Sequence[Sequence[Costs]], capacities: Capacities, order: Sequence[Sequence[Costs]]
) -> list[Steps | None] | None:
    """Return the decisions of all alternatives of the applications, which are inserted in the given order."""
    names = ("compute", "memory", "bandwidth", "reservation")
    room = _Room(**{name: relaxed(getattr(capacities, name)).copy() for name in names})
    found: dict[str, Inserted] = {}
    for choices in order:
        costs, steps = found[choices[0].app.name] = _path_or_rejection(choices, room)
        if steps is None and not np.isfinite(costs.penalty):
            return None
        room.take(costs, steps)
    for choices in [*order] * ROUNDS:
        before = found[choices[0].app.name]
        room.take(*before, -1.0)
        again = _path_or_rejection(choices, room)
        found[choices[0].app.name] = after = again if cost_of(*again) < cost_of(*before) else before
        room.take(*after)
    return [
        steps if costs is chosen else None
        for choices in apps
        for costs in choices
        for chosen, steps in [found[costs.app.name]]
    ]


def _path_or_rejection(choices: Sequence[Costs], room: _Room) -> Inserted:
    """Return the cheapest path of any alternative that fits; None where it costs more than the rejection."""
    paths = [(costs, _fitting_path(costs, room)) for costs in choices]
    costs, path = min(paths, key=lambda one: np.inf if one[1] is None else cost_of(*one))
    return costs, None if path is None or costs.penalty < cost_of(costs, path) else path


def _fitting_path(costs: Costs, room: _Room) -> Steps | None:
    kept = within_latency(costs)
    for _ in range(MOST_PATHS):
        kept = None if kept is None else room.fitting(costs, kept)
        path = None if kept is None else path_among(costs, kept)
        if kept is None or path is None:
            return None
        room.take(costs, path)
        nodes, links = room.overloaded()
        room.take(costs, path, -1.0)
        if not len(nodes) and not len(links):
            return path
        run, send = kept.run.copy(), kept.send.copy()
        # Not what all of it needs, but all that the path put there after its first block.
        run[1:, np.isin(costs.network.site_node, nodes)] = False
        send[1:, links] = False
        kept = replace(kept, run=run, send=send)
    return None
