"""Exits, branches, weights among the inputs, open dimensions and cuts, on models small enough to count by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from tests.benchmarks.imports.onnx.made_models import (  # isort: skip  (skips where onnx is missing)
    model,
    node,
    onnx,
    saved,
    tensor,
    two_exits,
    weight,
    whole,
)

import finbench as fb
from finbench.benchmarks.imports.onnx.grouping import chosen_borders
from finbench.benchmarks.imports.onnx.options import CountingUnit, DnnRequest
from finbench.benchmarks.imports.onnx.profile import Analysis, analysed, borders_of
from finbench.models.io import InputError
from finbench.models.remarks import PLACEHOLDER


def taken_apart(made: Any, folder: Path, **asked: Any) -> Analysis:
    return analysed(saved(made, folder / "made.onnx"), DnnRequest(**asked))


def refusal(made: Any, folder: Path, **asked: Any) -> str:
    with pytest.raises(InputError) as caught:
        taken_apart(made, folder, **asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def places(analysis: Analysis) -> list[str]:
    return [position.tensor.name for position in analysis.layout.chain.positions]


def test_further_outputs_are_exits_and_their_operators_count_to_their_block(tmp_path: Path) -> None:
    dnn = fb.import_dnn(saved(two_exits(), tmp_path / "m.onnx"), blocks=3, count="macs")
    assert [(each.name, each.after_block) for each in dnn.exits] == [("early", 1), ("middle", 2), ("late", 3)]
    first, second, third = 4 * 27 * 256, 8 * 36 * 64, 16 * 72 * 64
    assert [block.ops for block in dnn.blocks] == [first + 40, second + 80, third + 160]
    assert borders_of(dnn) == (("b",), ("d",), ("late",))
    assert [block.output_bits for block in dnn.blocks] == [32 * 4 * 256, 32 * 8 * 64, 32 * 10]
    assert [block.parameter_bytes for block in dnn.blocks] == [
        4 * (size + head + 10) for size, head in ((108, 40), (288, 80), (1152, 160))
    ]
    assert "exit_fraction and accuracy" in dnn.provenance.splitlines()[-1]
    assert dnn.provenance.splitlines()[-1].startswith("placeholder: ")


def test_an_exit_that_the_model_lacks_gets_a_mean_and_a_linear_layer(tmp_path: Path) -> None:
    made = two_exits()
    del made.graph.output[1:]
    path = saved(made, tmp_path / "m.onnx")
    with_exit = fb.import_dnn(path, blocks=2, exit_after=["d"], count="macs")
    assert [each.after_block for each in with_exit.exits] == [1, 2]
    without = fb.import_dnn(path, cuts=["d"], count="macs")
    assert with_exit.blocks[0].ops - without.blocks[0].ops == 8 * 10
    assert with_exit.blocks[0].parameter_bytes - without.blocks[0].parameter_bytes == 4 * (8 * 10 + 10)
    assert "added heads" in with_exit.provenance


def test_a_final_answer_may_have_several_outputs(tmp_path: Path) -> None:
    made = two_exits()
    dnn = fb.import_dnn(saved(made, tmp_path / "m.onnx"), final=["late", "middle"])
    assert [each.name for each in dnn.exits] == ["early", "late and middle"]
    assert dnn.blocks[-1].output_bits == 2 * 320


def test_outputs_at_one_place_must_be_told_apart(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("Relu", "a", "b"), node("Tanh", "b", "box"), node("Exp", "b", "score")]
    made = model([*nodes, node("Relu", "b", "c"), node("Relu", "c", "z")], [tensor("x", (1, 8))], ["box", "score", "z"])
    assert "--final" in refusal(made, tmp_path)
    assert len(taken_apart(made, tmp_path, final=("box", "score", "z")).layout.exits) == 1


def test_a_head_that_reads_two_tensors_keeps_them_in_one_block(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("Relu", "a", "b"), node("Relu", "b", "c"), node("Add", "a c", "early")]
    made = model([*nodes, node("Relu", "c", "late")], [tensor("x", (1, 8))], ["late", "early"])
    assert places(taken_apart(made, tmp_path, final=("late",))) == ["a", "c"]


def test_weights_among_the_inputs_are_no_part_of_the_sample(tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w", "y"), node("Relu", "y", "z")]
    inputs = [tensor("x", (1, 8)), tensor("w", (8, 4))]
    analysis = taken_apart(model(nodes, inputs, ["z"], [weight("w", 8, 4)]), tmp_path)
    assert analysis.layout.chain.graph.inputs == ("x",)
    assert analysis.parameters == 32


def test_what_is_computed_from_constants_and_shapes_is_constant(tmp_path: Path) -> None:
    nodes = [
        node("Identity", "w", "w1"),
        node("Mul", "w1 w1", "w2"),
        node("Unsqueeze", "w2 axis", "w3"),
        node("Add", "x w3", "a"),
        node("Shape", "a", "shape"),
        node("Reshape", "a shape", "y"),
        node("Relu", "y", "z"),
    ]
    analysis = taken_apart(model(nodes, [tensor("x", (1, 8))], ["z"], [weight("w", 8), whole("axis", 0)]), tmp_path)
    assert [each.kind for each in analysis.layout.chain.operators] == ["Add", "Reshape", "Relu"]
    assert places(analysis) == ["a", "y"]
    assert analysis.parameters == 8 + 2, "eight weights, and the shape that the reshaping reads"


def test_an_open_number_of_samples_is_one_and_other_open_dimensions_are_asked_for(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "y"), node("Tanh", "y", "z")]
    one = taken_apart(model(nodes, [tensor("x", ("batch", 8))], ["z"]), tmp_path)
    assert one.layout.chain.graph.tensors["z"].shape == (1, 8)
    open_width = model(nodes, [tensor("x", (1, "width"))], ["z"])
    assert "--input-shape" in refusal(open_width, tmp_path)
    asked = taken_apart(open_width, tmp_path, input_shapes={"": (1, 5)})
    assert asked.layout.chain.graph.tensors["z"].shape == (1, 5)
    assert "2 dimensions" in refusal(open_width, tmp_path, input_shapes={"x": (1, 5, 5)})
    assert "no input" in refusal(open_width, tmp_path, input_shapes={"y": (1, 5)})


def test_sizes_that_depend_on_values_are_refused(tmp_path: Path) -> None:
    nodes = [node("NonZero", "x", "where"), node("Cast", "where", "z", to=1)]
    assert "unknown dimensions" in refusal(model(nodes, [tensor("x", (1, 8))], ["z"]), tmp_path)


def test_kinds_that_cannot_be_counted_are_named_never_counted_as_nothing(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "y"), onnx.helper.make_node("Odd", ["y"], ["z"], name="o", domain="com.example")]
    made = model(nodes, [tensor("x", (1, 8))], ["z"])
    made.opset_import.append(onnx.helper.make_opsetid("com.example", 1))
    made.graph.output[0].CopyFrom(tensor("z", (1, 8)))
    assert "'o' (com.example.Odd)" in refusal(made, tmp_path)


CONTROL = onnx.helper.make_graph([node("Relu", "x", "then")], "then", [], [tensor("then", (1, 8))])


def test_control_flow_is_refused(tmp_path: Path) -> None:
    branch = onnx.helper.make_node("If", ["go"], ["z"], name="choice", then_branch=CONTROL, else_branch=CONTROL)
    made = model([branch], [tensor("x", (1, 8)), tensor("go", (), 9)], ["z"])
    assert "'choice' (If): control flow" in refusal(made, tmp_path)


def test_cuts_are_kept_and_a_name_that_is_none_is_refused_with_a_hint(tmp_path: Path) -> None:
    made = two_exits()
    del made.graph.output[1:]
    assert borders_of(fb.import_dnn(saved(made, tmp_path / "m.onnx"), cuts=["Relu-b", "d"])) == (
        ("b",),
        ("d",),
        ("late",),
    )
    assert "no tensor or operator" in refusal(made, tmp_path, cuts=("nowhere",))
    assert "at most" in refusal(made, tmp_path, blocks=50)
    assert "make 3 blocks" in refusal(made, tmp_path, cuts=("b", "d"), blocks=2)
    branches = [node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Add", "a b", "c"), node("Relu", "c", "z")]
    joined = model(branches, [tensor("x", (1, 8))], ["z"])
    assert "other tensors are alive there" in refusal(joined, tmp_path, cuts=("a",))


def test_bits_of_transfers_and_of_the_sample_are_apart_and_leave_whole_numbers(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("Cast", "a", "b", to=3), node("Cast", "b", "c", to=1), node("Relu", "c", "z")]
    path = saved(model(nodes, [tensor("x", (1, 8))], ["z"]), tmp_path / "m.onnx")
    dnn = fb.import_dnn(path, cuts=["a", "b"], bits=16, input_bits=8)
    assert (dnn.input_bits, *(block.output_bits for block in dnn.blocks)) == (64, 128, 64, 128)
    with pytest.raises(InputError, match="bits: 7"):
        fb.import_dnn(path, bits=7)


def random_graph(draw: np.random.Generator) -> Any:
    """Return a model of 3 to 14 operators, each of which reads one or two earlier tensors."""
    names, nodes = ["x"], []
    for k in range(int(draw.integers(3, 15))):
        read = draw.choice(names[-4:], size=min(len(names), int(draw.integers(1, 3))), replace=False)
        nodes.append(node("Sum", " ".join(read), f"t{k}"))
        names.append(f"t{k}")
    return model(nodes, [tensor("x", (1, 4))], [names[-1]])


def test_a_model_can_be_cut_exactly_where_all_ways_pass_one_tensor(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    for _ in range(60):
        made = random_graph(draw)
        ways = nx.DiGraph((one, each.output[0]) for each in made.graph.node for one in each.input)
        last = made.graph.output[0].name
        between = nx.ancestors(ways, last) & nx.descendants(ways, "x")
        expected = {name for name in between if not nx.has_path(nx.restricted_view(ways, [name], []), "x", last)}
        assert set(places(taken_apart(made, tmp_path))) == expected


def objective(at: Sequence[float], bits: Sequence[int], borders: Sequence[int]) -> float:
    ends = [0.0, *(at[k] for k in borders), 1.0]
    blocks = len(ends) - 1
    unequal = blocks * sum((two - one) ** 2 for one, two in pairwise(ends))
    return unequal + sum(bits[k] for k in borders) / (len(borders) * sum(bits) / len(bits))


def test_borders_are_the_best_of_all_that_hold_those_asked_for() -> None:
    draw = np.random.default_rng(5)
    for _ in range(40):
        count = int(draw.integers(3, 9))
        work = np.cumsum(draw.integers(1, 100, count + 1))
        bits = [int(each) for each in draw.integers(1, 1000, count)]
        blocks = int(draw.integers(2, count + 2))
        asked = frozenset(int(each) for each in draw.choice(count, size=int(draw.integers(0, blocks)), replace=False))
        found = chosen_borders([int(each) for each in work[:-1]], int(work[-1]), bits, blocks, asked)
        at = [each / work[-1] for each in work[:-1]]
        choices = [each for each in combinations(range(count), blocks - 1) if asked <= set(each)]
        assert asked <= set(found)
        assert objective(at, bits, found) == pytest.approx(min(objective(at, bits, each) for each in choices))


COUNTS: list[tuple[Any, dict[str, tuple[int, ...]], tuple[int, int]]] = [
    (node("MatMul", "x w", "z"), {"x": (2, 3, 4), "w": (4, 5)}, (2 * 3 * 5 * 4, 0)),
    (node("Gemm", "x w c", "z", transA=1), {"x": (4, 3), "w": (4, 5), "c": (5,)}, (60, 15)),
    (node("Conv", "x w c", "z", group=2), {"x": (1, 4, 5, 5), "w": (6, 2, 3, 3), "c": (6,)}, (6 * 9 * 18, 54)),
    (node("ConvTranspose", "x w", "z"), {"x": (1, 4, 5, 5), "w": (4, 3, 2, 2)}, (4 * 25 * 12, 0)),
    (node("Einsum", "x w", "z", equation="bij,jk->bik"), {"x": (2, 3, 4), "w": (4, 5)}, (120, 0)),
    (node("LSTM", "x w r", "z", hidden_size=3), {"x": (7, 1, 2), "w": (1, 12, 2), "r": (1, 12, 3)}, (7 * 12 * 5, 168)),
    (node("MaxPool", "x", "z", kernel_shape=[2, 2], strides=[2, 2]), {"x": (1, 3, 4, 4)}, (0, 3 * 4 * 4)),
    (node("Softmax", "x", "z"), {"x": (1, 10)}, (0, 50)),
    (node("ReduceMean", "x", "z", axes=[1]), {"x": (1, 10)}, (0, 10)),
    (node("Transpose", "x", "z", perm=[1, 0]), {"x": (1, 10)}, (0, 0)),
    (node("Sum", "x x x", "z"), {"x": (1, 10)}, (0, 20)),
]


@pytest.mark.parametrize(("operator", "shapes", "expected"), COUNTS, ids=[each[0].op_type for each in COUNTS])
def test_work_follows_from_an_operators_definition(
    operator: Any, shapes: dict[str, tuple[int, ...]], expected: tuple[int, int], tmp_path: Path
) -> None:
    weights = [weight(name, *shape) for name, shape in shapes.items() if name != "x"]
    analysis = taken_apart(model([operator], [tensor("x", shapes["x"])], ["z"], weights), tmp_path)
    (work,) = analysis.costs.work.values()
    assert (work.macs, work.other) == expected
    assert work.ops == 2 * work.macs + work.other


def test_the_unit_of_counting_is_checked(tmp_path: Path) -> None:
    path = saved(two_exits(), tmp_path / "m.onnx")
    with pytest.raises(InputError, match="macs or ops"):
        fb.import_dnn(path, count="flops")
    assert fb.import_dnn(path, count=CountingUnit.MACS).name == "m"


def test_exits_without_a_table_are_placeholders_until_one_replaces_them(tmp_path: Path) -> None:
    path, table = saved(two_exits(), tmp_path / "m.onnx"), tmp_path / "exits.toml"
    each = ", ".join(f"{{ exit_fraction = {share}, accuracy = 0.{k}5 }}" for k, share in ((6, 0.5), (7, 0.3), (8, 0.2)))
    table.write_text(f'schema_version = 2\nname = "measured"\nsettings = [{{ exits = [{each}] }}]\n')
    assert PLACEHOLDER in fb.import_dnn(path).provenance
    measured = fb.import_dnn(path, exits=table)
    assert PLACEHOLDER not in measured.provenance
    assert [exit_.accuracy for exit_ in measured.exits] == [0.65, 0.75, 0.85]
