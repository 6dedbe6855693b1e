"""Small random instances of one application that its own capacities may stop: memory, compute and bandwidth."""

from __future__ import annotations

from typing import Any

import numpy as np

from finbench.models.instance import Instance
from tests.extended_instances import extended
from tests.random_instances import random_instance


def loaded_instance(seed: int, *, max_nodes: int = 4, max_blocks: int = 6, extras: bool = False) -> Instance:
    """One application whose least-energy path often overloads a node or link, sometimes by nothing at all.

    Parameters
    ----------
    seed : int
    max_nodes, max_blocks : int
        Upper bounds of the sizes.
    extras : bool
        Use what version 2 of the file format added as well, each half of the time, alternatives where `seed` is even.
    """
    drawn = (
        random_instance(1000 * seed + number, max_nodes=max_nodes, max_blocks=max_blocks, zeros=seed % 5 == 0)
        for number in range(1000)
    )
    plain = next(one for one in drawn if len(one.dnns[0].blocks) > 2 and len(one.network.links) > 2)
    rng = np.random.default_rng([seed, 3])
    data = plain.model_dump()
    app = data["applications"][0]
    app["max_latency_s"] *= float(10 ** rng.uniform(0, 2))
    app["min_accuracy"] *= float(rng.uniform(0.3, 1))
    if rng.random() < 0.8:
        _remember(rng, data)
    if rng.random() < 0.6:
        _rate(rng, plain, data)
        if rng.random() < 0.4:
            _there_and_back(rng, plain, data)
    loaded = Instance.model_validate(data)
    return extended(loaded, rng, alternatives=seed % 2 == 0) if extras else loaded


def uncapacitated(instance: Instance) -> Instance:
    """The same instance with no limit that a load could reach: no memories, and no rate."""
    data = instance.model_dump()
    for node in data["network"]["nodes"]:
        node["memory_bytes"] = None
    data["applications"][0]["rate_per_s"] = None
    return Instance.model_validate(data)


def _remember(rng: np.random.Generator, data: dict[str, Any]) -> None:
    """Blocks of whole bytes, and memories that hold some of them: then a memory is often exactly full."""
    blocks = data["dnns"][0]["blocks"]
    for block in blocks:
        block["parameter_bytes"] = float(rng.integers(1, 5))
    total = sum(block["parameter_bytes"] for block in blocks)
    for node in data["network"]["nodes"]:
        if rng.random() < 0.9:
            node["memory_bytes"] = float(rng.integers(min(4, total), max(5, 0.6 * total)))


def _rate(rng: np.random.Generator, plain: Instance, data: dict[str, Any]) -> None:
    """A rate at which the whole DNN would take from a third to three times of a node, or of a link."""
    dnn, network = plain.dnns[0], plain.network
    shares = dnn.survival
    ops = sum(share * block.ops for share, block in zip(shares, dnn.blocks, strict=True))
    bits = sum(share * dnn.transfer_bits(i) for i, share in enumerate(shares, start=1))
    by_compute = float(np.median([node.compute_ops_per_s or 1.0 for node in network.nodes])) / max(ops, 1.0)
    by_links = float(np.median([link.bandwidth_bit_per_s for link in network.links] or [1e9])) / max(bits, 1.0)
    base = min(by_compute, by_links) if rng.random() < 0.5 else max(by_compute, by_links)
    data["applications"][0]["rate_per_s"] = base * float(10 ** rng.uniform(-0.5, 0.5))
    for node in data["network"]["nodes"]:
        node["parallel"] = int(rng.integers(1, 4))


def _there_and_back(rng: np.random.Generator, plain: Instance, data: dict[str, Any]) -> None:
    """Pins that send data twice over a link which hardly carries both transfers; other routes may be there."""
    app, dnn = data["applications"][0], plain.dnns[0]
    links = [link for link in data["network"]["links"] if link["source"] == app["source"]]
    if not links:
        return
    link = links[int(rng.integers(len(links)))]
    app["pinned"] = {"1": link["target"], "2": link["source"], "3": link["target"]}
    bits = [dnn.survival[i - 1] * dnn.transfer_bits(i) * app["rate_per_s"] for i in (1, 3)]
    if sum(bits) > 0:
        link["bandwidth_bit_per_s"] = max(*bits, sum(bits) * float(rng.choice([0.7, 0.9, 1.0, 1.2])))
