"""Random instances that use what version 2 of the file format added, alone and in combination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finbench.models.instance import DNN, Device, Instance, MeasuredRun, Node
from tests.random_instances import random_instance, random_shared_instance

DEVICES = ("board", "card")
"""Kinds of machines in the instances drawn here."""


def extended_instance(
    seed: int, *, only: str | None = None, direct_only: bool = False, alternatives: bool = False
) -> Instance:
    """One application on a small network, with each of `FIELDS` half of the time, or `only` one ("" for none)."""
    plain = random_instance(seed, max_nodes=4, max_blocks=4, direct_only=direct_only)
    return extended(plain, np.random.default_rng([seed, 1]), only, alternatives)


def extended_shared_instance(
    seed: int, *, only: str | None = None, direct_only: bool = False, alternatives: bool = False
) -> Instance:
    """Two or three applications that share a small system, some with service levels and penalties."""
    levels = not direct_only and seed % 2 == 1
    plain = random_shared_instance(seed, levels=levels, penalties=seed % 4 > 1, direct_only=direct_only)
    return extended(plain, np.random.default_rng([seed, 2]), only, alternatives)


def extended(
    instance: Instance, rng: np.random.Generator, only: str | None = None, alternatives: bool = False
) -> Instance:
    """The instance with each of `FIELDS` half of the time, or with `only` one of them; on request with alternatives."""
    data = instance.model_dump()
    if alternatives:
        _alternatives(rng, data)
    for name, change in FIELDS.items():
        if rng.random() < 0.5 if only is None else name == only:
            change(rng, data)
    return Instance.model_validate(data)


def copied_alternatives(instance: Instance) -> Instance:
    """The instance in which every application may run copies of its DNN instead."""
    data = instance.model_dump()
    names = {dnn["name"]: [f"{dnn['name']}-copy", dnn["name"], f"{dnn['name']}-same"] for dnn in data["dnns"]}
    data["dnns"] = [{**dnn, "name": name} for dnn in data["dnns"] for name in names[dnn["name"]]]
    for device in data.get("devices", ()):
        device["measured"] = {name: runs for dnn, runs in device["measured"].items() for name in names[dnn]}
    for app in data["applications"]:
        app["dnns"] = names[app.pop("dnn")]
    return Instance.model_validate(data)


def _alternatives(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Most DNNs have one or two alternatives, some of them a block longer or shorter than the pins ask for."""
    pinned: dict[str, int] = {}
    for app in data["applications"]:
        pinned[app["dnn"]] = max([pinned.get(app["dnn"], 1), *map(int, app["pinned"])])
    names: dict[str, list[str]] = {}
    for dnn in list(data["dnns"]):
        others = [_varied(rng, dnn, number, pinned[dnn["name"]]) for number in range(int(rng.integers(3)))]
        data["dnns"] = [*data["dnns"], *others]
        names[dnn["name"]] = [one["name"] for one in rng.permutation(np.array([dnn, *others], dtype=object))]
    for app in data["applications"]:
        app["dnns"] = names[app.pop("dnn")]


def _varied(rng: np.random.Generator, dnn: dict[str, Any], number: int, least_blocks: int) -> dict[str, Any]:
    """A DNN for the same task: other sizes and accuracies, and as many blocks, one more, or down to `least_blocks`."""
    blocks = [
        {field: value * float(10 ** rng.uniform(-0.6, 0.6)) for field, value in block.items() if field != "name"}
        for block in dnn["blocks"]
    ]
    depth = int(rng.integers(least_blocks, len(blocks) + 2))
    blocks = [*blocks, blocks[-1]][:depth]
    exits = [exit_ for exit_ in dnn["exits"] if exit_["after_block"] < depth]
    rest = 1.0 - sum(exit_["exit_fraction"] for exit_ in exits)
    exits.append({**dnn["exits"][-1], "after_block": depth, "exit_fraction": min(1.0, max(0.0, rest))})
    exits = [{**exit_, "accuracy": min(1.0, exit_["accuracy"] * float(rng.uniform(0.8, 1.2)))} for exit_ in exits]
    return {**dnn, "name": f"{dnn['name']}-{number}", "blocks": blocks, "exits": exits}


