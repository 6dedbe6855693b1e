"""The deployment that a row records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from finbench.benchmarks.rows.row import Row
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import validate


def recorded_decisions(row: Row, instance: Instance) -> dict[str, Any] | None:
    """Return the decisions of a row as a deployment file has them, not checked; None where it records none."""
    deployed = row.get("deployments") or []
    if not deployed and not row.get("rejected"):
        return None
    return {"deployments": deployed, "rejected": turned_away(deployed, instance) if row.get("rejected") else []}


def turned_away(deployed: Iterable[Mapping[str, Any]], instance: Instance) -> list[str]:
    """Return the applications of an instance of which there is no deployment."""
    served = {one["application"] for one in deployed}
    return [app.name for app in instance.applications if app.name not in served]


def as_deployment(decisions: Mapping[str, Any], where: str) -> Deployment:
    """Return the deployment that decisions make; raise InputError, naming `where`, if they break the format."""
    return validate(dict(decisions), Deployment, where)
