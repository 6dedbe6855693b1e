"""What a profile of a machine is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from finbench.models.options import Options

MOST_PASSES = 100_000


class ProfileOptions(Options):
    """Options of a profile."""

    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """Threads that an operator may use. [default: 1]"""
    repetitions: Annotated[int, Field(ge=2, le=MOST_PASSES)] = 30
    """Recorded passes over all blocks. [default: 30]"""
    warm_up: Annotated[int, Field(ge=0, le=MOST_PASSES)] = 3
    """Passes before them that are not recorded. [default: 3]"""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of random inputs. [default: 0]"""


POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the energy counters of processors."""
