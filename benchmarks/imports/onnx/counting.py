r"""What running an operator once takes, from the definitions of the operators.

A multiply-add is one step of a sum of products. With x elements in an operator's first input and y in its first output:

- `Conv`: y · (input channels of a group) · (extent of the kernel); `ConvTranspose`: x · (output channels of a group) ·
  (extent of the kernel); `Gemm`, `MatMul`: y · (length of the sum); `Einsum`: the product of all its indices' extents;
  recurrent layers: steps · directions · batch · gates · hidden · (inputs + hidden).
- Other operations are additions, products, comparisons and functions of one number, each of which counts as one.

Operators that only move or rename data take no operation. A kind that is not known here is refused, never counted as 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from finbench.benchmarks.imports.onnx.graph import Operator, OperatorGraph


class UncountableError(ValueError):
    """Raised where an operator's work does not follow from what is known of it."""


@dataclass(frozen=True)
class Work:
    """What running an operator once takes."""

    macs: int = 0
    """Multiply-adds."""
    other: int = 0
    """Operations that are no multiply-adds."""

    @property
    def ops(self) -> int:
        """Operations, of which a multiply-add is two."""
        return 2 * self.macs + self.other


Counter = Callable[[Operator, OperatorGraph], Work]


def work_of(operator: Operator, graph: OperatorGraph) -> Work:
    """Return what running an operator once takes.

    Raises
    ------
    UncountableError
        If its kind is not known here, or its inputs do not fit its kind.
    """
    counter = _COUNTERS.get(operator.kind)
    if counter is None:
        raise UncountableError("kind")
    try:
        return counter(operator, graph)
    except (IndexError, ValueError, KeyError):
        raise UncountableError("inputs") from None


def _shape(operator: Operator, graph: OperatorGraph, position: int) -> tuple[int, ...]:
    return graph.tensors[operator.inputs[position]].shape


def _read(operator: Operator, graph: OperatorGraph) -> int:
    return graph.tensors[operator.inputs[0]].elements


def _made(operator: Operator, graph: OperatorGraph) -> int:
    return graph.tensors[operator.outputs[0]].elements


def _is_given(operator: Operator, position: int) -> bool:
    return len(operator.inputs) > position and bool(operator.inputs[position])


def _nothing(_: Operator, __: OperatorGraph) -> Work:
    return Work()


def _per_made(operations: int) -> Counter:
    return lambda operator, graph: Work(other=operations * _made(operator, graph))


def _per_read(operations: int) -> Counter:
    return lambda operator, graph: Work(other=operations * _read(operator, graph))


def _combined(operator: Operator, graph: OperatorGraph) -> Work:
    """Return the work of combining k inputs element by element."""
    return Work(other=max(1, len(operator.read) - 1) * _made(operator, graph))


def _conv(weights: int, bias: int) -> Counter:
    def counted(operator: Operator, graph: OperatorGraph) -> Work:
        made = _made(operator, graph)
        macs = made * prod(_shape(operator, graph, weights)[1:])
        return Work(macs, made if _is_given(operator, bias) else 0)

    return counted


def _conv_transpose(operator: Operator, graph: OperatorGraph) -> Work:
    macs = _read(operator, graph) * prod(_shape(operator, graph, 1)[1:])
    return Work(macs, _made(operator, graph) if _is_given(operator, 2) else 0)


def _gemm(operator: Operator, graph: OperatorGraph) -> Work:
    rows, columns = _shape(operator, graph, 0)
    inner = rows if operator.whole("transA", 0) else columns
    made = _made(operator, graph)
    return Work(made * inner, made if _is_given(operator, 2) else 0)


def _matmul(operator: Operator, graph: OperatorGraph) -> Work:
    return Work(_made(operator, graph) * _shape(operator, graph, 0)[-1])


def _einsum(operator: Operator, graph: OperatorGraph) -> Work:
    terms = operator.text("equation", "").replace(" ", "").partition("->")[0].split(",")
    shapes = [graph.tensors[name].shape for name in operator.inputs]
    if len(terms) != len(shapes) or any("." in term for term in terms):
        raise ValueError(terms)
    extents = {
        index: extent
        for term, shape in zip(terms, shapes, strict=True)
        for index, extent in zip(term, shape, strict=True)
    }
    total = prod(extents.values())
    return Work(max(0, len(terms) - 1) * total) if len(terms) > 1 else Work(other=total)


