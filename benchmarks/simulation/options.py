"""What a simulation is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from finbench.models.options import Options, PartOption

MOST_SAMPLES = 2**24
"""Samples of one simulation at most: about 2 GB, and ten seconds."""


class SimulationOptions(Options):
    """Options of a simulation."""

    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = 100_000
    """Samples of all applications together. [default: 100000]"""
    arrivals: Literal["poisson", "periodic", "bursty", "alone"] = "poisson"
    """How samples follow each other; `alone`: never two at a time. [default: poisson]"""
    service: Literal["fixed", "exponential"] = "fixed"
    """Whether a service always takes its mean or varies exponentially around it. [default: fixed]"""
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Part of the time that is left out at the beginning. [default: 0.1]"""
    until_ci: Annotated[Annotated[float, Field(ge=1e-3, lt=1)] | None, PartOption()] = None
    """Double the samples until the 95 % intervals of mean energies and latencies are at most this part of them (1%)."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of everything that is drawn. [default: 0]"""
