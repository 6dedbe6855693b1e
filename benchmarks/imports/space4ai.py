"""Instances in the JSON format of SPACE4AI-D, a tool that places components of AI applications (hamta/SPACE4AID).

A file holds a graph of components, each with alternative partitions; resources of the edge, of the cloud and functions;
what every partition takes where; network domains, response times, and a rate. Read is what a chain of blocks can say.
The components must follow each other. Partitions are blocks. Each combination of the components' alternatives is a DNN,
of which one is chosen. Samples that stop between partitions or components leave there. What is minimised is money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from finbench.benchmarks.imports.dnn_partitioning import ForeignPart
from finbench.models.fields import NonNegative, Positive, Share
from finbench.models.instance import Instance, LatencyKind, Objective
from finbench.models.io import InputError, read_document, validate

MEGA = 1e6
HOUR_S = 3600.0
FUNCTIONS_AT_ONCE = 10**6
"""Functions run as often at the same time as they are called."""

MOST_ALTERNATIVES = 64
MOST_RESOURCES = 300


def _first(value: object) -> object:
    """Return the first of a list: warm, before cold; data of the only next partition."""
    return value[0] if isinstance(value, list) and value else value


def _demand(value: object) -> object:
    """Return the demand in a table of a performance model, or a number, or that of a warm function."""
    return _first(value.get("demand", value.get("demandWarm")) if isinstance(value, dict) else value)


Demand = Annotated[NonNegative, BeforeValidator(_demand)]


class PartitionEntry(ForeignPart):
    """A partition of a component."""

    memory: NonNegative
    """[MB]"""
    next: str | tuple[str, ...] = ""
    stop: Share = Field(default=0.0, validation_alias=AliasChoices("early_exit_probability", "stop_probability"))
    """Share of those that come here and go no further."""
    data_size: Annotated[NonNegative, BeforeValidator(_first)] = 0.0
    """[MB]"""


class ResourceEntry(ForeignPart):
    """A resource."""

    number: Annotated[int, Field(ge=1, le=10**6)] = 1
    cost: NonNegative
    """Price of an hour."""
    memory: NonNegative
    """[MB]"""


class DomainEntry(ForeignPart):
    """A network domain: the resources of its layers reach each other."""

    layers: tuple[str, ...] = Field(alias="computationallayers")
    delay: NonNegative = Field(alias="AccessDelay")
    bandwidth: Positive = Field(alias="Bandwidth")
    """Megabits per unit of time."""


class NextEntry(ForeignPart):
    """What follows a component."""

    next: tuple[str, ...] = ()
    probability: tuple[Share, ...] = Field(alias="transition_probability", default=())


class LocalEntry(ForeignPart):
    """The response time of a component."""

    time: NonNegative = Field(alias="local_res_time")


class GlobalEntry(ForeignPart):
    """The response time of several components."""

    components: tuple[str, ...]
    time: NonNegative = Field(alias="global_res_time")


Layers = dict[str, dict[str, ResourceEntry]]
PerPartition = dict[str, dict[str, dict[str, Demand]]]


def _layers(value: object) -> object:
    """Return the layers of a table of resources, which may hold the cost of a transition among them or in them."""
    if not isinstance(value, dict):
        return value
    return {name: _layers(each) for name, each in value.items() if name != "transition_cost"}


class Space4aiFile(ForeignPart):
    """What a file of the format says."""

    components: dict[str, dict[str, dict[str, PartitionEntry]]] = Field(alias="Components", min_length=1)
    edge: Annotated[Layers, BeforeValidator(_layers)] = Field(alias="EdgeResources", default_factory=dict)
    cloud: Annotated[Layers, BeforeValidator(_layers)] = Field(alias="CloudResources", default_factory=dict)
    functions: Annotated[Layers, BeforeValidator(_layers)] = Field(alias="FaaSResources", default_factory=dict)
    compatible: dict[str, dict[str, tuple[str, ...]]] = Field(alias="CompatibilityMatrix")
    demand: PerPartition = Field(validation_alias=AliasChoices("DemandMatrix", "Performance"))
    rate: Positive = Field(alias="Lambda")
    """Samples per unit of time."""
    local: dict[str, LocalEntry] = Field(alias="LocalConstraints", default_factory=dict)
    whole: dict[str, GlobalEntry] = Field(alias="GlobalConstraints", default_factory=dict)
    domains: dict[str, DomainEntry] = Field(alias="NetworkTechnology", default_factory=dict)
    graph: dict[str, NextEntry] = Field(alias="DirectedAcyclicGraph", default_factory=dict)


@dataclass(frozen=True)
class _Step:
    """A partition as a block: where it stands, and the share of those that reach it and go no further."""

    component: str
    partition: str
    entry: PartitionEntry
    stop: float


def read_space4ai(path: Path, *, second: float = 1.0, max_latency_s: float | None = None) -> Instance:
    """Read a file of the format as an instance.

    Parameters
    ----------
    path : Path
    second : float
        Seconds that one unit of the file's times is.
    max_latency_s : float, optional
        Target for the whole chain; left out: the file's, which must then hold for all components together.

    Raises
    ------
    InputError
        If it cannot be read or breaks a rule of the format, or says what a chain of blocks cannot.
    """
    said = validate(read_document(path), Space4aiFile, path)
    order = _chain(said, path)
    target = _target(said, path) * second if max_latency_s is None else max_latency_s
    choices = [list(said.components[name]) for name in order]
    if not all(choices):
        raise InputError(
            path, f"component '{order[[not each for each in choices].index(True)][:60]}': has no partition"
        )
    if prod(map(len, choices)) > MOST_ALTERNATIVES:
        rule = f"must have at most {MOST_ALTERNATIVES} combinations"
        raise InputError(path, f"Components: {prod(map(len, choices))} combinations of partitions: {rule}")
    resources = {name: entry for _, name, entry in _resources(said)}
    dnns = [_dnn(said, path, _steps(said, path, order, chosen), chosen, second) for chosen in product(*choices)]
    first = dnns[0]["measured"]
    source = next(name for name in resources if "1" in first.get(name, {}))
    names = [dnn["name"] for dnn in dnns]
    document = {
        "name": path.stem[:100] or "space4ai",
        "network": _network(said, path, second),
        "dnns": dnns,
        "applications": [
            {
                "name": "samples",
                **({"dnn": names[0]} if len(names) == 1 else {"dnns": names}),
                "source": source,
                "rate_per_s": said.rate / second,
                "max_latency_s": target,
                "min_accuracy": 1.0,
            }
        ],
        "objective": Objective.MONEY,
        "latency_kind": LatencyKind.EXPECTED,
    }
    return validate(document, Instance, path)


def _chain(said: Space4aiFile, path: Path) -> list[str]:
    """Return the components in their order; raise InputError where they are no chain."""
    followers = {name: said.graph.get(name, NextEntry()).next for name in said.components}
    for name, entry in said.graph.items():
        for each in (name, *entry.next):
            if each not in said.components:
                raise InputError(path, f"DirectedAcyclicGraph: {each[:60]!r}: must be a component")
        if len(entry.next) > 1:
            raise InputError(path, f"component '{name[:60]}': next: {len(entry.next)} components: a chain has one")
    led_to = {each for nexts in followers.values() for each in nexts}
    heads = [name for name in followers if name not in led_to]
    order = heads[:1]
    while order and followers[order[-1]] and len(order) <= len(followers):
        order.append(followers[order[-1]][0])
    if len(heads) != 1 or sorted(order) != sorted(followers):
        raise InputError(path, "DirectedAcyclicGraph: the components must follow each other in one chain")
    return order


def _target(said: Space4aiFile, path: Path) -> float:
    """Return the response time asked of all components together, in the file's unit."""
    asked = [({name}, entry.time) for name, entry in said.local.items()]
    asked += [(set(entry.components), entry.time) for entry in said.whole.values()]
    for components, time in asked:
        if components != set(said.components):
            names = ", ".join(sorted(components))[:60]
            rule = "a target is for all components together; give it with --max-latency"
            raise InputError(path, f"response time {time:g} of {names}: {rule}")
    if not asked:
        raise InputError(path, "GlobalConstraints: none is there; give a target with --max-latency")
    return min(time for _, time in asked)


