"""Shortest paths for one combined cost, energy_weight·energy + latency_weight·latency, on the layered graph.

One backward sweep gives the least cost to go of every vertex (j, n), and the first edge of a cheapest path from there.
The costs are the reverse bounds of label setting. The paths are the end points of the Lagrangian dual and solve its
inner problem. Instance families take their targets from them as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from finbench.fin_graph.paths.arrays import Edges, Floats, Ints, PathProblem, layer_edges
from finbench.fin_graph.paths.compiled import compiled

RUN_HERE = -1
"""Marks in `CostsToGo.next_link` that the next block runs where the data lies."""


class CostsToGo(NamedTuple):
    """Least cost from every vertex to the end, and the first edge of a cheapest path."""

    cost: Floats
    """Shape (depth + 1, N); inf where the end cannot be reached."""
    next_link: Ints
    """Link to relay over, or `RUN_HERE`; shape (depth, N)."""


@dataclass(frozen=True)
class Path:
    """A path from the source to the end, with both of its costs."""

    energy: float
    """[J per inference]"""
    latency: float
    """[s]"""
    layers: tuple[int, ...]
    nodes: tuple[int, ...]


@compiled
def _combined(energy_weight: float, energy: float, latency_weight: float, latency: float) -> float:
    """Return the combined cost of an edge; inf where its energy is inf, whatever the weights."""
    return np.inf if energy == np.inf else energy_weight * energy + latency_weight * latency


@compiled
def costs_to_go(edges: Edges, energy_weight: float, latency_weight: float) -> CostsToGo:
    """Return the least combined cost from every vertex to the end, and the first edge of a path that attains it.

    Within a layer, a node whose cost fell passes it on to the nodes that can send to it, until nothing falls. Only a
    strictly smaller cost is taken, so that next links never close a cycle, even over links that cost nothing.

    Parameters
    ----------
    edges : Edges
    energy_weight, latency_weight : float
        Non-negative weights of the two costs [1/J, 1/s, or whatever unit the caller wants].

    Returns
    -------
    CostsToGo
    """
    depth, count = edges.run_energy.shape
    cost = np.zeros((depth + 1, count))
    next_link = np.full((depth, count), RUN_HERE, np.int32)
    for j in range(depth - 1, -1, -1):
        layer = layer_edges(edges, j)
        here = cost[j]
        for n in range(count):
            if layer.pin in (-1, n):
                here[n] = cost[j + 1, n] + _combined(
                    energy_weight, layer.run_energy[n], latency_weight, layer.run_latency[n]
                )
            else:
                here[n] = np.inf
        send = np.empty_like(layer.send_energy)
        for a in range(send.shape[0]):
            send[a] = _combined(energy_weight, layer.send_energy[a], latency_weight, layer.send_latency[a])
        fresh = here < np.inf
        while fresh.any():
            fallen = np.zeros(count, np.bool_)
            for m in range(count):
                if not fresh[m]:
                    continue
                for a in range(layer.in_start[m], layer.in_start[m + 1]):
                    n = layer.link_source[a]
                    through = send[a] + here[m]
                    if through < here[n]:
                        here[n] = through
                        next_link[j, n] = a
                        fallen[n] = True
            fresh = fallen
    return CostsToGo(cost, next_link)


@compiled
def energies_and_latencies_to_go(edges: Edges, next_link: Ints) -> tuple[Floats, Floats]:
    """Return energy and latency from every vertex to the end as `next_link` leads; shape (depth + 1, N) each."""
    depth, count = edges.run_energy.shape
    energy, latency = np.zeros((depth + 1, count)), np.zeros((depth + 1, count))
    for j in range(depth - 1, -1, -1):
        layer = layer_edges(edges, j)
        for start in range(count):
            n = start
            while next_link[j, n] != RUN_HERE:
                a = next_link[j, n]
                energy[j, start] += layer.send_energy[a]
                latency[j, start] += layer.send_latency[a]
                n = edges.link_target[a]
            energy[j, start] += layer.run_energy[n] + energy[j + 1, n]
            latency[j, start] += layer.run_latency[n] + latency[j + 1, n]
    return energy, latency


@compiled
def follow(edges: Edges, next_link: Ints, j: int, n: int) -> tuple[list[int], list[int]]:
    """Return layers and nodes of the path that `next_link` describes from vertex (j, n) to the end."""
    layers, nodes = [j], [n]
    while j < edges.pins.shape[0]:
        if next_link[j, n] == RUN_HERE:
            j += 1
        else:
            n = edges.link_target[next_link[j, n]]
        layers.append(j)
        nodes.append(n)
    return layers, nodes


@compiled
def latency_along(edges: Edges, next_link: Ints, n: int) -> float:
    """Return the latency [s] of the path that `next_link` describes from vertex (0, n) to the end."""
    latency = 0.0
    for j in range(edges.pins.shape[0]):
        while next_link[j, n] != RUN_HERE:
            a = next_link[j, n]
            latency += edges.latency_bits[j] * edges.link_time[a] + edges.delay_weight[j] * edges.link_delay[a]
            n = edges.link_target[a]
        latency += edges.run_latency[j, n]
    return latency


@compiled
def costs_along(edges: Edges, layers: Ints, nodes: Ints) -> tuple[float, float]:
    """Return energy and latency of a path given by its vertices (layer, node)."""
    energy, latency = 0.0, 0.0
    for k in range(1, layers.shape[0]):
        j, n, m = layers[k - 1], nodes[k - 1], nodes[k]
        if m != n:
            a = edges.in_start[m]
            while edges.link_source[a] != n:
                a += 1
            energy += edges.energy_bits[j] * edges.link_energy[a] + edges.load_bits[j] * edges.link_price[a]
            if edges.send_price.shape[0] > 0:
                energy += edges.send_price[j, a]
            latency += edges.latency_bits[j] * edges.link_time[a] + edges.delay_weight[j] * edges.link_delay[a]
        if layers[k] > j:
            energy += edges.run_energy[j, m]
            latency += edges.run_latency[j, m]
    return energy, latency


def path_costs(problem: PathProblem, layers: Sequence[int], nodes: Sequence[int]) -> tuple[float, float]:
    """Return energy [J per inference] and latency [s] of a path given by its vertices (layer, node)."""
    return costs_along(problem.edges, np.array(layers, np.int32), np.array(nodes, np.int32))


def cheapest_path(problem: PathProblem, to_go: CostsToGo) -> Path | None:
    """Return the path from the source that `to_go` promises; None where the end cannot be reached."""
    if not np.isfinite(to_go.cost[0, problem.source]):
        return None
    layers, nodes = follow(problem.edges, to_go.next_link, 0, problem.source)
    energy, latency = path_costs(problem, layers, nodes)
    return Path(energy, latency, tuple(layers), tuple(nodes))


def least_energy_path(problem: PathProblem) -> Path | None:
    """Return the least-energy path, whatever its latency; None where the end cannot be reached."""
    return cheapest_path(problem, costs_to_go(problem.edges, 1.0, 0.0))


def least_latency_path(problem: PathProblem) -> Path | None:
    """Return the least-latency path, whatever its energy; None where the end cannot be reached."""
    return cheapest_path(problem, costs_to_go(problem.edges, 0.0, 1.0))
