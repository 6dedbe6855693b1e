"""What a command line or a campaign may choose: targets and choices that override an instance's own, and formats."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finbench.models.instance import Accounting, Instance, LatencyKind, NonNegative, Share
from finbench.models.io import InputError


class Choices(BaseModel):
    """What to change; None keeps what the instance says."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_latency_s: NonNegative | None = None
    min_accuracy: Share | None = None
    accounting: Annotated[Accounting | None, Field(strict=False)] = None
    latency_kind: Annotated[LatencyKind | None, Field(strict=False)] = None

    def apply(self, instance: Instance) -> Instance:
        """The instance with these choices.

        Raises
        ------
        InputError
            If targets are given for an instance of several applications.
        """
        try:
            return instance.with_choices(
                max_latency_s=self.max_latency_s,
                min_accuracy=self.min_accuracy,
                accounting=self.accounting,
                latency_kind=self.latency_kind,
            )
        except ValueError as error:
            raise InputError(f"instance '{instance.name}'", str(error)) from None


class MilpName(StrEnum):
    """The methods that have a program to write."""

    FLOW = "milp-flow"
    ASSIGNMENT = "milp-assignment"


class FileFormat(StrEnum):
    """How a program is written."""

    MPS = "mps"
    LP = "lp"


class BackendName(StrEnum):
    """Where the runs of a campaign are made."""

    LOCAL = "local"
    DASK = "dask"
