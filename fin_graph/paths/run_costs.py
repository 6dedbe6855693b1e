"""What running the blocks of one application takes at every vertex (eq. 26), and where they can run (eqs. 26–28)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from finbench.fin_graph.paths.topology import Floats, Topology, joule_weights
from finbench.models.instance import Application, Instance, Objective
from finbench.models.tolerances import relaxed


class RunCosts(NamedTuple):
    """Costs of running block j+1 once at vertex n on the whole of its node, not weighted; shape (depth, V) each."""

    time: Floats
    """Time t [s]; 0 where the block cannot run."""
    energy: Floats
    """Energy ε [J], or what it and the time weigh in another objective (eq. 31); 0 where the block cannot run."""
    possible: NDArray[np.bool_]
    """Whether the block has costs at the vertex, fits and may run there."""


def run_costs(instance: Instance, app: Application, topology: Topology, depth: int) -> RunCosts:
    """Return the costs of the first `depth` blocks: as measured on the node's device, else o/C and P times that.

    Where a node has no rate either, a block cannot run.
    """
    numbers, of_vertex = np.unique(topology.node_of_vertex, return_inverse=True)
    dnn, nodes = instance.dnn_of(app), [instance.network.nodes[n] for n in numbers]
    ops = np.array([block.ops for block in dnn.blocks[:depth]])[:, None]
    speed = np.array([np.inf if node.compute_ops_per_s is None else node.compute_ops_per_s for node in nodes])
    power = np.array([node.power_w for node in nodes])
    time, energy, possible = ops / speed, ops * (power / speed), np.empty((depth, len(nodes)), np.bool_)
    possible[:] = np.isfinite(speed)
    for n, node in enumerate(nodes if instance.has_measurements else ()):
        for number, measured in instance.measurements(dnn, node).items():
            if number <= depth:
                at = number - 1, n
                time[at], possible[at] = measured.time_s, True
                energy[at] = measured.time_s * node.power_w if measured.energy_j is None else measured.energy_j
    for j, block in enumerate(dnn.blocks[:depth]):
        if block.working_bytes > 0:  # without, (12) says it all
            memory = [np.inf if node.memory_bytes is None else node.memory_bytes for node in nodes]
            possible[j] &= block.parameter_bytes + block.working_bytes <= relaxed(np.array(memory))
        if app.allowed:
            possible[j] &= [app.permits(j + 1, node) for node in nodes]
    if instance.objective is not Objective.ENERGY:
        weigh = joule_weights(instance)
        energy = energy * np.array([weigh[node.name] for node in nodes])
    if instance.objective is Objective.MONEY:
        energy += time * np.array([node.price_per_busy_s for node in nodes])
    if not possible.all():
        time, energy = np.where(possible, time, 0.0), np.where(possible, energy, 0.0)
    if len(of_vertex) == len(nodes):
        return RunCosts(time, energy, possible)
    return RunCosts(time[:, of_vertex], energy[:, of_vertex], possible[:, of_vertex])
