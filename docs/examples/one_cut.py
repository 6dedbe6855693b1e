"""A method and a family of instances, in one file that needs no clone of the suite.

finbench solve balexnet-cifar10 --plugin one_cut.py --method one-cut
finbench test-method one-cut --plugin one_cut.py
finbench generate ring --plugin one_cut.py --nodes 6 --blocks 4 --exits 2 -o ring.json
finbench run one_cut.toml -o results
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

import finbench as fb


class OneCutOptions(fb.Options):
    """Options of `one-cut`; each has a type, a default and a line of help, from which flags and checks follow."""

    cuts: Literal["any", "all-or-nothing"] = "any"
    """Cut the DNN after any block, or run all of it in one place."""


def refuses(instance: fb.Instance, options: OneCutOptions) -> str | None:  # noqa: ARG001
    """Return why an instance is refused; None where it is not."""
    return "takes a single application" if len(instance.applications) > 1 else None


@fb.method(
    "one-cut", title="first blocks at the source, the rest on one other node", options=OneCutOptions, supports=refuses
)
def one_cut(instance: fb.Instance, options: OneCutOptions, *, time_limit_s: float | None, seed: int) -> fb.Result:  # noqa: ARG001
    """Try every exit, every cut and every node that a link joins to the source; keep what costs least.

    The evaluator says what each candidate costs and whether it breaks a rule. (The suite's own methods compute that on
    their own, so that the evaluator judges them independently.)
    """
    clock = fb.Clock(time_limit_s)
    best, least = None, float("inf")
    with clock.phase("search"):
        for deployment in candidates(instance, options):
            if clock.expired:
                break
            judged = fb.evaluate(instance, deployment)
            if judged.feasible and judged.objective is not None and judged.objective < least:
                best, least = deployment, judged.objective
    if clock.expired:
        found = None if best is None else least
        return fb.Result(fb.Status.TIME_LIMIT, best, found, reason="ended by its limit", times_s=clock.times_s)
    if best is None:
        return fb.Result(fb.Status.NO_SOLUTION, reason="no cut meets the targets", times_s=clock.times_s)
    return fb.Result(fb.Status.FEASIBLE, best, least, times_s=clock.times_s)


def candidates(instance: fb.Instance, options: OneCutOptions) -> Iterator[fb.Deployment]:
    """Yield every deployment with at most one cut; blocks after the cut run on a neighbour of the source."""
    (app,) = instance.applications
    near = [link.target for link in instance.network.links if link.source == app.source]
    for last_exit, end in enumerate(instance.dnn_of(app).exits, start=1):
        depth = end.after_block
        yield placed(app, last_exit, (app.source,) * depth)
        for cut in range(depth) if options.cuts == "any" else (0,):
            for node in near:
                yield placed(app, last_exit, (*(app.source,) * cut, *(node,) * (depth - cut)))


def placed(app: fb.Application, last_exit: int, placement: tuple[str, ...]) -> fb.Deployment:
    """Return the deployment of the only application; without routes, every transfer is a direct link."""
    decided = fb.ApplicationDeployment(application=app.name, last_exit=last_exit, placement=placement)
    return fb.Deployment(deployments=(decided,))


@fb.family("ring", title="nodes in a circle, each linked to its two neighbours", most_nodes=200)
def draw_ring(rng: np.random.Generator, size: fb.Size) -> fb.Instance:
    """Draw a ring; the suite places the latency target, so that it is neither trivial nor infeasible."""
    names = [f"node-{k + 1}" for k in range(size.nodes)]
    speeds = 10 ** rng.uniform(9, 11, size.nodes)
    nodes = [
        fb.Node(name=name, compute_ops_per_s=float(speed), power_w=float(speed * 10 ** rng.uniform(-10, -9)))
        for name, speed in zip(names, speeds, strict=True)
    ]
    pairs = {(k, (k + step) % size.nodes) for k in range(size.nodes) for step in (1, -1)}
    links = [link(names[a], names[b], float(10 ** rng.uniform(7, 9))) for a, b in sorted(pairs)]
    dnn = draw_dnn(rng, size)
    app = fb.Application(name="app", dnn=dnn.name, source=names[0], max_latency_s=1.0, min_accuracy=0.7)
    network = fb.Network(name="ring", nodes=tuple(nodes), links=tuple(links))
    return fb.Instance(name="ring", network=network, dnns=(dnn,), applications=(app,))


def link(source: str, target: str, bandwidth_bit_per_s: float) -> fb.Link:
    """Return a link of 1 nJ for each bit at either end."""
    energies = {"tx_energy_j_per_bit": 1e-9, "rx_energy_j_per_bit": 1e-9}
    return fb.Link(source=source, target=target, bandwidth_bit_per_s=bandwidth_bit_per_s, **energies)


def draw_dnn(rng: np.random.Generator, size: fb.Size) -> fb.DNN:
    """Return a DNN whose exits lie apart from each other and whose last exit is the most accurate."""
    blocks = [
        fb.Block(ops=float(10 ** rng.uniform(6, 8)), output_bits=float(10 ** rng.uniform(3, 5)))
        for _ in range(size.blocks)
    ]
    after = [round(size.blocks * k / size.exits) for k in range(1, size.exits + 1)]
    exits = [
        fb.Exit(after_block=block, exit_fraction=1 / size.exits, accuracy=0.6 + 0.3 * k / size.exits)
        for k, block in enumerate(after, start=1)
    ]
    return fb.DNN(name="dnn", input_bits=1e5, blocks=tuple(blocks), exits=tuple(exits))
