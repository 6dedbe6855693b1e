"""Targets of FIN for one application: against other programs, its rate, its growth, its largest network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from finbench.benchmarks.analysis.growth import fit_growth
from finbench.benchmarks.upkeep.ceiling import REPLICAS, TAILS, relaxations_per_second
from finbench.benchmarks.upkeep.measurement import Measurement, seconds
from finbench.benchmarks.upkeep.subjects import linked_instance, problem_of
from finbench.fin_graph import fin
from finbench.fin_graph.options import FinOptions
from finbench.fin_graph.paths.arrays import PathProblem, layer_edges
from finbench.fin_graph.paths.kernel import How, least_energy_replica_path, replica_step
from finbench.fin_graph.stages.inference import fin_three_stages
from finbench.models.io import dump_instance, load_instance, write_text
from finbench.models.tolerances import equal_energy

ALONG: How = "cumulative"
EDGE_BY_EDGE: How = "up"


def published() -> Iterator[Measurement]:
    """Measure FIN on a published instance."""
    instance = load_instance("balexnet-cifar10")
    time = seconds(lambda: fin.solve(instance, FinOptions(gamma=100, engine="arrays")), 200)
    yield Measurement(
        "FIN on a published instance, once imported", "balexnet-cifar10, γ=100", time * 1e3, "ms", at_most=1
    )


def backends() -> Iterator[Measurement]:
    """Measure arrays against the three NetworkX stages and against SciPy's Dijkstra on the same expanded graph."""
    for nodes, blocks in ((10, 10), (20, 10), (40, 10)):
        instance = linked_instance("dense", nodes, blocks)
        problem, app = problem_of(instance), instance.applications[0]
        subject = f"dense, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        arrays = seconds(partial(least_energy_replica_path, problem, 100), 9)
        start = perf_counter()
        stages = fin_three_stages(instance, app, 100)
        networkx = perf_counter() - start
        expanded, source, ends = expanded_graph(problem, 100)
        dijkstra = partial(_least_energies, expanded, source)
        scipy_time = seconds(dijkstra, 3)
        scipy_energy = float(dijkstra()[ends].min())
        energy = least_energy_replica_path(problem, 100).energy
        same = equal_energy(energy, scipy_energy) and equal_energy(energy, stages.energy_j or inf)
        note = "same energy" if same else f"ENERGIES DIFFER: {energy}, {stages.energy_j}, {scipy_energy}"
        yield Measurement(
            "FIN arrays against NetworkX stages", subject, networkx / arrays, "×", at_least=200, note=note
        )
        yield Measurement(
            "FIN arrays against scipy dijkstra", subject, scipy_time / arrays, "×", at_least=10, note=note
        )


def _least_energies(graph: sparse.csr_array, source: int) -> NDArray[np.float64]:
    """Return SciPy's least energies from the source to every replica."""
    energies: NDArray[np.float64] = sparse.csgraph.dijkstra(graph, indices=[source])[0]
    return energies


def expanded_graph(problem: PathProblem, gamma: int) -> tuple[sparse.csr_array, int, NDArray[np.intp]]:
    """Return FIN's feasible graph (all replicas) as a SciPy matrix of energies, its source and its end vertices."""
    count, depth, edges = len(problem.node_names), problem.depth, problem.edges
    target = edges.link_target
    tails, heads, costs = [], [], []

    def add(tail_layer: int, head_layer: int, tail: int, head: int, energy: float, latency: float) -> None:
        step = replica_step(latency, gamma, problem.max_latency_s, True)
        if step > gamma:
            return
        k = np.arange(gamma + 1 - step)
        tails.append((tail_layer * count + tail) * (gamma + 1) + k)
        heads.append((head_layer * count + head) * (gamma + 1) + k + step)
        costs.append(np.full(len(k), energy))

    for j in range(depth):
        layer = layer_edges(edges, j)
        for n in range(count):
            if layer.pin < 0 or layer.pin == n:
                add(j, j + 1, n, n, layer.run_energy[n], layer.run_latency[n])
        for a, n in enumerate(edges.link_source):
            m, energy, latency = target[a], layer.send_energy[a], layer.send_latency[a]
            add(j, j, n, m, energy, latency)
            if layer.pin < 0 or layer.pin == m:
                add(j, j + 1, n, m, energy + layer.run_energy[m], latency + layer.run_latency[m])
    size = (depth + 1) * count * (gamma + 1)
    entries = (np.concatenate(costs), (np.concatenate(tails), np.concatenate(heads)))
    source = problem.source * (gamma + 1)
    return sparse.csr_array(entries, shape=(size, size)), source, np.arange(depth * count * (gamma + 1), size)


