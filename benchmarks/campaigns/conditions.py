"""How the runs of a campaign are made, as its file or the command line says."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_REPETITIONS = 100_000
MAX_THREADS = 1024

TimeLimit = Annotated[float, Field(gt=0, le=1e9)]
MemoryLimit = Annotated[float, Field(gt=0, le=1e6)]
Repetitions = Annotated[int, Field(ge=1, le=MAX_REPETITIONS)]
Threads = Annotated[int, Field(ge=1, le=MAX_THREADS)]
SimulatedSamples = Annotated[int, Field(ge=1, le=2**24)]


class Table(BaseModel):
    """A table of a campaign file: unknown fields and values out of range are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Conditions(Table):
    """How runs are made, as a campaign, one of its entries or the command line says. None: it does not say."""

    time_limit_s: TimeLimit | None = None
    """Limit for each run [s]."""
    memory_limit_gib: MemoryLimit | None = None
    """Memory that each run may take beyond what its process held before [GiB]; not given: no limit."""
    repetitions: Repetitions | None = None
    """How often each run is made; not given: once."""
    warm_up: bool | None = None
    """Whether a method runs unrecorded before its first run in a process; not given: it does."""
    threads: Threads | None = None
    """Threads of the solver, for methods that have the option and do not set it themselves; not given: one."""
    simulated_samples: SimulatedSamples | None = None
    """Samples that arrive, simulated, at each deployment found; not given: deployments are not simulated."""


class BackendName(StrEnum):
    """Where the runs of a campaign are made."""

    LOCAL = "local"
    DASK = "dask"
