"""How a plan is served."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from finbench.models.options import Options


class ServingOptions(Options):
    """How a plan is served."""

    samples: Annotated[int, Field(ge=1, le=10**6)] = 100
    """Samples of each application. [default: 100]"""
    rate: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Samples per second and application, at random moments; left out: each arises when the one before has left."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """Threads that run one operator of a part. [default: 1]"""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of random samples and moments. [default: 0]"""
