"""Small instances of every shape that a method may meet, whose optima can be found by enumeration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from finbench.benchmarks.families import generate, generate_shared
from finbench.models.dnn import MeasuredRun
from finbench.models.evaluate import evaluate
from finbench.models.exhaustive import solve
from finbench.models.instance import Accounting, Application, Instance, LatencyKind, Link, Network, Objective
from finbench.models.io import load_instance


@dataclass(frozen=True)
class Case:
    """An instance to hold a method against."""

    kind: str
    """What is particular about it."""
    instance: Instance
    quick: bool = False
    """Whether it is among the few of a quick check."""
    solvable: bool = True
    """Whether it is small enough for its optimum to be found by enumeration."""


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases, those with one application first."""
    return (*_of_one_application(), *_of_several_applications(), *_large())


def _of_one_application() -> Iterator[Case]:
    for name in ("tiered", "mesh", "dense", "correlated"):
        for seed in (1, 2):
            instance = generate(name, nodes=4, blocks=4, exits=3, seed=seed, tightness=0.3 * seed)
            yield Case(name, instance, quick=seed == 1 and name in ("tiered", "mesh"))
    yield Case("published", load_instance("blenet-mnist"))
    base = generate("mesh", nodes=3, blocks=3, exits=2, seed=5)
    for accounting in Accounting:
        for kind in (LatencyKind.FULL_DEPTH, LatencyKind.EXPECTED):  # a quantile needs a field of its own
            yield Case("definitions", base.with_overrides(accounting=accounting, latency_kind=kind))
    yield Case("one exit", generate("tiered", nodes=3, blocks=3, exits=1, seed=3), quick=True)
    yield Case("one block", generate("dense", nodes=3, blocks=1, exits=1, seed=4))
    yield Case("one node", _on_its_source_alone(base))
    yield Case("pins", _pinned(base), quick=True)
    yield Case("ties", _with_twins(base), quick=True)
    yield Case("targets exactly met", _exactly_met(base), quick=True)
    yield Case("targets exactly met", _exactly_met(generate("dense", nodes=4, blocks=3, exits=2, seed=2)))
    yield Case("infeasible latency", base.with_overrides(max_latency_s=1e-9), quick=True)
    yield Case("infeasible accuracy", base.with_overrides(min_accuracy=1.0))
    yield Case("infeasible pins", _pinned_apart(base))
    yield Case("no latency left", base.with_overrides(max_latency_s=0.0))
    yield from _of_further_fields(base)


def _of_further_fields(base: Instance) -> Iterator[Case]:
    """Yield instances with a quantile, permissions, measurements, or another objective than the energy."""
    (app,), nodes = base.applications, base.network.nodes
    others = tuple(node.name for node in nodes if node.name != app.source)
    loose = _changed(base, "loose", max_latency_s=2 * app.max_latency_s)
    yield Case("quantile", base.with_overrides(latency_quantile=0.5), quick=True)
    yield Case("allowed nodes", _changed(loose, "allowed", allowed={"2": others[:1]}), quick=True)
    yield Case("infeasible permissions", _changed(_apart(base), "allowed", allowed={"1": ("island",)}))
    yield Case("measured costs", _measured(loose), quick=True)
    yield Case("waits", _waiting(loose), quick=True)
    for k, objective in enumerate((Objective.CARBON, Objective.MONEY)):
        yield Case(f"least {objective}", _priced(base).with_overrides(objective=objective), quick=k == 0)


def _of_several_applications() -> Iterator[Case]:
    sizes: list[tuple[str, dict[str, Any]]] = [
        ("several applications", {"nodes": 3, "applications": 2, "load": 0.7}),
        ("several applications", {"nodes": 4, "applications": 2, "load": 0.95}),
        ("several applications, penalties", {"nodes": 4, "applications": 3, "load": 1.2, "penalty": 3.0}),
        ("several applications, shares", {"nodes": 3, "applications": 2, "load": 0.5, "shares": (0.25, 0.5, 1.0)}),
        ("several applications, infeasible", {"nodes": 3, "applications": 3, "load": 1.2}),
    ]
    for k, (kind, size) in enumerate(sizes):
        yield Case(kind, generate_shared("campus", seed=1, **size), quick=k in (0, 4))
    crowded = generate_shared("campus", nodes=3, applications=2, load=0.95, seed=2)
    yield Case("several applications, parallel", _with_nodes(crowded, lambda _: {"parallel": 2}))
    yield Case("several applications, least money", _priced(crowded).with_overrides(objective=Objective.MONEY))


def _large() -> Iterator[Case]:
    """Yield instances on which a method meets a limit, if it is slow; their optima are not looked for."""
    yield Case("large", generate("mesh", nodes=60, blocks=30, exits=5, seed=1), solvable=False)
    yield Case("large, several", generate_shared("campus", nodes=20, applications=20, load=0.8, seed=1), solvable=False)