def _steps(said: Space4aiFile, path: Path, order: Sequence[str], chosen: Sequence[str]) -> list[_Step]:
    """Return the blocks of one combination of partitions."""
    steps = []
    for component, choice in zip(order, chosen, strict=True):
        partitions = list(said.components[component][choice].items())
        if not partitions:
            raise InputError(path, f"component '{component[:60]}': {choice[:60]}: has no partition")
        for k, (name, entry) in enumerate(partitions):
            follower = entry.next if isinstance(entry.next, str) else "".join(entry.next[:1])
            last = k + 1 == len(partitions)
            if not last and follower != partitions[k + 1][0]:
                rule = f"must be {partitions[k + 1][0]!r}, the partition that stands after it"
                raise InputError(path, f"component '{component[:60]}': {name[:60]}: next = {follower[:60]!r}: {rule}")
            probability = said.graph.get(component, NextEntry()).probability if last else ()
            steps.append(_Step(component, name, entry, 1 - (1 - entry.stop) * (probability[0] if probability else 1.0)))
    return steps


def _dnn(
    said: Space4aiFile, path: Path, steps: Sequence[_Step], chosen: Sequence[str], second: float
) -> dict[str, Any]:
    """Return one combination of partitions as a DNN."""
    exits, reach = [], 1.0
    for i, step in enumerate(steps, start=1):
        if step.stop > 0 and i < len(steps):
            exits.append({"after_block": i, "exit_fraction": reach * step.stop, "accuracy": 0.0})
            reach *= 1 - step.stop
    exits.append({"after_block": len(steps), "exit_fraction": reach, "accuracy": 1.0})
    return {
        "name": " ".join(chosen),
        "provenance": "\n".join(
            [
                f"{path.name}: format of github.com/hamta/SPACE4AID, partitions {', '.join(chosen)}",
                f"times: 1 unit of the file is {second:g} s; of functions the warm time",
                "accuracy: 1 for the last exit and 0 before, so that all components are deployed; the file says none",
                "prices: by the second that a partition runs; there, machines are paid for as long as they are rented",
                "waiting: not part of the latency here (it is there: M/G/1)",
            ]
        ),
        "input_bits": 0.0,
        "blocks": [
            {
                "name": f"{step.component}/{step.partition}",
                "ops": 0.0,
                "output_bits": 8 * MEGA * step.entry.data_size,
                "parameter_bytes": MEGA * step.entry.memory,
            }
            for step in steps
        ],
        "exits": exits,
        "measured": _measured(said, path, steps, second),
    }


