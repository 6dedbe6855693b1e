"""Options of methods, each declared once: in a class whose fields have a default, a rule and one line of help.

Command-line flags, checks of campaign files, labels and lists of options all follow from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class Flag:
    """How the command line spells an option whose field name does not say it well; stands in the field's annotation."""

    spelling: str
    """A flag, or two of them around a slash for an option that is on or off."""


@dataclass(frozen=True)
class PartOption:
    """Marks an option that is a part of something: the command line reads 5% as well as 0.05."""


class Options(BaseModel):
    """Options of a method: names, defaults, ranges, one line of help each. This base has none."""

    always_shown: ClassVar[tuple[str, ...]] = ()
    """Options that a label names even at their default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class SolverOptions(Options):
    """Options of every method that hands a program to a solver."""

    mip_gap: Annotated[float, Field(ge=0)] = 0.0
    """Relative gap at which the solver may stop."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """Threads that the solver may use."""


class ReducedProgramOptions(SolverOptions):
    """Options of every method that can reduce its program by bounds before the solver starts."""

    strengthen: Annotated[bool, Flag("--strengthen/--plain")] = True
    """Remove what bounds prove useless before the solver starts; off: the plain formulation."""
