"""`published-many`: users of the three published DNNs, each kind on its own slices of edge and cloud.

The scenario of the authors' scripts for several models: n users of each DNN run it on the three tiers, each from a
device of their own, and the slice of the edge and that of the cloud which a DNN has (the shipped networks) are divided
among its users. So the edge and the cloud of a DNN make n executions at the same time, each at 1/n of the slice's rate:

    C = slice / n        K = n        K · C = slice

**Power.** The scripts count the whole node's power (140 W, 400 W) for each of the n parts, so that an operation there
takes n times the energy. `published-many-divided` divides the power too, P / n for each part: an operation then takes
the energy of the published scenario whatever n is. That one is ours.

**Sizes.** Six nodes are slices, all others devices, in turn of the three DNNs. Users are in turn of the three DNNs too,
and of the devices; with 3n users and 3n + 6 nodes each user has a device of their own.

**Load.** The scripts name no rates. Here the first blocks, which are pinned to the device, take the part `load` of each
device's time. Devices cannot run all of B-ResNet above about 0.09, so that its users must share their slices.

**Targets** are those of the shipped applications, whatever n is: there may be no deployment. With a tightness t, they
are the latency of the quickest deployment of one user (0), of the most frugal one (1), or between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import cache

import numpy as np

from finbench.benchmarks.families.family import SharedSize
from finbench.benchmarks.families.settings import settled
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path
from finbench.models.instance import Application, Instance, Network, Node
from finbench.models.io import load_instance
from finbench.models.tolerances import rounded_up

SCENARIOS = ("balexnet-cifar10", "bresnet-cifar10", "blenet-mnist")
"""Shipped instances of one user each."""

DEVICE, SERVERS = "device", ("edge", "cloud")
"""Nodes of the three tiers, as the shipped networks call them."""

SLICES = len(SERVERS) * len(SCENARIOS)
FEWEST_NODES = SLICES + len(SCENARIOS)
DIGITS = 6


def draw(rng: np.random.Generator, size: SharedSize) -> Instance:
    """Return the instance in which every part of a slice draws the whole node's power, as the scripts count it."""
    return _made(rng, size, divided=False)


def draw_divided(rng: np.random.Generator, size: SharedSize) -> Instance:
    """Return the instance in which the power of a slice is divided as its rate is."""
    return _made(rng, size, divided=True)


@cache
def _scenarios() -> tuple[Instance, ...]:
    return tuple(load_instance(name) for name in SCENARIOS)


def _made(rng: np.random.Generator, size: SharedSize, *, divided: bool) -> Instance:
    kinds = len(SCENARIOS)
    devices, users = size.nodes - SLICES, range(size.applications)
    parts = []
    for k, scenario in enumerate(_scenarios()):
        own = [_device_name(k, d) for d in range(len(range(k, devices, kinds)))]
        parts.append(_network_of_kind(scenario, own, len(users[k::kinds]), size.shares, divided=divided))
    whole = Network(
        name="published-many",
        provenance=_scenarios()[0].network.provenance,
        nodes=tuple(node for part in parts for node in part.nodes),
        links=tuple(link for part in parts for link in part.links),
    )
    network = settled(whole, size.settings, rng.spawn(1)[0]) if size.settings else whole
    applications = tuple(_applications(network, devices, size))
    dnns = tuple(scenario.dnns[0] for scenario in _scenarios())
    return Instance(name=network.name, network=network, dnns=dnns, applications=applications)


def _device_name(kind: int, number: int) -> str:
    return f"{DEVICE}-{_short(kind)}-{number + 1}"


def _short(kind: int) -> str:
    return SCENARIOS[kind].partition("-")[0]


def _network_of_kind(
    scenario: Instance, devices: Sequence[str], users: int, shares: tuple[float, ...] | None, *, divided: bool
) -> Network:
    """Return the three tiers of one DNN: its devices, and its slices divided among its users.

    With a menu of shares the edge's slice is whole, and blocks reserve parts of it.
    """
    network, short, count = scenario.network, scenario.name.partition("-")[0], max(users, 1)
    device = network.node_by_name[DEVICE]
    nodes = [device.model_copy(update={"name": name}) for name in devices]
    for tier in SERVERS:
        node = network.node_by_name[tier]
        named = node.model_copy(update={"name": f"{tier}-{short}"})
        if shares is not None and tier == SERVERS[0]:
            nodes.append(named.model_copy(update={"compute_shares": shares}))
        else:
            nodes.append(_divided(named, count, with_power=divided))
    ends = {DEVICE: list(devices), **{tier: [f"{tier}-{short}"] for tier in SERVERS}}
    links = tuple(
        link.model_copy(update={"source": source, "target": target})
        for link in network.links
        for source in ends[link.source]
        for target in ends[link.target]
    )
    return Network(name=short, nodes=tuple(nodes), links=links)


def _divided(node: Node, count: int, *, with_power: bool) -> Node:
    """Return a slice as `count` equal parts that run at the same time."""
    rate, power = (node.compute_ops_per_s or 0.0) / count, node.power_w / (count if with_power else 1)
    return node.model_copy(update={"compute_ops_per_s": rate, "power_w": power, "parallel": count})


def _applications(network: Network, devices: int, size: SharedSize) -> Iterator[Application]:
    """Yield the users, in turn of the three DNNs and of the devices of theirs."""
    kinds = len(SCENARIOS)
    targets: dict[int, tuple[float, float]] = {}
    for h in range(size.applications):
        kind, number = h % kinds, h // kinds
        owned, users = len(range(kind, devices, kinds)), len(range(kind, size.applications, kinds))
        device = number % owned
        sharing = len(range(device, users, owned))
        app = _user(network, kind, f"{_short(kind)}-{number + 1}", _device_name(kind, device), size.load / sharing)
        if kind not in targets:
            targets[kind] = _target_and_least(network, kind, app, size.tightness)
        target, least_j = targets[kind]
        penalty = None
        if size.penalty is not None:
            penalty = _rounded(size.penalty * app.weight * least_j, ROUND_CEILING)
        yield app.model_copy(update={"max_latency_s": target, "rejection_penalty_w": penalty})


def _user(network: Network, kind: int, name: str, device: str, load: float) -> Application:
    """Return a user at the published targets, whose first block takes the part `load` of the device's time."""
    scenario = _scenarios()[kind]
    rate = load * (network.node_by_name[device].compute_ops_per_s or 0.0) / scenario.dnns[0].blocks[0].ops
    changed = {"name": name, "source": device, "pinned": {"1": device}, "rate_per_s": _rounded(rate, ROUND_FLOOR)}
    return scenario.applications[0].model_copy(update=changed)


def _target_and_least(network: Network, kind: int, app: Application, tightness: float | None) -> tuple[float, float]:
    """Return the latency target of one user [s], and the least energy of an inference whatever the latency [J]."""
    scenario = _scenarios()[kind]
    problem = path_problem(Instance(name="one", network=network, dnns=scenario.dnns, applications=(app,)), app)
    assert problem is not None, "the shipped applications ask for an accuracy that an exit reaches"
    quickest, frugal = least_latency_path(problem), least_energy_path(problem)
    assert quickest is not None, "the device can run everything"
    assert frugal is not None, "the device can run everything"
    if tightness is None:
        return app.max_latency_s, frugal.energy
    target = quickest.latency + tightness * max(0.0, frugal.latency - quickest.latency)
    return rounded_up(target, DIGITS), frugal.energy


def _rounded(value: float, direction: str) -> float:
    return float(Context(prec=DIGITS, rounding=direction).create_decimal(Decimal(float(value))))
