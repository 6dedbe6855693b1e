"""What is decided: the last exit, a node for every block, a route for every transfer. No costs here."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.instance import Name


class ApplicationDeployment(BaseModel):
    """The decisions for one application.

    Whether they fit an instance is for `models.evaluate` to say; only the shape is checked here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    application: Name
    """Name of the application."""
    last_exit: Annotated[int, Field(ge=1)]
    """1-based index f of the last deployed exit."""
    placement: Annotated[tuple[Name, ...], Field(min_length=1, strict=False)]
    """Node x_i of every block i = 1..b(f)."""
    routes: Annotated[tuple[Annotated[tuple[Name, ...], Field(strict=False)], ...], Field(strict=False)] | None = None
    """Nodes visited by the transfer that feeds block i = 1..b(f), from x_{i-1} (x_0 the source) to x_i; empty where
    the two are equal. Left out: every transfer is a direct link or none."""

    def routes_from(self, source: str) -> tuple[tuple[str, ...], ...]:
        """Node sequence of every transfer; direct links where `routes` was left out."""
        if self.routes is not None:
            return self.routes
        stops = (source, *self.placement)
        return tuple(() if a == b else (a, b) for a, b in zip(stops, self.placement, strict=False))


class Deployment(BaseModel):
    """The decisions for all applications of an instance."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    deployments: Annotated[tuple[ApplicationDeployment, ...], Field(min_length=1, strict=False)]
    """One entry for each application."""