def _changed(instance: Instance, name: str, *, network: Network | None = None, **application: Any) -> Instance:
    """Return the instance with another network, or other fields of its single application."""
    (app,) = instance.applications
    changed = Application.model_validate({**app.model_dump(), **application})
    data = {field: getattr(instance, field) for field in Instance.model_fields}
    data |= {"name": f"{instance.name}-{name}", "network": network or instance.network, "applications": (changed,)}
    return Instance(**data)


def _on_its_source_alone(instance: Instance) -> Instance:
    source = instance.network.node_by_name[instance.applications[0].source]
    slow = _changed(instance, "alone", max_latency_s=1e3, pinned={})
    return _changed(slow, "node", network=Network(name="alone", nodes=(source,)))


def _pinned(instance: Instance) -> Instance:
    """Return the instance with its first block at the source and the next one elsewhere, in time all the same."""
    nodes, source = instance.network.nodes, instance.applications[0].source
    other = next(node.name for node in nodes if node.name != source)
    return _changed(instance, "pins", pinned={"1": source, "2": other}, max_latency_s=1.0)


def _pinned_apart(instance: Instance) -> Instance:
    """Return the instance pinned to a node that no link leads to."""
    return _changed(_apart(instance), "pins", pinned={"1": "island"})


def _apart(instance: Instance) -> Instance:
    """Return the instance with one more node, to which no link leads."""
    network = instance.network
    island = network.nodes[-1].model_copy(update={"name": "island"})
    apart = Network(name="apart", nodes=(*network.nodes, island), links=network.links)
    return _changed(instance, "island", network=apart)


def _with_nodes(instance: Instance, change: Callable[[int], dict[str, Any]]) -> Instance:
    """Return the instance whose nodes, by their number, have other fields."""
    network = instance.network
    nodes = tuple(node.model_copy(update=change(k)) for k, node in enumerate(network.nodes))
    data = {field: getattr(instance, field) for field in Instance.model_fields}
    return Instance(**{**data, "network": Network(name=network.name, nodes=nodes, links=network.links)})


def _measured(instance: Instance) -> Instance:
    """Return the instance with every second node a device that runs the first block more slowly, for less energy."""
    (app,) = instance.applications
    dnn, first = instance.dnn_of(app), instance.network.nodes[0]
    assert first.compute_ops_per_s is not None
    time = 1.5 * dnn.blocks[0].ops / first.compute_ops_per_s
    run = MeasuredRun(time_s=time, energy_j=0.5 * first.power_w * time)
    devices = _with_nodes(instance, lambda k: {"device": "board"} if k % 2 == 0 else {})
    data = {field: getattr(devices, field) for field in Instance.model_fields}
    return Instance(**{**data, "dnns": (dnn.model_copy(update={"measured": {"board": {"1": run}}}),)})


def _waiting(instance: Instance) -> Instance:
    """Return the instance with a time before every run that grows with the speed of the node (eq. 2)."""
    order = sorted(instance.network.nodes, key=lambda node: node.compute_ops_per_s or 0.0)
    rank = {node.name: k for k, node in enumerate(order)}
    names = [node.name for node in instance.network.nodes]
    share = instance.applications[0].max_latency_s / 20
    return _with_nodes(instance, lambda k: {"wait_s": share * rank[names[k]]})


def _priced(instance: Instance) -> Instance:
    """Return the instance with nodes that emit and cost differently, so that least energy is not least of either."""
    last = len(instance.network.nodes) - 1
    return _with_nodes(
        instance,
        lambda k: {
            "carbon_g_per_j": 1.0 + 9.0 * (last - k),
            "price_per_j": 1.0 + 9.0 * k,
            "price_per_busy_s": 0.01 * k,
        },
    )


def _with_twins(instance: Instance) -> Instance:
    """Return the instance with a copy of every node but the source, linked alike: every optimum has equals."""
    network, source = instance.network, instance.applications[0].source
    twins = {node.name: f"{node.name}-twin" for node in network.nodes if node.name != source}
    nodes = [node.model_copy(update={"name": twins[node.name]}) for node in network.nodes if node.name in twins]
    links = [link for link in network.links if source in (link.source, link.target)]
    copies = [_renamed(link, twins) for link in links]
    whole = Network(name="twins", nodes=(*network.nodes, *nodes), links=(*network.links, *copies))
    return _changed(instance, "twins", network=whole)


def _renamed(link: Link, names: dict[str, str]) -> Link:
    ends = {"source": names.get(link.source, link.source), "target": names.get(link.target, link.target)}
    return link.model_copy(update=ends)


def _exactly_met(instance: Instance) -> Instance:
    """Return the instance with its targets at what an optimal deployment has, to the last digit."""
    deployment = solve(instance).deployment
    assert deployment is not None
    (costs,) = evaluate(instance, deployment).applications
    return _changed(instance, "exact", max_latency_s=costs.latency_s, min_accuracy=costs.accuracy)
