"""Options of the mixed-integer programs."""

from __future__ import annotations

from typing import Literal

from finbench.models.milp.solvers.registry import SolverName
from finbench.models.options import ReducedProgramOptions, SolverOptions


class MilpOptions(SolverOptions):
    """Options of every mixed-integer program."""

    solver: SolverName = "highs"
    """The solver, one that `finbench methods` lists as installed."""


class MilpFlowOptions(MilpOptions, ReducedProgramOptions):
    """Options of `milp-flow`."""

    warm_start: Literal["none", "fin"] = "none"
    """Start from FIN's deployment; FIN's time is the phase `warm_start`."""
