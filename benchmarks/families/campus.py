"""`campus`: many applications on devices that share edge clusters and one or two clouds.

Every device offers two *services*: a DNN (`service_dnns`; the published ones here), an exit whose accuracy is the
target, a tightness and a rate class. An application is a service at a random device, so that several on one device are
often identical. Block 1 stays on the device (raw samples never leave it). The latency target lies between the latencies
of the quickest and of the most frugal split (`benchmarks.families.balanced`), as far up as the tightness says.

**Load.** The rates are such that the balanced deployment of `benchmarks.families.balanced` fills the fullest node or
link (eqs. 11, 13) to `load`. Up to load 1 that deployment satisfies every constraint, so the instance is feasible; the
least-energy deployments, each chosen as if alone, crowd the most frugal server of every cluster and overload it well
before. Beyond load 1 the balanced deployment no longer fits, and hardly any other does. Equal parameters but the load
give instances that differ in their rates alone (and in the rejection penalties, which are proportional to them).

Memory does not depend on the rates: devices hold what their kind says, servers together `MEMORY_FACTOR` times the
parameters of all applications, each at least what the balanced deployment puts there. The published profiles say
nothing of parameters; those here are ours: 32-bit weights, totals of the order of such networks, growing with depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np

from finbench.benchmarks.families.balanced import Chain, Demand, Floats, NetworkArrays, Splits, balance, chain, totals
from finbench.benchmarks.families.campus_network import draw_network
from finbench.benchmarks.families.family import SharedSize
from finbench.benchmarks.families.service_dnns import DNNS
from finbench.benchmarks.families.settings import settled
from finbench.benchmarks.families.tiered import EDGE
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import DNN, Application, Instance, Network

SERVICES_OF_A_DEVICE = 2
TIGHTNESSES = (0.2, 0.5, 0.8)
RATE_CLASSES = (1.0, 2.0, 4.0)
BOUND_FILL = (0.05, 0.3)
"""Range of a device's utilisation by what its applications cannot shed, before all rates are scaled to the load."""

MEMORY_FACTOR = 3.0
DIGITS = 6


@dataclass(frozen=True)
class _Service:
    """What a device runs for a user."""

    dnn: DNN
    part: Chain
    """Up to the exit that its accuracy asks for."""
    tightness: float
    rate_class: float


def draw(rng: np.random.Generator, size: SharedSize) -> Instance:
    """Draw an instance."""
    return draw_with_balance(rng, size)[0]


def draw_with_balance(rng: np.random.Generator, size: SharedSize) -> tuple[Instance, Deployment]:
    """Draw an instance and the balanced deployment that its load is measured with (all shares 1)."""
    return fill(rng, draw_network(rng, size.nodes), size)


def fill(
    rng: np.random.Generator, network: Network, size: SharedSize, tightnesses: tuple[float, ...] = TIGHTNESSES
) -> tuple[Instance, Deployment]:
    """Draw the applications of a network, and fill it to the load.

    Parameters
    ----------
    rng : Generator
    network : Network
        Devices first, which alone have a memory limit; servers are of the tier `edge`, and all nodes compute.
    size : SharedSize
    tightnesses : tuple of float
        Where latency targets lie, from the quickest split (0) to the most frugal one (1) and beyond: drawn from these
        where `size` says no tightness.

    Returns
    -------
    Instance
    Deployment
        The balanced one that the load is measured with (all shares 1).
    """
    network = settled(network, size.settings, rng.spawn(1)[0]) if size.settings else network
    dnns = DNNS[size.dnns]()
    devices, services = _users(rng, network, size, dnns, tightnesses)
    arrays = NetworkArrays(_with_server_memory(network, services))
    splits = _splits(arrays, devices, services)
    targets = [_target(s, service.tightness) for s, service in zip(splits, services, strict=True)]
    rates = _rates(rng, arrays, splits, targets, services)
    demands = [Demand.of(*each) for each in zip(splits, targets, rates, strict=True)]
    chosen = balance(arrays, demands)
    paced, fixed = totals(arrays, demands, chosen)
    rates = np.array([_rounded(rate, ROUND_FLOOR) for rate in rates * (size.load / (paced / arrays.capacities).max())])
    applications = tuple(
        _application(h, network, devices[h], services[h], targets[h], rates[h], splits[h], size.penalty)
        for h in range(size.applications)
    )
    decisions = [
        _decisions(arrays, app, demand, k) for app, demand, k in zip(applications, demands, chosen, strict=True)
    ]
    instance = Instance(
        name=network.name,
        network=_equipped(arrays, fixed + _most_working_bytes(dnns), size.shares),
        dnns=dnns,
        applications=applications,
    )
    return instance, Deployment(deployments=tuple(decisions))


def _users(
    rng: np.random.Generator, network: Network, size: SharedSize, dnns: tuple[DNN, ...], tightnesses: tuple[float, ...]
) -> tuple[list[int], list[_Service]]:
    """Draw the device and the service of every application."""
    n_devices = sum(node.memory_bytes is not None for node in network.nodes)
    offered = [
        [_service(rng, dnns, tightnesses, size.tightness) for _ in range(SERVICES_OF_A_DEVICE)]
        for _ in range(n_devices)
    ]
    devices = [int(device) for device in rng.integers(0, n_devices, size.applications)]
    wanted = rng.integers(0, SERVICES_OF_A_DEVICE, size.applications)
    return devices, [offered[device][which] for device, which in zip(devices, wanted, strict=True)]


