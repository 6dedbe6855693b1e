"""Instances in the JSON format of `msr-fiddle/dnn-partitioning`, of a paper on placing the operators of DNNs.

The paper: Tarnawski, Phanishayee, Devanur, Mahajan, Nina Paravecino, "Efficient Algorithms for Device Placement of DNN
Graph Operators", NeurIPS 2020. A file holds a graph of operators with their times on a CPU and on an accelerator, how
many of both there are, and what it takes to move an output between an accelerator and the memory of the CPU.

Here the operators become a chain of blocks between the places where one output alone crosses. The CPU's memory is a
node with links to every accelerator, and outputs move between accelerators by way of it, as there. The format says
nothing of energy, of a unit of time, or of a target: these are options, and what was not given is a placeholder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from finbench.benchmarks.imports.operator_graphs import in_order, single_crossings
from finbench.models.fields import NonNegative
from finbench.models.instance import Instance
from finbench.models.io import InputError, read_document, validate
from finbench.models.remarks import PLACEHOLDER
from finbench.models.tolerances import rounded_up

CPU, ACCELERATOR = "cpu", "accelerator"
"""Kinds of machines; the first is the name of the only node of its kind, too."""

NOMINAL_BIT_PER_S = 1e9
"""Bandwidth of links: the format has times of transfers alone, so that sizes follow from them."""

MOST_OPERATORS = 20_000
MOST_EDGES = 200_000
MOST_ACCELERATORS = 1_000
LONGEST_NAME = 100
DIGITS = 6


class ForeignPart(BaseModel):
    """A table of somebody else's file, of which what is declared is read, and the rest is not."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True)


class OperatorEntry(ForeignPart):
    """A node of the file: an operator or a layer."""

    id: int
    name: str = ""
    on_accelerator: bool = Field(alias="supportedOnFpga")
    cpu_time: NonNegative = Field(alias="cpuLatency")
    accelerator_time: NonNegative = Field(alias="fpgaLatency")
    backward: bool = Field(alias="isBackwardNode")
    colour: int | None = Field(alias="colorClass", default=None)
    """Nodes of one colour run on the same machine."""
    size: NonNegative
    """Memory that it takes on an accelerator [byte]."""


class EdgeEntry(ForeignPart):
    """An edge of the file: the output of one node is read by another."""

    source: int = Field(alias="sourceId")
    target: int = Field(alias="destId")
    cost: NonNegative
    """Time to move the output between an accelerator and the CPU's memory."""


class PartitioningFile(ForeignPart):
    """What a file of the format says."""

    accelerator_bytes: NonNegative = Field(alias="maxSizePerFPGA")
    accelerators: Annotated[int, Field(ge=0, le=MOST_ACCELERATORS)] = Field(alias="maxFPGAs")
    cpus: Annotated[int, Field(ge=0, le=10**6)] = Field(alias="maxCPUs")
    nodes: Annotated[tuple[OperatorEntry, ...], Field(min_length=1, max_length=MOST_OPERATORS)]
    edges: Annotated[tuple[EdgeEntry, ...], Field(max_length=MOST_EDGES)]


@dataclass(frozen=True)
class PartitioningOptions:
    """What the format leaves open."""

    second: float = 1e-3
    """Seconds that one unit of the file's times is."""
    max_latency_s: float | None = None
    """Latency target; None: a placeholder, the time of everything on the CPU."""
    cpu_power_w: float | None = None
    accelerator_power_w: float | None = None
    """Powers; None: placeholders of 1 W, so that the least energy is the least time of computing."""
    j_per_bit: float = 0.0
    """Energy of a link per bit, at the sender."""


@dataclass(frozen=True)
class _Cut:
    """A place between two blocks: how many operators lie before it, and the time to move what crosses."""

    after: int
    cost: float


def read_partitioning(path: Path, options: PartitioningOptions) -> Instance:
    """Read a file of the format as an instance.

    Raises
    ------
    InputError
        If it cannot be read or breaks a rule of the format, is a training workload, or its graph has a cycle.
    """
    said = validate(read_document(path), PartitioningFile, path)
    costs = _checked(said, path)
    by_id = {node.id: node for node in said.nodes}
    before: dict[int, list[int]] = {node.id: [] for node in said.nodes}
    for edge in said.edges:
        before[edge.target].append(edge.source)
    order = in_order(before)
    if order is None:
        raise InputError(path, "edges: form a cycle")
    cuts = _cuts(order, before, by_id, costs)
    ends = [*(cut.after for cut in cuts), len(order)]
    blocks = [[by_id[each] for each in order[a:b]] for a, b in zip([0, *ends], ends, strict=False)]
    return _instance(path, said, blocks, cuts, options)


def _checked(said: PartitioningFile, path: Path) -> dict[int, float]:
    """Return the time to move each node's output; raise InputError where nodes and edges do not fit together."""
    known: set[int] = set()
    for node in said.nodes:
        if node.id in known:
            raise InputError(path, f"node {node.id}: id: stands twice")
        if node.backward:
            raise InputError(path, f"node {node.id}: isBackwardNode: a training workload, which passes blocks twice")
        known.add(node.id)
    costs: dict[int, float] = {}
    for edge in said.edges:
        label = f"edge {edge.source}->{edge.target}"
        for end in (edge.source, edge.target):
            if end not in known:
                raise InputError(path, f"{label}: {end}: must be the id of a node")
        if costs.setdefault(edge.source, edge.cost) != edge.cost:
            rule = f"must be {costs[edge.source]:g}, as for other edges of node {edge.source}"
            raise InputError(path, f"{label}: cost = {edge.cost:g}: {rule}")
    return costs


