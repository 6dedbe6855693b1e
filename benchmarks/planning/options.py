"""What a plan that holds under load is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from finbench.benchmarks.simulation.options import SimulationOptions
from finbench.models.options import PartOption

MOST_ROUNDS = 1000
"""Rounds of planning and simulating at most."""


class PlanningOptions(SimulationOptions):
    """Options of a plan that its own simulation must bear out; those of a simulation among them."""

    until_simulated: Annotated[float, Field(gt=0, lt=1), PartOption()] = 0.95
    """Share of samples that must meet the target δ in simulation. [default: 0.95]"""
    of: Literal["each", "all"] = "each"
    """Whether that share is asked of each application, or of all samples together. [default: each]"""
    rounds: Annotated[int, Field(ge=1, le=MOST_ROUNDS)] = 12
    """Rounds of planning and simulating at most. [default: 12]"""

    def simulation(self) -> SimulationOptions:
        """Return how each round simulates."""
        own = SimulationOptions.model_fields
        return SimulationOptions(**{name: value for name, value in self.model_dump().items() if name in own})
