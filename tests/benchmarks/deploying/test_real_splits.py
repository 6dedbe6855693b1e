"""The nine architectures of the package `onnx`, with random weights: parts answer as the whole model does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finbench.benchmarks.deploying.joint_run import differences
from finbench.benchmarks.deploying.manifest import load_manifest
from finbench.benchmarks.deploying.samples import random_samples
from finbench.benchmarks.imports.onnx.options import DnnRequest
from finbench.benchmarks.imports.onnx.profile import analysed
from finbench.benchmarks.imports.onnx.reading import read_model
from tests.benchmarks.deploying import made_plans as made
from tests.benchmarks.imports.onnx.made_models import LIGHT, light, onnx, saved

runtime = pytest.importorskip("onnxruntime")

NAMES = sorted(path.stem.removeprefix("light_") for path in LIGHT.glob("*.onnx"))

BLOCK = np.random.default_rng(0).standard_normal(1 << 16).astype(np.float32)
"""Random numbers that weights are made of: to draw all of them would take most of the time."""


def with_weights(name: str, *, narrow: bool) -> Any:
    """Return an architecture whose weights are random and keep the size of numbers about the same from layer to layer.

    Narrow ones have 64 numbers in the place of 4096 in their last layers, which hold most weights and do least work.
    """
    found = onnx.load(light(name))
    shapes = {each.name: onnx.numpy_helper.to_array(each) for each in found.graph.initializer}
    kept, draw = [], np.random.default_rng(1)
    for each in found.graph.node:
        if each.op_type != "ConstantOfShape" or each.input[0] not in shapes:
            kept.append(each)
            continue
        shape = tuple(int(extent) for extent in shapes[each.input[0]])
        if narrow and len(shape) < 3:
            shape = tuple(64 if extent == 4096 else extent for extent in shape)
        count = int(np.prod(shape))
        values = np.resize(np.roll(BLOCK, int(draw.integers(1 << 16))), count)
        if len(shape) > 1:
            values = values * np.float32(np.sqrt(2 / np.prod(shape[1:])))
        else:  # biases, and scales and variances, which must not be negative
            values = np.float32(1) + np.float32(0.1) * np.tanh(values)
        made_of = onnx.numpy_helper.from_array(values.reshape(shape).astype(np.float32), each.output[0])
        found.graph.initializer.append(made_of)
    del found.graph.node[:]
    found.graph.node.extend(kept)
    used = {name for each in kept for name in each.input}
    weights = [each for each in found.graph.initializer if each.name in used]
    names = {each.name for each in found.graph.initializer}
    inputs = [each for each in found.graph.input if each.name not in names]
    for field, kept_there in (("initializer", weights), ("input", inputs)):
        del getattr(found.graph, field)[:]
        getattr(found.graph, field).extend(kept_there)
    found.ir_version = 4
    return found if name == "densenet121" else with_moderate_answer(found)


def with_moderate_answer(found: Any) -> Any:
    """Divide the last weights so that the softmax reads numbers of size 1: of large ones it would enlarge roundings."""
    maker = {made_of: each for each in found.graph.node for made_of in each.output}
    before = next(each for each in found.graph.node if each.op_type == "Softmax").input[0]
    while maker[before].op_type not in ("Gemm", "Conv"):
        before = maker[before].input[0]
    seen = onnx.ModelProto()
    seen.CopyFrom(found)
    seen.graph.output.append(onnx.helper.make_tensor_value_info(before, 1, None))
    session = runtime.InferenceSession(seen.SerializeToString())
    picture = np.random.default_rng(2).normal(size=(1, 3, 224, 224)).astype(np.float32)
    (answer,) = session.run([before], {session.get_inputs()[0].name: picture})
    for each in found.graph.initializer:
        if each.name in maker[before].input[1:]:
            values = onnx.numpy_helper.to_array(each) / answer.std()
            each.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), each.name))
    return found


def with_heads(found: Any, folder: Path, draw: random.Random) -> Any:
    """Add exit heads at two places where the model can be cut and a picture is passed on."""
    path = saved(found, folder / "plain.onnx")
    positions = analysed(path, DnnRequest()).layout.chain.positions
    pictures = [each.tensor for each in positions if len(each.tensor.shape) == 4 and each.tensor.shape[2] > 1]
    path.unlink()
    rng = np.random.default_rng(draw.randrange(1 << 30))
    places = sorted(draw.sample(range(len(pictures)), 2))
    for k, place in enumerate(places, start=1):
        tensor = pictures[place]
        nodes, weights = made.random_head(f"head{k}", tensor.name, tensor.shape[1], 10, rng)
        found.graph.node.extend(nodes)
        found.graph.initializer.extend(weights)
        found.graph.output.append(onnx.helper.make_tensor_value_info(f"head{k}", 1, [1, 10]))
    return found


def greatest_difference(name: str, folder: Path, seed: int, *, narrow: bool) -> float:
    """Return how far parts of a random placement, with two early exits, are from the whole model."""
    draw = random.Random(f"{name} {seed}")
    found = with_heads(with_weights(name, narrow=narrow), folder, draw)
    path, dnn = made.imported(found, folder, (0.5, 0.5))
    instance = made.system(dnn)
    deployment = made.randomly_placed(dnn, draw, last_exit=len(dnn.exits))
    output = made.split_into(folder / "parts", instance, deployment, path)
    manifest = load_manifest(output)
    (app,) = manifest.applications
    assert len(app.parts) > 2
    assert [len(exit_.name) > 0 for exit_ in app.exits] == [True] * 3
    samples = {"camera": random_samples(app.sample, 1, seed)}
    differing = differences(output, manifest, [read_model(path)], samples)
    return max(each.difference for each in differing)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_parts_of_a_real_architecture_answer_as_the_whole_model_does(name: str, tmp_path: Path) -> None:
    assert greatest_difference(name, tmp_path, 1, narrow=True) <= 1e-5
