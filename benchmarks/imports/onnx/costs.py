"""What every operator of a model costs, and a clear refusal where that is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finbench.benchmarks.imports.onnx.counting import UncountableError, Work, work_of
from finbench.benchmarks.imports.onnx.graph import Operator, OperatorGraph, Tensor
from finbench.benchmarks.imports.onnx.options import CountingUnit
from finbench.benchmarks.imports.onnx.reading import shown
from finbench.models.io import InputError

_NAMED = 5


@dataclass(frozen=True)
class OperatorCosts:
    """The work of each operator of a graph."""

    work: Mapping[str, Work]
    """By the operator's first output."""
    count: CountingUnit

    def operations(self, operator: Operator) -> int:
        """Return the operations of an operator, in the unit that is asked for."""
        work = self.work[operator.outputs[0]]
        return work.macs if self.count is CountingUnit.MACS else work.ops


def costs_of(path: Path, graph: OperatorGraph, count: CountingUnit) -> OperatorCosts:
    """Return what every operator costs.

    Raises
    ------
    InputError
        If an operator cannot be counted; the line names the first of them, with the number of all.
    """
    work: dict[str, Work] = {}
    refused: list[str] = []
    for operator in graph.operators:
        try:
            work[operator.outputs[0]] = work_of(operator, graph)
        except UncountableError as error:
            why = "" if str(error) == "kind" else ": inputs or attributes do not fit its kind"
            refused.append(f"'{shown(operator.name)}' ({shown(operator.kind)}{why})")
    if refused:
        others = f" and {len(refused) - _NAMED} others" if len(refused) > _NAMED else ""
        raise InputError(path, f"cannot count the operations of {', '.join(refused[:_NAMED])}{others}")
    return OperatorCosts(work, count)


def parameters_of(graph: OperatorGraph, operators: tuple[Operator, ...]) -> dict[str, Tensor]:
    """Return the parameters that operators read, each once, by name."""
    return {tensor.name: tensor for operator in operators for tensor in graph.constants(operator)}