def _measured(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Most nodes have a device on which most blocks were measured, in the DNN or in a list of devices."""
    nodes = [Node.model_validate(node) for node in data["network"]["nodes"]]
    for node in data["network"]["nodes"]:
        if rng.random() < 0.7:
            node["device"] = str(rng.choice(DEVICES))
    listed: dict[str, dict[str, Any]] = {}
    for dnn in data["dnns"]:
        for device in DEVICES:
            table = _measurements(rng, DNN.model_validate({**dnn, "measured": {}}), nodes)
            if rng.random() < 0.5:
                dnn.setdefault("measured", {})[device] = table
            else:
                listed.setdefault(device, {})[dnn["name"]] = table
    data["devices"] = [Device.model_validate({"name": name, "measured": m}).model_dump() for name, m in listed.items()]


def _measurements(rng: np.random.Generator, dnn: DNN, nodes: list[Node]) -> dict[str, Any]:
    """Times around those by rate, and in half of the cases energies around those by power."""
    table: dict[str, Any] = {}
    for i, block in enumerate(dnn.blocks, start=1):
        like = nodes[int(rng.integers(len(nodes)))]
        time = block.ops / (like.compute_ops_per_s or 1e9) * float(10 ** rng.uniform(-0.7, 0.7))
        energy = like.power_w * time * float(10 ** rng.uniform(-1, 1)) if rng.random() < 0.5 else None
        if rng.random() < 0.8:
            table[str(i)] = MeasuredRun(time_s=time, energy_j=energy).model_dump()
    return table


def _transit(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Some nodes have no rate: what was not measured does not run there."""
    for node in data["network"]["nodes"]:
        if rng.random() < 0.35:
            node["compute_ops_per_s"] = None


def _parallel(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Most nodes run several blocks at the same time, half of them so much slower."""
    for node in data["network"]["nodes"]:
        node["parallel"] = int(rng.integers(1, 5))
        if node["compute_ops_per_s"] is not None and rng.random() < 0.5:
            node["compute_ops_per_s"] /= node["parallel"]


def _working(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Blocks need working memory, and most nodes have little, though enough for all parameters."""
    blocks = [block for dnn in data["dnns"] for block in dnn["blocks"]]
    for block in blocks:
        block["working_bytes"] = float(rng.uniform(0, 100)) if rng.random() < 0.9 else 0.0
    all_of_it = 3 * sum(block["parameter_bytes"] for block in blocks)
    for node in data["network"]["nodes"]:
        if rng.random() < 0.8:
            node["memory_bytes"] = all_of_it + float(rng.uniform(0, 100))


def _allowed(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Nodes have tiers; some blocks, or all, may run at some nodes or tiers alone."""
    for node in data["network"]["nodes"]:
        node["tier"] = str(rng.choice(("edge", "cloud")))
    names = [name for node in data["network"]["nodes"] for name in (node["name"], node["tier"])]
    drawn: dict[str, dict[str, Any]] = {}
    for app in data["applications"]:
        runs = app.get("dnns") or [app["dnn"]]
        blocks = min(len(dnn["blocks"]) for dnn in data["dnns"] if dnn["name"] in runs)
        keys = ["all", *(str(i) for i in range(1, blocks + 1))]
        if runs[0] not in drawn:  # who shares a DNN may be a copy, and stays one
            some = {key: sorted({str(name) for name in rng.choice(names, 3)}) for key in keys if rng.random() < 0.5}
            drawn[runs[0]] = some
        app["allowed"] = {key: [*these, *app["pinned"].values()] for key, these in drawn[runs[0]].items()}


def _quantile(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """A share of all samples meets the target; half of the time one that is just that of some exits."""
    fractions = [exit_["exit_fraction"] for exit_ in data["dnns"][0]["exits"]]
    drawn = float(rng.uniform(0.05, 1.0))
    share = float(sum(fractions[: int(rng.integers(1, len(fractions) + 1))])) if rng.random() < 0.5 else drawn
    data |= {"latency_kind": "quantile", "latency_quantile": min(1.0, share) or 1.0}
    for app in data["applications"]:
        app["max_latency_s"] *= 0.4


def _objective(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Carbon or money is minimised; some nodes emit, or cost, nothing."""
    data["objective"] = str(rng.choice(("carbon", "money")))
    for node in data["network"]["nodes"]:
        for field in ("carbon_g_per_j", "price_per_j"):
            node[field] = float(10 ** rng.uniform(-2, 2)) if rng.random() < 0.9 else 0.0
        node["price_per_busy_s"] = node["power_w"] * float(10 ** rng.uniform(-2, 2)) if rng.random() < 0.7 else 0.0


FIELDS: dict[str, Callable[[np.random.Generator, dict[str, Any]], None]] = {
    "transit": _transit,
    "measured": _measured,
    "parallel": _parallel,
    "working": _working,
    "allowed": _allowed,
    "quantile": _quantile,
    "objective": _objective,
}
"""What is added to an instance's data, by name."""
