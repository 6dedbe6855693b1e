"""Decisions by number: where each block runs and which links feed it, beside `models.programs.costs`.

The decisions for all applications are a list in the order of their costs, with None for a rejected one, and for an
alternative that is not chosen (eq. 29).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.programs.costs import Costs, Floats, by_application


@dataclass(frozen=True)
class Steps:
    """One application's decisions by number: where each block runs and which links feed it."""

    last_exit: int
    """1-based index f."""
    placement: tuple[int, ...]
    """Place number of every block 1..b(f)."""
    routes: tuple[tuple[int, ...], ...]
    """Link numbers of the route that feeds each block."""

    def energy(self, costs: Costs) -> float:
        """Return the energy per inference (eq. 1) [J]."""
        return _along(self, costs.run_energy, costs.send_energy)

    def latency(self, costs: Costs) -> float:
        """Return the latency (eq. 2) [s]."""
        return _along(self, costs.run_latency, costs.send_latency)

    def up_to(self, last_exit: int, depth: int) -> Steps:
        """Return the prefix that ends at exit `last_exit`, after block `depth`."""
        return Steps(last_exit, self.placement[:depth], self.routes[:depth])


def _along(steps: Steps, run: Floats, send: Floats) -> float:
    return float(
        sum(
            run[k, n] + sum(send[k, a] for a in route)
            for k, (n, route) in enumerate(zip(steps.placement, steps.routes, strict=True))
        )
    )


def decided(all_costs: Sequence[Costs], all_steps: Sequence[Steps | None]) -> Iterator[tuple[Costs, Steps | None]]:
    """Yield each application once: the alternative that it runs and its decisions, or its first one and None."""
    for positions in by_application(all_costs):
        chosen = next((v for v in positions if all_steps[v] is not None), positions.start)
        yield all_costs[chosen], all_steps[chosen]


def objective_of(all_costs: list[Costs], all_steps: Sequence[Steps | None]) -> float:
    """Return the objective: λ_h energy(h) of every application that is served, ψ_h of every other (eq. 3)."""
    return sum(cost_of(costs, steps) for costs, steps in decided(all_costs, all_steps))


def cost_of(costs: Costs, steps: Steps | None) -> float:
    """Return one application's part of the objective, infinite where it is rejected but must be served."""
    return costs.penalty if steps is None else costs.weight * steps.energy(costs)


def deployment_of(all_costs: list[Costs], all_steps: Sequence[Steps | None]) -> Deployment:
    """Return the decisions by name."""
    chosen = list(decided(all_costs, all_steps))
    return Deployment(
        deployments=tuple(_named(costs, steps) for costs, steps in chosen if steps is not None),
        rejected=tuple(costs.app.name for costs, steps in chosen if steps is None),
    )


def _named(costs: Costs, steps: Steps) -> ApplicationDeployment:
    network = costs.network
    names, shares = network.nodes, tuple(network.sites[p][1] for p in steps.placement)
    routes = tuple(
        (names[network.tails[route[0]]], *(names[network.heads[a]] for a in route)) if route else ()
        for route in steps.routes
    )
    return ApplicationDeployment(
        application=costs.app.name,
        dnn=costs.app.named_dnn,
        last_exit=steps.last_exit,
        placement=tuple(network.sites[p][0] for p in steps.placement),
        routes=routes,
        shares=shares if any(share < 1 for share in shares) else None,
    )


def steps_of(all_costs: list[Costs], deployment: Deployment) -> list[Steps | None]:
    """Return the decisions by number, in the order of `all_costs`.

    Raises
    ------
    KeyError
        If an application, alternative, node, share or link of `deployment` is not the instance's.
    """
    by_name = {decision.application: decision for decision in deployment.deployments}
    found = [
        None if costs.app.name in deployment.rejected else _numbered(costs, by_name[costs.app.name])
        for costs in all_costs
    ]
    for costs, steps in decided(all_costs, found):
        if steps is None and costs.app.name not in deployment.rejected:
            raise KeyError(by_name[costs.app.name].dnn)
    return found


def _numbered(costs: Costs, decision: ApplicationDeployment) -> Steps | None:
    """Return the decisions of an application for one of its alternatives; None where another one is chosen."""
    only = decision.dnn is None and len(costs.app.alternatives) == 1
    if decision.dnn != costs.app.dnn and not only:
        return None
    network = costs.network
    return Steps(
        decision.last_exit,
        tuple(network.site_number[at] for at in zip(decision.placement, decision.share_of_block, strict=True)),
        tuple(
            tuple(network.link_number[pair] for pair in pairwise(route))
            for route in decision.routes_from(costs.app.source)
        ),
    )
