"""An independent enumeration that knows nothing but `evaluate`, and small instances that share a system."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Application, Block, Instance, Link, Network, Node
from tests.random_instances import random_instance


def least_objective(instance: Instance) -> float | None:
    """Least objective over every combination of decisions and rejections that `evaluate` passes.

    Of each application only what passes on its own is combined: others only add to loads.
    """
    best = None
    for chosen in product(*(list(_sound(instance, app)) for app in instance.applications)):
        served = tuple(decision for decision in chosen if isinstance(decision, ApplicationDeployment))
        rejected = tuple(name for name in chosen if isinstance(name, str))
        judged = evaluate(instance, Deployment(deployments=served, rejected=rejected))
        if judged.feasible and judged.objective is not None and (best is None or judged.objective < best):
            best = judged.objective
    return best


def objectives_alone(instance: Instance) -> list[float]:
    """Return the objectives of all deployments of a single application that `evaluate` passes, least first."""
    deployments = (Deployment(deployments=(one,)) for one in decisions(instance, instance.applications[0]))
    judged = (evaluate(instance, deployment) for deployment in deployments)
    return sorted(one.objective for one in judged if one.feasible and one.objective is not None)


def _sound(instance: Instance, app: Application) -> Iterator[ApplicationDeployment | str]:
    """Deployments of one application that `evaluate` passes when it is alone, and its name for its rejection."""
    alone = instance.model_copy(update={"applications": (app,)})
    for decision in decisions(instance, app):
        if evaluate(alone, Deployment(deployments=(decision,))).feasible:
            yield decision
    if evaluate(alone, Deployment(deployments=(), rejected=(app.name,))).feasible:
        yield app.name


def decisions(instance: Instance, app: Application) -> Iterator[ApplicationDeployment]:
    """Every deployment of one application, sound or not: exits, placements, simple routes and shares."""
    nodes = [node.name for node in instance.network.nodes]
    ends = ((one, f, exit_) for one in app.choices for f, exit_ in enumerate(instance.dnn_of(one).exits, start=1))
    for choice, f, exit_ in ends:
        for placement in product(nodes, repeat=exit_.after_block):
            stops = (app.source, *placement)
            for routes in product(*(_routes(nodes, a, b) for a, b in zip(stops, placement, strict=False))):
                for shares in product(*(instance.network.node_by_name[name].compute_shares for name in placement)):
                    yield ApplicationDeployment(
                        application=app.name,
                        dnn=choice.named_dnn,
                        last_exit=f,
                        placement=placement,
                        routes=routes,
                        shares=shares,
                    )


def _routes(nodes: list[str], start: str, end: str) -> list[tuple[str, ...]]:
    """Every sequence of different nodes from start to end, whether or not there are links."""
    if start == end:
        return [()]
    others = [node for node in nodes if node not in (start, end)]
    return [(start, *between, end) for k in range(len(others) + 1) for between in permutations(others, k)]


def shared_instance(seed: int, *, applications: int = 2, max_nodes: int = 3, max_blocks: int = 3) -> Instance:
    """A few applications on one network whose compute rates, memories and bandwidths often bind."""
    rng = np.random.default_rng(seed)
    base = random_instance(seed, max_nodes=max_nodes, max_blocks=max_blocks)
    dnns = tuple(_dnn(rng, f"dnn{h}", max_blocks) for h in range(applications))
    apps = tuple(
        Application(
            name=f"app{h}",
            dnn=dnn.name,
            source=str(rng.choice([node.name for node in base.network.nodes])),
            rate_per_s=float(10 ** rng.uniform(0, 3)),
            max_latency_s=base.applications[0].max_latency_s * float(rng.uniform(5, 50)),
            min_accuracy=float(rng.uniform(0, 0.5)),
        )
        for h, dnn in enumerate(dnns)
    )
    return Instance(
        name=f"shared-{seed}",
        accounting=base.accounting,
        latency_kind=base.latency_kind,
        network=_tight(rng, base.network, dnns, apps),
        dnns=dnns,
        applications=apps,
    )


def _dnn(rng: np.random.Generator, name: str, max_blocks: int) -> DNN:
    """A random DNN whose blocks have parameters."""
    dnn = random_instance(int(rng.integers(2**31)), max_nodes=1, max_blocks=max_blocks).dnns[0]
    blocks = tuple(
        Block(ops=block.ops, output_bits=block.output_bits, parameter_bytes=float(rng.uniform(0, 10)))
        for block in dnn.blocks
    )
    return DNN(name=name, input_bits=dnn.input_bits, blocks=blocks, exits=dnn.exits)


def _tight(rng: np.random.Generator, network: Network, dnns: tuple[DNN, ...], apps: tuple[Application, ...]) -> Network:
    """The network with about half of its capacities below, or little above, the whole demand."""
    compute = bits = memory = 0.0
    for app, dnn in zip(apps, dnns, strict=True):
        compute += app.weight * sum(block.ops for block in dnn.blocks)
        bits += app.weight * sum(dnn.transfer_bits(i) for i in range(1, len(dnn.blocks) + 1))
        memory += sum(block.parameter_bytes for block in dnn.blocks)

    def capacity(demand: float, otherwise: float) -> float:
        return demand * float(rng.uniform(0.3, 1.1)) if rng.random() < 0.5 else otherwise

    return Network(
        name="tight",
        nodes=tuple(
            Node(
                name=node.name,
                compute_ops_per_s=capacity(compute, node.compute_ops_per_s or 0.0),
                power_w=node.power_w,
                memory_bytes=capacity(memory, 2 * memory),
            )
            for node in network.nodes
        ),
        links=tuple(
            Link(
                source=link.source,
                target=link.target,
                bandwidth_bit_per_s=capacity(bits, link.bandwidth_bit_per_s),
                tx_energy_j_per_bit=link.tx_energy_j_per_bit,
                rx_energy_j_per_bit=link.rx_energy_j_per_bit,
                delay_s=link.delay_s,
            )
            for link in network.links
        ),
    )
