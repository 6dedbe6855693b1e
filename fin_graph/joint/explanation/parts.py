"""The parts of a network that can be made faster: its nodes and links.

Faster by the factor f ≥ 1 at equal energy: a node computes f C_n operations a second at the power f P_n, so that an
operation costs P_n / C_n as before; a link carries f B_nm bits a second at the same energy per bit, and its delay τ_nm
stays. So eq. (1) does not change, the terms o_i/(r_i C_n) and d/B_nm of eq. (2) shrink to 1/f, and the right-hand sides
of eqs. (11) and (13) grow by f.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.arrays import Floats, PathProblem, layer_edges
from finbench.fin_graph.paths.shortest import costs_to_go
from finbench.fin_graph.paths.topology import Topology
from finbench.models.instance import Device, Instance, Network, Node

NODE, LINK = "node", "link"


@dataclass(frozen=True)
class NetworkPart:
    """A node or a link."""

    kind: str
    """`node` or `link`."""
    subject: str
    """Name of the node, or `n->m`."""
    number: int
    """Position among the network's nodes or links."""


def parts_of(network: Network) -> tuple[NetworkPart, ...]:
    """Return all parts of a network, nodes first."""
    nodes = (NetworkPart(NODE, node.name, n) for n, node in enumerate(network.nodes))
    links = (NetworkPart(LINK, f"{link.source}->{link.target}", a) for a, link in enumerate(network.links))
    return (*nodes, *links)


def faster(instance: Instance, parts: Collection[NetworkPart], factor: float) -> Instance:
    """Return the instance with some parts faster by a factor, at equal energy per operation and per bit."""
    nodes, links, devices = list(instance.network.nodes), list(instance.network.links), list(instance.devices)
    for part in parts:
        if part.kind == NODE:
            node = nodes[part.number]
            rate = None if node.compute_ops_per_s is None else node.compute_ops_per_s * factor
            device = _faster_device(instance, node, factor)
            devices += [] if device is None else [device]
            name = node.device if device is None else device.name
            faster_node = {"compute_ops_per_s": rate, "power_w": node.power_w * factor, "device": name}
            nodes[part.number] = node.model_copy(update=faster_node)
        else:
            link = links[part.number]
            links[part.number] = link.model_copy(update={"bandwidth_bit_per_s": link.bandwidth_bit_per_s * factor})
    network = instance.network.model_copy(update={"nodes": tuple(nodes), "links": tuple(links)})
    return instance.model_copy(update={"network": network, "devices": tuple(devices)})


def _faster_device(instance: Instance, node: Node, factor: float) -> Device | None:
    """Return a device of its own for a faster node, with all that was measured on the node's; None where nothing was.

    A measured energy stays; where none was measured, the node's higher power and the shorter time leave it as it is.
    """
    measured = {
        dnn.name: {str(block): run.model_copy(update={"time_s": run.time_s / factor}) for block, run in runs.items()}
        for dnn in instance.dnns
        if (runs := instance.measurements(dnn, node))
    }
    return Device(name=f"{node.name}: {node.device}", measured=measured) if measured else None


def sped_up(problem: PathProblem, topology: Topology, parts: Collection[NetworkPart], time: float) -> PathProblem:
    """Return a path problem in which computing or sending on some parts takes `time` = 1/f as long; 0: no time at all.

    What paths ask of capacities is left as it is: this is for one application whose capacities cannot bind.
    """
    edges = problem.edges
    nodes = [part.number for part in parts if part.kind == NODE]
    links = [part.number for part in parts if part.kind == LINK]
    at = np.where(np.isin(topology.node_of_vertex, nodes), time, 1.0)
    over = np.where(np.isin(topology.link_number, links), time, 1.0)
    waits = edges.delay_weight[:, None] * topology.wait_of_vertex
    faster = edges.run_latency * at + waits * (1 - at)
    return replace(problem, edges=edges._replace(run_latency=faster, link_time=edges.link_time * over))


def energies_through(problem: PathProblem, topology: Topology) -> tuple[Floats, Floats]:
    """Return the least energy of a path, whatever its latency, that uses each node to compute, and each link.

    With F(j, n) the least energy from the sample to vertex (j, n), and G(j, n) that from there to the end, a path that
    runs block j+1 at n costs at least F(j, n) + e(j, n) + G(j+1, n), and one that sends in layer j over (n, m) at least
    F(j, n) + e(j, n, m) + G(j, m). Being faster changes no energy: where these are not below the optimum, it saves
    nothing.

    Returns
    -------
    ndarray, shape (N,)
        [J per inference]; inf where no path computes there.
    ndarray, shape (A,)
        In the network's order of links.
    """
    network, edges = topology.network, problem.edges
    target = np.repeat(np.arange(len(problem.node_names)), np.diff(edges.in_start))
    to_go = costs_to_go(edges, 1.0, 0.0).cost
    of_node, of_link = np.full(len(network.nodes), np.inf), np.full(len(network.links) + 1, np.inf)
    here = np.full(len(problem.node_names), np.inf)
    here[problem.source] = 0.0
    for j in range(problem.depth):
        layer = layer_edges(edges, j)
        _spread(here, edges.link_source, target, layer.send_energy)
        np.minimum.at(of_link, topology.link_number, here[edges.link_source] + layer.send_energy + to_go[j, target])
        here = here + layer.run_energy
        np.minimum.at(of_node, topology.node_of_vertex, here + to_go[j + 1])
    return of_node, of_link[:-1]


def _spread(here: Floats, source: NDArray[np.int32], target: NDArray[np.intp], cost: Floats) -> None:
    """Lower the cost at every vertex to the least over all ways through links (Bellman and Ford)."""
    while True:
        before = here.copy()
        np.minimum.at(here, target, before[source] + cost)
        if np.array_equal(before, here):
            return