def _measured(
    said: Space4aiFile, path: Path, steps: Sequence[_Step], second: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Return what each block takes on each resource that it is compatible with."""
    known = {name for _, name, _ in _resources(said)}
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for i, step in enumerate(steps, start=1):
        label = f"component '{step.component[:60]}': {step.partition[:60]}"
        for resource in said.compatible.get(step.component, {}).get(step.partition, ()):
            if resource not in known:
                raise InputError(path, f"CompatibilityMatrix: {label}: {resource[:60]!r}: must be a resource")
            time = said.demand.get(step.component, {}).get(step.partition, {}).get(resource)
            if time is None:
                raise InputError(path, f"DemandMatrix: {label}: {resource[:60]}: the time is missing")
            measured.setdefault(resource, {})[str(i)] = {"time_s": second * time, "energy_j": 0.0}
        if not any(str(i) in blocks for blocks in measured.values()):
            raise InputError(path, f"CompatibilityMatrix: {label}: is compatible with no resource")
    return measured


def _resources(said: Space4aiFile) -> Iterator[tuple[str, str, ResourceEntry]]:
    """Yield layer, name and facts of every resource."""
    for layers in (said.edge, said.cloud, said.functions):
        for layer, resources in layers.items():
            yield from ((layer, name, entry) for name, entry in resources.items())


def _network(said: Space4aiFile, path: Path, second: float) -> dict[str, Any]:
    resources = list(_resources(said))
    if len(resources) > MOST_RESOURCES:
        raise InputError(path, f"has {len(resources)} resources: must have at most {MOST_RESOURCES}")
    at_once = {name: FUNCTIONS_AT_ONCE for layer in said.functions.values() for name in layer}
    nodes = [
        {
            "name": name,
            "tier": layer,
            "device": name,
            "power_w": 0.0,
            "price_per_busy_s": entry.cost / HOUR_S,
            "parallel": at_once.get(name, entry.number),
            "memory_bytes": MEGA * entry.memory,
        }
        for layer, name, entry in resources
    ]
    links = [
        {
            "source": one,
            "target": other,
            "bandwidth_bit_per_s": MEGA * domain.bandwidth / second,
            "delay_s": domain.delay * second,
            "tx_energy_j_per_bit": 0.0,
            "rx_energy_j_per_bit": 0.0,
        }
        for here, one, _ in resources
        for there, other, _ in resources
        if one != other and (domain := _fastest(said.domains, here, there)) is not None
    ]
    return {"name": path.stem[:100] or "space4ai", "nodes": nodes, "links": links}


def _fastest(domains: Mapping[str, DomainEntry], here: str, there: str) -> DomainEntry | None:
    """Return the network domain that joins two layers, of several the one of most bandwidth."""
    joining = [domain for domain in domains.values() if here in domain.layers and there in domain.layers]
    return max(joining, key=lambda domain: (domain.bandwidth, -domain.delay), default=None)
