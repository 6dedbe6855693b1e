"""The nine architectures that the package `onnx` ships: totals, sizes, places to cut, and blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.imports.onnx.made_models import LIGHT, light, onnx  # isort: skip  (skips where onnx is missing)

from finbench.benchmarks.imports.onnx.options import CountingUnit, DnnRequest
from finbench.benchmarks.imports.onnx.profile import analysed, borders_of, dnn_of
from tests.benchmarks.imports.onnx.recount import recounted

NAMES = sorted(path.stem.removeprefix("light_") for path in LIGHT.glob("*.onnx"))

FACTS = {"resnet50": (4089.2e6, 25.61e6), "vgg19": (19632e6, 143.67e6)}
"""Multiply-adds and parameters as they were counted elsewhere."""

PLACES = {"resnet50": 40, "densenet121": 88, "squeezenet": 34}
"""Places where one tensor alone carries on, the end among them, as they were counted elsewhere."""


def test_there_are_nine() -> None:
    assert len(NAMES) == 9


@pytest.mark.parametrize("name", NAMES)
def test_totals_and_sizes_are_those_of_a_count_from_the_definitions(name: str) -> None:
    analysis = analysed(light(name), DnnRequest(count=CountingUnit.MACS))
    expected = recounted(onnx.load(light(name), load_external_data=False))
    assert analysis.operations == expected.macs
    assert analysis.parameters == expected.parameters
    graph = analysis.layout.chain.graph
    for operator in graph.operators:
        assert graph.tensors[operator.outputs[0]].shape == expected.shapes[operator.outputs[0]]


@pytest.mark.parametrize("name", FACTS)
def test_totals_are_those_counted_elsewhere(name: str) -> None:
    analysis = analysed(light(name), DnnRequest(count=CountingUnit.MACS))
    assert (analysis.operations, analysis.parameters) == pytest.approx(FACTS[name], rel=1e-3)


@pytest.mark.parametrize("name", PLACES)
def test_places_to_cut_are_those_counted_elsewhere(name: str) -> None:
    assert len(analysed(light(name), DnnRequest()).layout.chain.positions) + 1 == PLACES[name]


@pytest.mark.parametrize("name", NAMES)
def test_blocks_hold_the_whole_model_and_name_their_borders(name: str) -> None:
    asked = DnnRequest(bits=8, input_bits=8)
    analysis = analysed(light(name), asked)
    made = dnn_of(analysis, asked)
    assert sum(block.ops for block in made.blocks) == analysis.operations
    assert made.input_bits == 8 * 3 * 224 * 224
    tensors = analysis.layout.chain.graph.tensors
    for block, names in zip(made.blocks, borders_of(made), strict=True):
        assert block.output_bits == 8 * sum(tensors[each].elements for each in names)
        assert block.working_bytes >= block.output_bits / 2, "what it makes is stored at 32 bit"


def test_a_unit_of_counting_is_said_and_kept(tmp_path: Path) -> None:
    totals = {}
    for count in CountingUnit:
        made = dnn_of(analysed(light("resnet50"), DnnRequest(count=count)), DnnRequest(count=count))
        assert (
            f"count: {count}: a multiply-add is {1 if count is CountingUnit.MACS else 2} operation" in made.provenance
        )
        totals[count] = sum(block.ops for block in made.blocks)
    # Beside the multiply-adds: 2 for each of 10.6 million normalised numbers, 1 for each ReLU, sum and pooled number.
    assert 2 * totals[CountingUnit.MACS] < totals[CountingUnit.OPS] < 2.01 * totals[CountingUnit.MACS]