def _recurrent(gates: int) -> Counter:
    def counted(operator: Operator, graph: OperatorGraph) -> Work:
        steps, batch = _shape(operator, graph, 0)[:2]  # their product is the same in either layout
        directions, _, hidden = _shape(operator, graph, 2)
        inputs = _shape(operator, graph, 1)[2]
        units = steps * batch * directions * gates * hidden
        return Work(units * (inputs + hidden), 2 * units)

    return counted


def _pool(operator: Operator, graph: OperatorGraph) -> Work:
    kernel = operator.numbers("kernel_shape")
    if kernel is None:
        raise ValueError("kernel_shape")
    return Work(other=_made(operator, graph) * prod(kernel))


def _lrn(operator: Operator, graph: OperatorGraph) -> Work:
    """Square, sum over the neighbours, scale, shift, power, quotient."""
    size = operator.whole("size", 0)
    if size < 1:
        raise ValueError("size")
    return Work(other=(size + 5) * _made(operator, graph))


def _resize(operator: Operator, graph: OperatorGraph) -> Work:
    """Nothing for the nearest element; a weighed sum of 2 or 4 neighbours along each dimension that changes."""
    mode = operator.text("mode", "nearest")
    before, after = _shape(operator, graph, 0), graph.tensors[operator.outputs[0]].shape
    changed = sum(one != other for one, other in zip(before, after, strict=True))
    taps = {"nearest": 0, "linear": 2, "cubic": 4}[mode]
    return Work(taps**changed * _made(operator, graph) if taps else 0)


_MOVES = (
    "Cast CastLike Compress Concat ConstantOfShape DepthToSpace Dropout Expand EyeLike Flatten Gather GatherElements "
    "GatherND Identity NonZero OneHot Pad Range Reshape ReverseSequence ScatterElements ScatterND Size Slice "
    "SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Upsample"
)
_ONE_PER_ELEMENT = (
    "Abs Acos Acosh Asin Asinh Atan Atanh BitShift BitwiseNot Ceil Clip Cos Cosh Erf Exp Floor HardSigmoid IsInf IsNaN "
    "LeakyRelu Log Neg Not PRelu Reciprocal Relu Round Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh "
    "ThresholdedRelu Where"
)
_SEVERAL_PER_ELEMENT = {
    "BatchNormalization": 2,
    "Celu": 3,
    "DequantizeLinear": 2,
    "Elu": 2,
    "Gelu": 5,
    "GroupNormalization": 7,
    "HardSwish": 3,
    "InstanceNormalization": 7,
    "LayerNormalization": 7,
    "LogSoftmax": 5,
    "LpNormalization": 4,
    "Mish": 4,
    "QuantizeLinear": 2,
    "Selu": 3,
    "Softmax": 5,
    "Swish": 2,
}
_COMBINES = (
    "Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or "
)
_COMBINES += "Pow Sub Sum Xor"
_REDUCES = {
    "ArgMax": 1,
    "ArgMin": 1,
    "CumSum": 1,
    "GlobalAveragePool": 1,
    "GlobalMaxPool": 1,
    "ReduceL1": 2,
    "ReduceL2": 2,
    "ReduceLogSum": 1,
    "ReduceLogSumExp": 2,
    "ReduceMax": 1,
    "ReduceMean": 1,
    "ReduceMin": 1,
    "ReduceProd": 1,
    "ReduceSum": 1,
    "ReduceSumSquare": 2,
}

_COUNTERS: dict[str, Counter] = {
    **dict.fromkeys(_MOVES.split(), _nothing),
    **dict.fromkeys(_ONE_PER_ELEMENT.split(), _per_made(1)),
    **{kind: _per_made(count) for kind, count in _SEVERAL_PER_ELEMENT.items()},
    **dict.fromkeys(_COMBINES.split(), _combined),
    **{kind: _per_read(count) for kind, count in _REDUCES.items()},
    "AveragePool": _pool,
    "Conv": _conv(1, 2),
    "ConvInteger": _conv(1, 9),
    "ConvTranspose": _conv_transpose,
    "Einsum": _einsum,
    "GRU": _recurrent(3),
    "Gemm": _gemm,
    "LRN": _lrn,
    "LSTM": _recurrent(4),
    "LpPool": _pool,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "MaxPool": _pool,
    "QLinearConv": _conv(3, 8),
    "QLinearMatMul": _matmul,
    "RNN": _recurrent(1),
    "Resize": _resize,
}
"""For every kind of operator that is known, the function that counts its work."""
