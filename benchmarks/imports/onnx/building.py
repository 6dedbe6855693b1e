"""From a model file to its operators: which run anew for every sample, and what they read and make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from finbench.benchmarks.imports.onnx.graph import Attribute, Operator, OperatorGraph, Tensor
from finbench.benchmarks.imports.onnx.reading import ModelFile, shown
from finbench.benchmarks.imports.onnx.shapes import data_inputs, tensors_of
from finbench.models.io import InputError

OF_SHAPES_ALONE = frozenset({"Shape", "Size"})
"""Kinds of operators whose output follows from the sizes of their inputs."""

DRAWN = frozenset(
    {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
"""Kinds of operators that make other values each time, whatever they read."""


def operator_graph(file: ModelFile, input_shapes: Mapping[str, Sequence[int]]) -> OperatorGraph:
    """Return the operators of a model that run anew for every sample, with the tensors around them.

    An operator that reads constants alone makes constants: it runs once, when the model is loaded, and what it makes
    counts as parameters of the operators that read it.

    Raises
    ------
    InputError
        If an operator reads a tensor that none before it makes, a tensor is made twice, or a size is unknown.
    """
    operators = [_operator(node) for node in file.model.graph.node]
    constants, flowing = _traced(file, operators)
    made = {name for operator in operators for name in operator.made}
    outputs = tuple(each.name for each in file.model.graph.output)
    for name in outputs:
        if name in constants or name not in made:
            why = "is the same for every sample" if name in constants else "is made by no operator"
            raise InputError(file.path, f"output '{shown(name)}': {why}")
    running = tuple(each for each in operators if any(name in flowing for name in each.made))
    inputs = tuple(each.name for each in data_inputs(file))
    whole = OperatorGraph(running, {}, inputs, outputs)
    needed = whole.needed_for(outputs)
    used = {name for k in needed for name in running[k].read}.union(outputs)
    kept = tuple(_without_unused(operator, used) for k, operator in enumerate(running) if k in needed)
    inputs = tuple(name for name in inputs if name in used)
    names = [*inputs, *(name for operator in kept for name in (*operator.read, *operator.made))]
    return OperatorGraph(kept, _sized(file, tensors_of(file, input_shapes), names, constants), inputs, outputs)


def _operator(node: Any) -> Operator:
    name = node.name or next((each for each in node.output if each), node.op_type)
    domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
    attributes = {each.name: value for each in node.attribute if (value := _attribute(each)) is not None}
    return Operator(name, domain + node.op_type, tuple(node.input), tuple(node.output), attributes)


def _without_unused(operator: Operator, used: set[str]) -> Operator:
    """Return the operator without further outputs that nobody reads, such as a mask of `Dropout`."""
    first, *others = operator.outputs
    return replace(operator, outputs=(first, *(name if name in used else "" for name in others)))


def _attribute(attribute: Any) -> Attribute | None:
    """Return the value of an attribute; None where its kind plays no part in counting."""
    kinds = attribute.AttributeType
    if attribute.type == kinds.INT:
        return int(attribute.i)
    if attribute.type == kinds.FLOAT:
        return float(attribute.f)
    if attribute.type == kinds.STRING:
        return bytes(attribute.s).decode(errors="replace")
    return tuple(attribute.ints) if attribute.type == kinds.INTS else None


def _traced(file: ModelFile, operators: list[Operator]) -> tuple[set[str], set[str]]:
    """Return the names of constant tensors, and of those that depend on the sample."""
    constants = {tensor.name for tensor in file.model.graph.initializer}
    flowing = {each.name for each in data_inputs(file)}
    later = {name for operator in operators for name in operator.made}
    for operator in operators:
        _check_read(file, operator, constants, flowing, later)
        fixed = all(name in constants for name in operator.read) or operator.kind in OF_SHAPES_ALONE
        made = constants if fixed and operator.kind not in DRAWN else flowing
        for name in operator.made:
            if name in constants or name in flowing:
                raise InputError(file.path, f"operator '{shown(operator.name)}': makes '{shown(name)}' a second time")
            made.add(name)
    return constants, flowing


def _check_read(file: ModelFile, operator: Operator, constants: set[str], flowing: set[str], later: set[str]) -> None:
    for name in operator.read:
        if name not in constants and name not in flowing:
            where = f"operator '{shown(operator.name)}' ({shown(operator.kind)}): reads '{shown(name)}'"
            why = "which only a later operator makes: a cycle, or out of order" if name in later else "which is missing"
            raise InputError(file.path, f"{where}, {why}")


def _sized(
    file: ModelFile, found: Mapping[str, Tensor | None], names: list[str], constants: set[str]
) -> dict[str, Tensor]:
    """Return the named tensors, of which all must have a known size."""
    unknown = [name for name in dict.fromkeys(names) if found.get(name) is None]
    if unknown:
        inputs = ", ".join(shown(each.name) for each in data_inputs(file))
        first = ", ".join(f"'{shown(name)}'" for name in unknown[:3])
        raise InputError(
            file.path,
            f"unknown dimensions of {len(unknown)} tensors ({first}): give --input-shape (inputs: {inputs}); where "
            "that is no help, they depend on the sample's values",
        )
    return {
        name: replace(tensor, constant=name in constants)
        for name in dict.fromkeys(names)
        if (tensor := found[name]) is not None
    }
