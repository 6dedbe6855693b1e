"""What a command line or a campaign may change about an instance."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finbench.models.instance import Accounting, Instance, LatencyKind, NonNegative, Objective, PositiveShare, Share
from finbench.models.io import InputError


class Overrides(BaseModel):
    """Targets and definitions that replace an instance's own; None keeps what the instance says."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    max_latency_s: NonNegative | None = None
    """Latency target δ [s]."""
    min_accuracy: Share | None = None
    """Accuracy target α, in [0, 1]."""
    accounting: Annotated[Accounting | None, Field(strict=False)] = None
    """How energy is counted (eq. 1)."""
    latency_kind: Annotated[LatencyKind | None, Field(strict=False)] = None
    """Which latency must meet the target (eq. 2)."""
    latency_quantile: PositiveShare | None = None
    """Share of samples that leave within the target, in (0, 1]: the latency kind `quantile` (eq. 30)."""
    objective: Annotated[Objective | None, Field(strict=False)] = None
    """What is minimised (eq. 31)."""

    def apply(self, instance: Instance) -> Instance:
        """Return the instance with these overrides.

        Raises
        ------
        InputError
            If targets are given for an instance of several applications.
        """
        try:
            return instance.with_overrides(
                max_latency_s=self.max_latency_s,
                min_accuracy=self.min_accuracy,
                accounting=self.accounting,
                latency_kind=self.latency_kind,
                latency_quantile=self.latency_quantile,
                objective=self.objective,
            )
        except ValueError as error:
            raise InputError(f"instance '{instance.name}'", str(error)) from None