def _service(
    rng: np.random.Generator, dnns: tuple[DNN, ...], tightnesses: tuple[float, ...], tightness: float | None
) -> _Service:
    """Draw a service whose accuracy needs more than the first exit where there are several.

    A tightness that was asked for takes nothing from the stream: instances that differ in it alone are alike.
    """
    dnn = dnns[int(rng.integers(0, len(dnns)))]
    last_exit = int(rng.integers(min(2, len(dnn.exits)), len(dnn.exits) + 1))
    drawn, rate_class = float(rng.choice(tightnesses)), float(rng.choice(RATE_CLASSES))
    return _Service(dnn, chain(dnn, last_exit), drawn if tightness is None else tightness, rate_class)


def _most_working_bytes(dnns: tuple[DNN, ...]) -> float:
    """Return what a node must hold beside parameters to run any block (eq. 27); published DNNs say nothing of it."""
    return max(block.working_bytes for dnn in dnns for block in dnn.blocks)


def _splits(arrays: NetworkArrays, devices: list[int], services: list[_Service]) -> list[Splits]:
    """Return the splits of every application; those of equal DNN, exit and device are computed once."""
    known: dict[tuple[int, str, int], Splits] = {}
    found = []
    for device, service in zip(devices, services, strict=True):
        key = (device, service.dnn.name, service.part.last_exit)
        if key not in known:
            known[key] = arrays.splits(service.part, device)
        found.append(known[key])
    return found


def _target(splits: Splits, tightness: float) -> float:
    quickest, frugal = splits.latency_s.min(), splits.latency_s[splits.energy_j.argmin()]
    return _rounded(quickest + tightness * (frugal - quickest), ROUND_CEILING)


def _rates(
    rng: np.random.Generator,
    arrays: NetworkArrays,
    splits: list[Splits],
    targets: list[float],
    services: list[_Service],
) -> Floats:
    """Draw the rates. On every device they are in the ratio of their classes.

    What cannot leave the device in time fills it to a utilisation drawn from `BOUND_FILL`.
    """
    devices = np.array([each.source for each in splits])
    classes = np.array([service.rate_class for service in services])
    bound = [each.paced[each.quick_enough(delta), 0].min() for each, delta in zip(splits, targets, strict=True)]
    asked = np.zeros(len(arrays.speed))
    np.add.at(asked, devices, classes * bound)
    fills = rng.uniform(*BOUND_FILL, len(arrays.speed))
    rates: Floats = classes * fills[devices] * arrays.speed[devices] / asked[devices]
    return rates


def _application(
    number: int,
    network: Network,
    device: int,
    service: _Service,
    max_latency_s: float,
    rate_per_s: float,
    splits: Splits,
    penalty: float | None,
) -> Application:
    dnn, source = service.dnn, network.nodes[device].name
    least_w = rate_per_s * float(splits.energy_j.min())
    return Application(
        name=f"app{number}",
        dnn=dnn.name,
        source=source,
        rate_per_s=rate_per_s,
        max_latency_s=max_latency_s,
        min_accuracy=dnn.exits[service.part.last_exit - 1].accuracy,
        pinned={"1": source},
        rejection_penalty_w=None if penalty is None else _rounded(penalty * least_w, ROUND_CEILING),
    )


def _decisions(arrays: NetworkArrays, app: Application, demand: Demand, chosen: int) -> ApplicationDeployment:
    return arrays.deployment(app.name, demand.splits, int(demand.numbers[chosen]))


def _with_server_memory(network: Network, services: list[_Service]) -> Network:
    """Return the network whose servers together hold `MEMORY_FACTOR` times the parameters of all applications."""
    taken = sum(service.part.parameter_bytes[-1] for service in services)
    servers = sum(node.tier == EDGE.name for node in network.nodes)
    each = _rounded(MEMORY_FACTOR * taken / servers, ROUND_CEILING)
    nodes = tuple(
        node.model_copy(update={"memory_bytes": each}) if node.tier == EDGE.name else node for node in network.nodes
    )
    return network.model_copy(update={"nodes": nodes})


def _equipped(arrays: NetworkArrays, fixed: Floats, shares: tuple[float, ...] | None) -> Network:
    """Return the network with memory for the balanced deployment, and with a menu of shares on its servers."""
    n, nodes = len(arrays.speed), []
    for node, needed in zip(arrays.network.nodes, fixed[-1 - n : -1], strict=True):
        update: dict[str, object] = {}
        if node.memory_bytes is not None:
            update["memory_bytes"] = max(node.memory_bytes, float(needed))
        if shares is not None and node.tier == EDGE.name:
            update["compute_shares"] = shares
        nodes.append(node.model_copy(update=update))
    return arrays.network.model_copy(update={"nodes": tuple(nodes)})


def _rounded(value: float, direction: str) -> float:
    return float(Context(prec=DIGITS, rounding=direction).create_decimal(Decimal(float(value))))
