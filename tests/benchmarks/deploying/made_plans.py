"""Instances, models and plans that tests of splitting and serving build."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.imports.onnx.made_models import model, node, onnx, saved, tensor

from finbench.benchmarks.deploying.part_folder import write_parts  # isort: skip
from finbench.benchmarks.deploying.splitting import split
from finbench.benchmarks.imports.onnx.options import DnnRequest
from finbench.benchmarks.imports.onnx.profile import analysed, dnn_of
from finbench.benchmarks.imports.onnx.reading import read_model
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.instance import DNN, Application, Instance, Link, Network, Node
from finbench.models.io import dump_deployment, dump_instance

NODES = ("device", "relay", "edge", "cloud")
_JOINED = (("device", "relay"), ("relay", "edge"), ("edge", "cloud"), ("device", "edge"))
LINKS = (*_JOINED, *((other, one) for one, other in _JOINED))


def random_head(prefix: str, border: str, channels: int, classes: int, draw: np.random.Generator) -> tuple[Any, Any]:
    """Return the operators and weights of an exit head: a mean over space, and a linear layer."""
    nodes = [
        node("GlobalAveragePool", border, f"{prefix}-pool"),
        node("Flatten", f"{prefix}-pool", f"{prefix}-flat"),
        node("Gemm", f"{prefix}-flat {prefix}-w {prefix}-b", prefix),
    ]
    arrays = {f"{prefix}-w": draw.normal(size=(channels, classes)) * 3, f"{prefix}-b": draw.normal(size=classes) / 4}
    return nodes, [onnx.numpy_helper.from_array(each.astype(np.float32), name) for name, each in arrays.items()]


def convolutions(seed: int, size: int = 8, channels: Sequence[int] = (6, 8, 8)) -> Any:
    """Return a model of convolutions with random weights and an exit head after each."""
    draw = np.random.default_rng(seed)
    nodes, weights, before, given = [], [], 3, "x"
    for k, width in enumerate(channels, start=1):
        kernel = draw.normal(size=(width, before, 3, 3)) * np.sqrt(2 / (9 * before))
        weights.append(onnx.numpy_helper.from_array(kernel.astype(np.float32), f"w{k}"))
        nodes += [node("Conv", f"{given} w{k} -", f"conv{k}", pads=[1, 1, 1, 1]), node("Relu", f"conv{k}", f"out{k}")]
        head, own = random_head(f"answer{k}", f"out{k}", width, 5, draw)
        nodes, weights, before, given = nodes + head, weights + own, width, f"out{k}"
    outputs = [f"answer{k}" for k in range(1, len(channels) + 1)]
    return model(nodes, [tensor("x", (1, 3, size, size))], outputs, weights)


def imported(made: Any, folder: Path, thresholds: Sequence[float] | None = None, **asked: Any) -> tuple[Path, DNN]:
    """Write a model and return its file and DNN, which says thresholds as an import with them does."""
    path = saved(made, folder / "model.onnx")
    request = DnnRequest(name="dnn", **asked)
    dnn = dnn_of(analysed(path, request), request)
    if thresholds is not None:
        said = ", ".join(f"{each:g}" for each in thresholds)
        dnn = dnn.model_copy(
            update={"provenance": f"{dnn.provenance}\nexits: setting 1 of 1 of 'table', thresholds {said}"}
        )
    return path, dnn


def system(dnn: DNN, applications: Sequence[str] = ("camera",), **link: float) -> Instance:
    """Return an instance of a device, a relay, an edge and a cloud, with one application or several."""
    said: Mapping[str, float] = {"bandwidth_bit_per_s": 1e8, "delay_s": 0.0} | link
    nodes = [
        Node(name=name, power_w=1.0, compute_ops_per_s=None if name == "relay" else 1e9, parallel=1) for name in NODES
    ]
    links = [
        Link(source=one, target=other, tx_energy_j_per_bit=0.0, rx_energy_j_per_bit=0.0, **said) for one, other in LINKS
    ]
    apps = [
        Application(name=name, dnn=dnn.name, source="device", rate_per_s=1.0, max_latency_s=10.0, min_accuracy=0.0)
        for name in applications
    ]
    network = Network(name="net", nodes=tuple(nodes), links=tuple(links))
    return Instance(name="system", network=network, dnns=(dnn,), applications=tuple(apps))


def placed(instance: Instance, placement: Sequence[str], last_exit: int, app: str = "camera") -> Deployment:
    """Return the deployment of one application; from device to edge its transfers go over the relay."""
    return Deployment(deployments=(decided(placement, last_exit, app),))


def decided(placement: Sequence[str], last_exit: int, app: str = "camera") -> ApplicationDeployment:
    """Return the decisions for an application, with transfers between device and edge over the relay."""
    stops = ("device", *placement)
    routes = tuple(_route(one, other) for one, other in zip(stops, placement, strict=False))
    return ApplicationDeployment(application=app, last_exit=last_exit, placement=tuple(placement), routes=routes)


def _route(one: str, other: str) -> tuple[str, ...]:
    line = ("device", "relay", "edge", "cloud")
    begin, end = line.index(one), line.index(other)
    if begin == end:
        return ()
    return line[begin : end + 1] if begin < end else tuple(reversed(line[end : begin + 1]))


def randomly_placed(dnn: DNN, draw: random.Random, last_exit: int | None = None) -> Deployment:
    """Return a random deployment of an application, each block staying where the one before runs half of the time."""
    last = last_exit or draw.randint(1, len(dnn.exits))
    placement = [draw.choice(("device", "edge", "cloud"))]
    while len(placement) < dnn.exits[last - 1].after_block:
        placement.append(placement[-1] if draw.random() < 0.5 else draw.choice(("device", "edge", "cloud")))
    return Deployment(deployments=(decided(placement, last),))


def split_into(folder: Path, instance: Instance, deployment: Deployment, path: Path, **options: Any) -> Path:
    """Write the parts of a deployment of a model to a new folder, and return it."""
    write_parts(split(instance, deployment, [read_model(path)], **options), folder)
    return folder


def command_files(folder: Path) -> list[str]:
    """Return instance, deployment and model as arguments of commands: an exit on the device, two on the edge."""
    path, dnn = imported(convolutions(1), folder, (0.4, 0.5), blocks=3)
    instance = system(dnn)
    (folder / "instance.json").write_text(dump_instance(instance))
    (folder / "plan.json").write_text(dump_deployment(placed(instance, ("device", "edge", "edge"), 3)))
    return [str(folder / "instance.json"), str(folder / "plan.json"), str(path)]
