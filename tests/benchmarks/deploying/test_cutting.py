"""A part of a model as a model of its own, and the blocks of a DNN in its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.imports.onnx.made_models import light, model, node, onnx, saved, tensor, two_exits, whole

runtime = pytest.importorskip("onnxruntime")

from finbench.benchmarks.deploying.cutting import cut  # noqa: E402
from finbench.benchmarks.deploying.model_blocks import model_blocks, sample_shapes, whole_model  # noqa: E402
from finbench.benchmarks.imports.onnx.options import DnnRequest  # noqa: E402
from finbench.benchmarks.imports.onnx.profile import analysed, dnn_of  # noqa: E402
from finbench.models.instance import DNN  # noqa: E402
from finbench.models.io import InputError  # noqa: E402

Values = dict[str, Any]


def run(made: Any, given: Values) -> Values:
    """Return what a model answers."""
    onnx.checker.check_model(made)
    session = runtime.InferenceSession(made.SerializeToString())
    names = [each.name for each in made.graph.output]
    return dict(zip(names, session.run(names, given), strict=True))


def with_random_weights(made: Any) -> Any:
    draw = np.random.default_rng(1)
    for each in made.graph.initializer:
        values = draw.normal(size=tuple(each.dims)).astype(np.float32) / 3
        each.CopyFrom(onnx.numpy_helper.from_array(values, each.name))
    return made


def read(made: Any, folder: Path, **asked: Any) -> tuple[Any, DNN]:
    """Return the file of a model and its DNN."""
    analysis = analysed(saved(made, folder / "made.onnx"), DnnRequest(**asked))
    return analysis.file, dnn_of(analysis, DnnRequest(**asked))


def test_parts_one_after_the_other_make_what_the_model_makes(tmp_path: Path) -> None:
    file, dnn = read(with_random_weights(two_exits()), tmp_path, blocks=3)
    entire = whole_model(file, {})
    known: Values = {"x": np.random.default_rng(2).normal(size=(1, 3, 16, 16)).astype(np.float32)}
    expected = run(entire, known)
    for block in model_blocks(file, dnn, "dnn.toml"):
        part = cut(entire, block.inputs, block.made)
        assert [each.name for each in part.graph.input] == list(block.inputs)
        known |= run(part, {name: known[name] for name in block.inputs})
    for name, values in expected.items():
        np.testing.assert_allclose(known[name], values, rtol=1e-5)


def test_blocks_name_their_borders_and_what_their_exits_answer_with(tmp_path: Path) -> None:
    file, dnn = read(two_exits(), tmp_path, blocks=3)
    blocks = model_blocks(file, dnn, "dnn.toml")
    assert [block.number for block in blocks] == [1, 2, 3]
    assert blocks[0].inputs == ("x",)
    assert [block.inputs for block in blocks[1:]] == [block.outputs for block in blocks[:-1]]
    assert [block.exit_outputs for block in blocks] == [("early",), ("middle",), ("late",)]
    assert blocks[-1].made == ("late",)


def test_a_part_has_only_the_weights_that_it_needs_and_keeps_types_and_sizes() -> None:
    part = cut(onnx.shape_inference.infer_shapes(two_exits()), ["b"], ["d", "middle"])
    assert {each.name for each in part.graph.initializer} == {"w2", "h2", "c2"}
    sizes = {each.name: [d.dim_value for d in each.type.tensor_type.shape.dim] for each in part.graph.input}
    assert sizes == {"b": [1, 4, 16, 16]}
    assert [each.name for each in part.graph.output] == ["d", "middle"]


def test_types_that_the_model_does_not_say_are_inferred() -> None:
    part = cut(two_exits(), ["b"], ["d"])
    assert [d.dim_value for d in part.graph.output[0].type.tensor_type.shape.dim] == [1, 8, 8, 8]


def test_operators_on_constants_are_copied_into_each_part_that_reads_them() -> None:
    nodes = [
        node("Add", "one one", "two"),
        node("Mul", "x two", "a"),
        node("Mul", "a two", "b"),
    ]
    one = onnx.numpy_helper.from_array(np.ones(3, np.float32), "one")
    made = model(nodes, [tensor("x", (1, 3))], ["b"], [one])
    for given, asked in (("x", "a"), ("a", "b")):
        values = run(cut(made, [given], [asked]), {given: np.full((1, 3), 5, np.float32)})
        np.testing.assert_array_equal(values[asked], np.full((1, 3), 10))


def test_a_part_needs_no_tensor_for_its_size_alone() -> None:
    nodes = [
        node("Shape", "x", "size"),
        node("Flatten", "x", "a"),
        node("Relu", "a", "b"),
        node("Reshape", "b size", "y"),
    ]
    made = model(nodes, [tensor("x", (1, 3, 4))], ["y"])
    values = np.ones((1, 12), np.float32)
    assert run(cut(made, ["b"], ["y"]), {"b": values})["y"].shape == (1, 3, 4)


def test_a_slice_of_a_size_is_a_constant_too() -> None:
    nodes = [
        node("Shape", "x", "end", start=-1),
        node("Concat", "minus end", "size", axis=0),
        node("Flatten", "x", "a"),
        node("Reshape", "a size", "y"),
    ]
    made = model(nodes, [tensor("x", (1, 3, 4))], ["y"], [whole("minus", -1)])
    assert run(cut(made, ["a"], ["y"]), {"a": np.ones((1, 12), np.float32)})["y"].shape == (3, 4)


def test_a_part_that_lacks_a_tensor_is_refused() -> None:
    with pytest.raises(InputError, match=r"^cut: 'x': the part needs this tensor"):
        cut(two_exits(), ["b"], ["early", "a"])


@pytest.mark.parametrize(
    ("given", "asked", "said"),
    [
        (["nowhere"], ["d"], "inputs: 'nowhere' is no tensor"),
        (["b"], ["w1"], "outputs: 'w1' is no tensor"),
        (["b", "b"], ["d"], "'b' stands twice"),
        (["b"], ["b"], "'b' is both an input and an output"),
        (["b"], [], "must name at least one"),
    ],
)
def test_a_part_of_other_tensors_is_refused(given: list[str], asked: list[str], said: str) -> None:
    with pytest.raises(InputError, match=f"^cut: .*{said}"):
        cut(two_exits(), given, asked)


def test_a_dnn_of_another_model_is_refused_by_name(tmp_path: Path) -> None:
    file, _ = read(two_exits(), tmp_path)
    (tmp_path / "other").mkdir()
    _, dnn = read(with_random_weights(two_exits()), tmp_path / "other")
    with pytest.raises(InputError, match=r"^dnn.toml: dnn 'made': was read from model 'made.onnx' with sha256 .*has"):
        model_blocks(file, dnn, "dnn.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("model: ", "Model: ", "does not name a model"),
        ("inputs: ", "Inputs: ", "does not say the sizes"),
        ("inputs: x", "inputs: z", "has none such as 'z"),
        ("border 1: b", "border 1: p1", "'p1' is no place to cut"),
        ("border 2: d", "border 2: b", "'b' comes before the border"),
        ("border 3: late", "border 3: later", "'later' is no output"),
        ("border 3: late", "", "does not say where its model was cut"),
    ],
)
def test_a_provenance_that_does_not_fit_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    file, dnn = read(two_exits(), tmp_path, blocks=3)
    assert old in dnn.provenance
    changed = dnn.model_copy(update={"provenance": dnn.provenance.replace(old, new)})
    with pytest.raises(InputError, match=f"^dnn.toml: .*{said}"):
        model_blocks(file, changed, "dnn.toml")


def test_a_dnn_without_an_exit_of_the_model_is_refused(tmp_path: Path) -> None:
    file, dnn = read(two_exits(), tmp_path, blocks=3)
    late = dnn.exits[-1].model_copy(update={"exit_fraction": 1.0})
    with pytest.raises(InputError, match="exits: none leaves where the model's output 'early' does"):
        model_blocks(file, dnn.model_copy(update={"exits": (late,)}), "dnn.toml")


def test_heads_that_the_model_does_not_have_answer_with_nothing(tmp_path: Path) -> None:
    asked = DnnRequest(exit_after=("r25",))
    analysis = analysed(light("resnet50"), asked)
    blocks = model_blocks(analysis.file, made := dnn_of(analysis, asked), "dnn.toml")
    added = next(exit_.after_block for exit_ in made.exits if exit_.name == "r25")
    assert blocks[added - 1].exit_outputs == ()


def test_sizes_of_samples_are_those_of_the_import(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("GlobalAveragePool", "a", "y")]
    made = model(nodes, [tensor("x", ("samples", 3, "high", "wide"))], ["y"])
    file, dnn = read(made, tmp_path, input_shapes={"x": (1, 3, 8, 6)})
    shapes = sample_shapes(file, dnn, "dnn.toml")
    assert shapes == {"x": (1, 3, 8, 6)}
    entire = whole_model(file, shapes)
    assert [d.dim_value for d in entire.graph.input[0].type.tensor_type.shape.dim] == [1, 3, 8, 6]
    assert sample_shapes(*read(two_exits(), tmp_path), "dnn.toml") == {}


def test_weights_in_files_beside_the_model_are_read(tmp_path: Path) -> None:
    path = tmp_path / "made.onnx"
    onnx.save(two_exits(), path, save_as_external_data=True, location="weights", size_threshold=0)
    analysis = analysed(path, DnnRequest())
    part = cut(whole_model(analysis.file, {}), ["x"], ["early"])
    assert run(part, {"x": np.ones((1, 3, 16, 16), np.float32)})["early"].shape == (1, 10)
    (tmp_path / "weights").unlink()
    with pytest.raises(InputError, match="weights in files beside it"):
        whole_model(analysis.file, {})
