"""Options of the mixed-integer programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import WrapValidator

from finbench.models.milp.solvers.registry import SOLVERS, SolverName
from finbench.models.options import ReducedProgramOptions, SolverOptions


def _registered(name: object, own: Callable[[object], Any]) -> Any:
    """Return the name of a solver of the registry, which plugins may have extended; else what the own names rule."""
    return name if isinstance(name, str) and name in SOLVERS else own(name)


class MilpOptions(SolverOptions):
    """Options of every mixed-integer program."""

    solver: Annotated[SolverName, WrapValidator(_registered)] = "highs"
    """The solver, one that `finbench methods` lists as installed."""


class MilpFlowOptions(MilpOptions, ReducedProgramOptions):
    """Options of `milp-flow`."""

    warm_start: Literal["none", "fin"] = "none"
    """Start from FIN's deployment; FIN's time is the phase `warm_start`."""
