"""Systems in which the deployment of least energy fills one resource exactly, up to rounding."""

from __future__ import annotations

import numpy as np

from finbench.models.instance import DNN, Application, Block, Exit, Instance, Link, Network, Node

EXCESSES = (0.0, 0.0, 0.0, -1e-9, 1e-12, 1e-9, 1e-8, 1e-7, 5e-7, 9e-7, 1.1e-6, 2e-6, 1e-5)
"""By how much the users that fill a resource exceed it, relative to it: feasible up to 1e-6."""

KINDS = ("memory", "compute", "bandwidth", "reservation")


def exactly_full(seed: int) -> Instance:
    """Return a system of a dear device and a cheap server whose memory, compute, link or share is exactly full.

    The parts that users take are decimals whose sums are not exact in doubles (0.1 + 0.2). All users, or all but one or
    two, fill the resource. In every third system all users fill it and must run there, so that it is infeasible where
    they exceed it by more than the tolerance. Every second system has a camera whose blocks fit into its latency target
    exactly, so that rounding latencies up to steps loses the cheapest path and the search for prices begins.
    """
    rng = np.random.default_rng(seed)
    kind, excess = KINDS[seed % 4], float(rng.choice(EXCESSES))
    parts = [float(part) for part in rng.choice([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], int(rng.integers(2, 5)))]
    pinned = seed % 3 == 0
    filling = sum(parts if pinned else parts[: max(1, len(parts) - int(rng.integers(0, 3)))])
    if kind == "reservation":
        parts = [part / filling * (1 + excess) for part in parts]
    whole = 1.0 if kind == "reservation" else filling / (1 + excess)
    halves = bool(rng.random() < 0.5) and kind != "reservation"
    users = [_user(k, part, kind, halves, rng) for k, part in enumerate(parts)]
    if pinned:
        users = [(dnn, _held(dnn, app)) for dnn, app in users]
    if seed % 8 >= 4:
        users.append(_camera())
    return Instance(
        name=f"{kind}-full-{seed}",
        network=Network(name="full", nodes=_nodes(kind, whole, parts), links=_links(kind, whole)),
        dnns=tuple(dnn for dnn, _ in users),
        applications=tuple(app for _, app in users),
    )


def _nodes(kind: str, whole: float, parts: list[float]) -> tuple[Node, ...]:
    shares = tuple(sorted({min(1.0, part) for part in parts})) if kind == "reservation" else (1.0,)
    return (
        Node(name="device", compute_ops_per_s=1e11, power_w=50000.0),
        Node(
            name="server",
            compute_ops_per_s=1e9 * (whole if kind == "compute" else 10.0),
            power_w=10.0,
            memory_bytes=1e10 * whole if kind == "memory" else None,
            compute_shares=shares,
        ),
        Node(name="mid", compute_ops_per_s=1e10, power_w=20.0),
        Node(name="fast", compute_ops_per_s=1e11, power_w=1000.0),
        Node(name="slow", compute_ops_per_s=4e9, power_w=1.0),
    )


def _links(kind: str, whole: float) -> tuple[Link, ...]:
    """Return links from the users' device to the server, and from the camera's device to the other nodes."""
    bandwidth = {"server": 1e6 * whole} if kind == "bandwidth" else {}
    pairs = (("device", "server"), ("mid", "fast"), ("mid", "slow"), ("fast", "slow"))
    return tuple(
        Link(
            source=source,
            target=target,
            bandwidth_bit_per_s=bandwidth.get(target, 1e9),
            tx_energy_j_per_bit=1e-12,
            rx_energy_j_per_bit=0.0,
        )
        for source, target in pairs
    )


def _user(k: int, part: float, kind: str, halves: bool, rng: np.random.Generator) -> tuple[DNN, Application]:
    """Return a user that takes `part` of the resource on the server, in one block or in two."""
    amounts = [part / 3, part - part / 3] if halves else [part]
    blocks = tuple(
        Block(
            ops=1e9 * amount if kind == "compute" else 1e8,
            output_bits=0.0,
            parameter_bytes=1e10 * amount if kind == "memory" else 0.0,
        )
        for amount in amounts
    )
    dnn = DNN(
        name=f"model{k}",
        input_bits=1e6 * part if kind == "bandwidth" else 1e3,
        blocks=blocks,
        exits=(Exit(after_block=len(blocks), exit_fraction=1.0, accuracy=0.9),),
    )
    # On a server that is shared the target asks for the user's own part of its rate.
    target = 1e8 / (1e10 * part) + 1e-4 if kind == "reservation" else 100.0
    app = Application(
        name=f"user{k}",
        dnn=dnn.name,
        source="device",
        rate_per_s=1.0,
        max_latency_s=target,
        min_accuracy=0.5,
        rejection_penalty_w=float(rng.uniform(1, 200)) if rng.random() < 0.3 else None,
    )
    return dnn, app


def _held(dnn: DNN, app: Application) -> Application:
    """Return the application with all its blocks pinned to the server and without a penalty."""
    pins = {str(i): "server" for i in range(1, len(dnn.blocks) + 1)}
    return app.model_copy(update={"pinned": pins, "rejection_penalty_w": None})


def _camera() -> tuple[DNN, Application]:
    """Return a camera at `mid`, whose three blocks take nearly all of its latency target there."""
    blocks = tuple(Block(ops=1e9, output_bits=1e4) for _ in range(3))
    dnn = DNN(name="deep", input_bits=1e4, blocks=blocks, exits=(Exit(after_block=3, exit_fraction=1.0, accuracy=0.9),))
    app = Application(name="camera", dnn="deep", source="mid", rate_per_s=0.1, max_latency_s=0.30002, min_accuracy=0.5)
    return dnn, app
