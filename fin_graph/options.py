"""Options of the methods on graphs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from finbench.models.options import Options

Order = Literal["tightest", "largest", "given"]
"""Which of several applications FIN places first."""


class FinOptions(Options):
    """Options of `fin`."""

    always_shown = ("gamma",)

    gamma: Annotated[int, Field(ge=1)] = 100
    """Resolution γ: steps that the latency budget is divided into."""
    band: Annotated[int, Field(ge=0)] | None = Field(default=None, validation_alias=AliasChoices("band", "lambda_"))
    """Keep only ends that use all but this many steps of the budget; left out: keep all."""
    rounding: Literal["per-edge", "cumulative"] = "per-edge"
    """Round latencies up to steps edge by edge, as published, or along the path: never worse, slower."""
    engine: Literal["auto", "networkx", "arrays"] = "auto"
    """Build the three graphs (networkx), or relax them without building them (arrays)."""
    certify: Annotated[float, Field(ge=0)] | None = None
    """Double gamma until the proven gap is at most this; 0 asks for the optimum; left out: no proof."""
    order: Order = "tightest"
    """Several applications: place first who has least slack in latency, who loads most, or who is given first."""
    restarts: Annotated[int, Field(ge=0)] = 9
    """Several applications: further insertions in drawn orders, as far as effort lasts."""
    effort: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """Several applications: work of improvement; 1 is the default amount, 0 none."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """Several applications: cores that search at once; the answer does not depend on it."""

    @property
    def how(self) -> Literal["up", "cumulative"]:
        """How searches for an answer round latencies to steps (eqs. 17, 32)."""
        return "up" if self.rounding == "per-edge" else "cumulative"


class SingleNodeOptions(Options):
    """Options of `single-node`."""

    node: Literal["best", "source"] = "best"
    """Try every node and keep the one of least energy (best), or only the application's source."""


class LabelSettingOptions(Options):
    """Options of `label-setting`."""

    k: Annotated[int, Field(ge=1, le=10**9)] = 1
    """Number of least-energy deployments to find."""


class ColumnGenerationOptions(Options):
    """Options of `column-generation`."""

    smoothing: bool = True
    """Price columns between the best prices and the master's; off: at the master's."""
    prove: bool = True
    """List the columns that a better solution could use, and solve over them."""


class BranchingOptions(Options):
    """Options of `branch-price-and-cut`."""

    cuts: bool = True
    """Cut off fractions by cover inequalities of compute, memory, bandwidth and reservations."""
    lists: bool = True
    """Close nodes whose columns can be listed by the program in whole numbers over them."""
