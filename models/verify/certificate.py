"""What a certificate holds: prices and multipliers from which a bound on the optimum can be recomputed.

Nothing in it has to be believed. For any prices π ≥ 0 and any multipliers μ ≥ 0 the checker arrives at a number that no
deployment's objective lies below (eqs. 19, 25); good ones make this number large.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from finbench.models.fields import SCHEMA_VERSION, SchemaVersion
from finbench.models.instance import Name, NonNegative


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class CertificateKind(StrEnum):
    """What a certificate is meant to prove."""

    BOUND = "bound"
    """No deployment's objective lies below a number."""
    INFEASIBLE = "infeasible"
    """There is no deployment."""


class ResourceKind(StrEnum):
    """What a price is paid for."""

    COMPUTE = "compute"
    MEMORY = "memory"
    BANDWIDTH = "bandwidth"
    RESERVATION = "reservation"


class ResourcePrice(_Part):
    """The price π_r of one resource."""

    resource: Annotated[ResourceKind, Field(strict=False)]
    """What is paid for."""
    subject: Annotated[str, Field(min_length=1)]
    """The node, or the link as `n->m`."""
    price_w: NonNegative
    """Price of the whole resource [W]; for `infeasible` in any unit."""


class ApplicationProof(_Part):
    """What the search for one application's least cost is guided by."""

    application: Name
    """Its name; applications that differ in their names alone need no entry of their own."""
    dnn: Annotated[Name | None, Field(exclude_if=lambda value: value is None)] = None
    """The alternative that the entry is for, where it has several; each has an entry of its own."""
    multiplier: NonNegative = 0.0
    """Multiplier μ of its latency row [W/s, or J/s where no rate is given]."""
    least: NonNegative | None = None
    """What its least cost at the prices is said to be [unit of the objective]; paths below it are looked for. Left
    out: the deployment's objective for a single application, else the bound by the multiplier alone."""


class Certificate(_Part):
    """A proof that can be recomputed."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    instance: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Content hash of the instance."""
    claim: Annotated[CertificateKind, Field(strict=False)] = CertificateKind.BOUND
    """What it is meant to prove."""
    lower_bound: float | None = None
    """The bound that its maker claims [unit of the objective]; what counts is the recomputed one."""
    method: str = ""
    """Who made it."""
    version: str = ""
    """Version of finbench that made it."""
    prices: Annotated[tuple[ResourcePrice, ...], Field(strict=False)] = ()
    """Prices of resources; those left out are 0."""
    applications: Annotated[tuple[ApplicationProof, ...], Field(strict=False)] = ()
    """Multipliers; those left out are 0."""