def rates() -> Iterator[Measurement]:
    """Measure relaxations per second and core on completely linked and on sparse networks, and the machine's own."""
    dense, ceiling = [], relaxations_per_second()
    subject = f"min(a, b + c), {TAILS} rows of {REPLICAS} numbers at a time into one"
    yield Measurement("this machine's relaxations per second", subject, ceiling / 1e9, "10⁹/s")
    for nodes, blocks in ((20, 10), (50, 10), (100, 20), (200, 20)):
        problem = problem_of(linked_instance("dense", nodes, blocks))
        rate = _relaxation_rate(problem)
        dense.append(rate)
        subject = f"dense, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        yield Measurement(
            "relaxations per second and core",
            subject,
            rate / 1e9,
            "10⁹/s",
            0.8,
            note=f"{100 * (rate / ceiling):.0f} % of the machine's",
        )
    for family, nodes, blocks in (("tiered", 1000, 20), ("mesh", 1000, 20), ("tiered", 10_000, 20)):
        problem = problem_of(linked_instance(family, nodes, blocks))
        times = median(dense) / _relaxation_rate(problem)
        subject = f"{family}, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        yield Measurement("dense rate over sparse rate", subject, times, "×", at_most=3)


def roundings() -> Iterator[Measurement]:
    """Measure rounding along the path against rounding edge by edge."""
    for family, nodes, blocks in (("dense", 50, 10), ("correlated", 50, 10), ("tiered", 1000, 20), ("mesh", 1000, 20)):
        problem = problem_of(linked_instance(family, nodes, blocks))
        along, edge_by_edge = (
            seconds(partial(least_energy_replica_path, problem, 100, how=how), 9) for how in (ALONG, EDGE_BY_EDGE)
        )
        subject = f"{family}, {nodes} nodes, {blocks} blocks, {problem.arcs} layered arcs, γ=100"
        yield Measurement("rounding along the path over edge by edge", subject, along / edge_by_edge, "×", at_most=2.5)


def _relaxation_rate(problem: PathProblem) -> float:
    relaxations = least_energy_replica_path(problem, 100).relaxations
    return relaxations / seconds(partial(least_energy_replica_path, problem, 100), 5)


_LARGE = """
import json, sys
from time import perf_counter
from finbench.benchmarks.execution.memory import peak_bytes
from finbench.models.io import load_instance
instance = load_instance(sys.argv[1])
start = perf_counter()
from finbench.fin_graph import fin, options
result = fin.solve(instance, options.FinOptions(gamma=200, engine="arrays"))
elapsed = perf_counter() - start
print(json.dumps([elapsed, peak_bytes() / 2**30, str(result.status)]))
"""


def large() -> Iterator[Measurement]:
    """Measure FIN's first answer in a fresh process on the largest network."""
    instance = linked_instance("tiered", 10_000, 50)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "large.json"
        write_text(file, dump_instance(instance))
        output = subprocess.run(
            [sys.executable, "-c", _LARGE, str(file)], capture_output=True, text=True, check=True
        ).stdout
    time, peak, status = json.loads(output)
    subject = f"tiered, 10000 nodes, {len(instance.network.links)} links, 50 blocks, γ=200, fresh process"
    note = f"{status}; import and first answer, reading the file not counted"
    yield Measurement("FIN's first answer at 10,000 nodes", subject, time, "s", at_most=10, note=note)
    yield Measurement("peak memory of it, whole process", subject, peak, "GiB", at_most=2, note=note)


def growth() -> Iterator[Measurement]:
    """Measure the exponent of FIN's time in arcs × γ, over sizes and γ at once."""
    sizes, times = [], []
    for nodes in (20, 40, 80, 160):
        problem = problem_of(linked_instance("dense", nodes, 20))
        for gamma in (100, 200, 400):
            sizes.append(float(problem.arcs * gamma))
            times.append(seconds(partial(least_energy_replica_path, problem, gamma), 3))
    fit = fit_growth(sizes, times)
    assert fit is not None
    note = f"95 % interval {fit.low:.3f} to {fit.high:.3f}, {fit.runs} runs"
    yield Measurement(
        "FIN's growth exponent in arcs × γ", "dense, 20 to 160 nodes, 20 blocks", fit.exponent, "", 0.9, 1.1, note
    )