def _cuts(
    order: Sequence[int],
    before: Mapping[int, Sequence[int]],
    by_id: Mapping[int, OperatorEntry],
    costs: Mapping[int, float],
) -> list[_Cut]:
    """Return the places where one output crosses and no colour lies on both sides."""
    places: dict[int, list[int]] = {}
    for k, each in enumerate(order):
        colour = by_id[each].colour
        if colour is not None:
            places.setdefault(colour, []).append(k)
    held = [0] * (len(order) + 1)
    for of_colour in places.values():
        held[of_colour[0] + 1] += 1
        held[of_colour[-1] + 1] -= 1
    cuts, within = [], 0
    crossings = single_crossings(order, before)
    for after in range(1, len(order)):
        within += held[after]
        if after in crossings and within == 0:
            cuts.append(_Cut(after, costs[crossings[after]]))
    return cuts


def _instance(
    path: Path,
    said: PartitioningFile,
    blocks: Sequence[Sequence[OperatorEntry]],
    cuts: Sequence[_Cut],
    options: PartitioningOptions,
) -> Instance:
    on_cpu = [options.second * fsum(each.cpu_time for each in block) for block in blocks]
    target = options.max_latency_s
    if target is None:
        target = rounded_up(fsum(on_cpu), DIGITS)
    dnn = {
        "name": _printable(path.stem) or "dnn",
        "provenance": _provenance(path, said, blocks, options),
        "input_bits": 0.0,
        "blocks": _blocks(blocks, cuts, options),
        "exits": [{"after_block": len(blocks), "exit_fraction": 1.0, "accuracy": 1.0}],
        "measured": _measured(said, blocks, on_cpu, options),
    }
    application = {"name": "sample", "dnn": dnn["name"], "source": CPU, "max_latency_s": target, "min_accuracy": 1.0}
    network = {"name": f"{said.accelerators} accelerators", **_network(said, options)}
    document = {"name": dnn["name"], "network": network, "dnns": [dnn], "applications": [application]}
    return validate(document, Instance, path)


def _blocks(
    blocks: Sequence[Sequence[OperatorEntry]], cuts: Sequence[_Cut], options: PartitioningOptions
) -> list[dict[str, Any]]:
    bits = [*(cut.cost * options.second * NOMINAL_BIT_PER_S for cut in cuts), 0.0]
    return [
        {
            "name": "".join(letter for letter in (block[-1].name or f"node {block[-1].id}") if letter.isprintable())[
                :200
            ],
            "ops": 0.0,
            "output_bits": size,
            "parameter_bytes": fsum(each.size for each in block),
        }
        for block, size in zip(blocks, bits, strict=True)
    ]


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST_NAME]


def _measured(
    said: PartitioningFile,
    blocks: Sequence[Sequence[OperatorEntry]],
    on_cpu: Sequence[float],
    options: PartitioningOptions,
) -> dict[str, dict[str, dict[str, float]]]:
    """Return what was measured; a block with an operator that no accelerator supports has nothing there."""
    measured: dict[str, dict[str, dict[str, float]]] = {}
    if said.cpus:
        measured[CPU] = {str(i): {"time_s": time} for i, time in enumerate(on_cpu, start=1)}
    fits = {
        str(i): {"time_s": options.second * fsum(each.accelerator_time for each in block)}
        for i, block in enumerate(blocks, start=1)
        if all(each.on_accelerator for each in block)
    }
    if said.accelerators and fits:
        measured[ACCELERATOR] = fits
    return measured


def _network(said: PartitioningFile, options: PartitioningOptions) -> dict[str, Any]:
    cpu_w = 1.0 if options.cpu_power_w is None else options.cpu_power_w
    accelerator_w = 1.0 if options.accelerator_power_w is None else options.accelerator_power_w
    cpu: dict[str, Any] = {"name": CPU, "power_w": cpu_w}
    if said.cpus:
        cpu |= {"device": CPU, "parallel": said.cpus}
    names = [f"{ACCELERATOR} {k}" for k in range(1, said.accelerators + 1)]
    memory = {"memory_bytes": said.accelerator_bytes}
    others = [{"name": name, "device": ACCELERATOR, "power_w": accelerator_w, **memory} for name in names]
    costs = {
        "bandwidth_bit_per_s": NOMINAL_BIT_PER_S,
        "tx_energy_j_per_bit": options.j_per_bit,
        "rx_energy_j_per_bit": 0.0,
        "both_ways": True,
    }
    return {"nodes": [cpu, *others], "links": [{"source": CPU, "target": name, **costs} for name in names]}


def _provenance(
    path: Path, said: PartitioningFile, blocks: Sequence[Sequence[OperatorEntry]], options: PartitioningOptions
) -> str:
    lines = [
        f"{path.name}: format of github.com/msr-fiddle/dnn-partitioning, {len(said.nodes)} operators",
        f"blocks: {len(blocks)}, between places where one output crosses and no colour class lies on both sides",
        f"times: 1 unit of the file is {options.second:g} s",
        f"sizes: outputs so large that a link of {NOMINAL_BIT_PER_S:g} bit/s takes the file's time",
        "accuracy: 1 for the only exit, since the file says none",
    ]
    if options.cpu_power_w is None or options.accelerator_power_w is None:
        lines.append(f"{PLACEHOLDER}powers of 1 W made up, so that least energy is least time of computing")
    if options.max_latency_s is None:
        lines.append(f"{PLACEHOLDER}the latency target is made up: the time of everything on the CPU")
    return "\n".join(lines)
