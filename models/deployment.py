"""What is decided: the last exit, a node for every block, a route for every transfer. No costs here."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finbench.models.fields import SCHEMA_VERSION, SchemaVersion
from finbench.models.instance import Name, PositiveShare


class ApplicationDeployment(BaseModel):
    """The decisions for one application.

    Whether they fit an instance is for `models.evaluate` to say; only the shape is checked here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    application: Name
    """Name of the application."""
    dnn: Annotated[Name | None, Field(exclude_if=lambda value: value is None)] = None
    """Name of the chosen alternative (eq. 29); may be left out where the application has only one DNN."""
    last_exit: Annotated[int, Field(ge=1)]
    """1-based index f of the last deployed exit."""
    placement: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    """Node x_i of every block i = 1..b(f)."""
    routes: Annotated[tuple[Annotated[tuple[Name, ...], Field(strict=False)], ...], Field(strict=False)] | None = None
    """Nodes visited by the transfer that feeds block i = 1..b(f), from x_{i-1} (x_0 the source) to x_i; empty where
    the two are equal. Left out: every transfer is a direct link or none."""
    shares: Annotated[tuple[PositiveShare, ...], Field(strict=False)] | None = None
    """Share r_i of its node's rate that every block i = 1..b(f) runs at (1 where the node reserves nothing). Left out:
    1 for every block."""

    @property
    def share_of_block(self) -> tuple[float, ...]:
        """Share of every placed block; 1 where `shares` was left out."""
        return (1.0,) * len(self.placement) if self.shares is None else self.shares

    def routes_from(self, source: str) -> tuple[tuple[str, ...], ...]:
        """Return the node sequence of every transfer; direct links where `routes` was left out."""
        if self.routes is not None:
            return self.routes
        stops = (source, *self.placement)
        return tuple(() if a == b else (a, b) for a, b in zip(stops, self.placement, strict=False))


class Deployment(BaseModel):
    """The decisions for all applications of an instance."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    deployments: Annotated[tuple[ApplicationDeployment, ...], Field(strict=False)]
    """One entry for each application that is served."""
    rejected: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Names of the applications that are turned away (eq. 23)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.deployments and not self.rejected:
            raise ValueError("deployments, rejected: at least one of the two must name an application")
        return self


class DeploymentOrigin(BaseModel):
    """What a deployment file says of where its deployment comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    instance: Name
    """Name of the instance that the deployment was made for."""
    content_hash: Name
    """The instance's content hash, targets and definitions included."""
    method: Name
    """The method that made it, with the options that matter."""
    version: Name | None = None
    """The version of finbench; None where it is not installed."""


class DeploymentFile(Deployment):
    """A deployment as its file holds it. Files without an origin are read as well."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    made_for: DeploymentOrigin | None = None
    """Instance, method and version; None where the file does not say."""

    @property
    def deployment(self) -> Deployment:
        """The decisions alone."""
        return Deployment(deployments=self.deployments, rejected=self.rejected)
