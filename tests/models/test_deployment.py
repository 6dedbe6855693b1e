"""The shape of decisions: what may be left out, and what must be there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from finbench.models.deployment import ApplicationDeployment, Deployment

DECISION: dict[str, Any] = {"application": "app", "last_exit": 1, "placement": ("device", "edge")}


def test_shares_and_routes_left_out_have_defaults() -> None:
    plain = ApplicationDeployment(**DECISION)
    assert plain.share_of_block == (1.0, 1.0)
    assert plain.routes_from("device") == ((), ("device", "edge"))
    assert ApplicationDeployment(**DECISION, shares=(0.5, 1.0)).share_of_block == (0.5, 1.0)
    assert Deployment(deployments=(plain,)).rejected == ()


@pytest.mark.parametrize("shares", [(0.0, 1.0), (1.0, 1.5), (-0.5, 1.0), (float("nan"), 1.0), ("1", 1.0)])
def test_a_share_lies_between_nothing_and_the_whole(shares: Any) -> None:
    with pytest.raises(ValidationError):
        ApplicationDeployment(**DECISION, shares=shares)


def test_someone_is_served_or_rejected() -> None:
    assert Deployment(deployments=(), rejected=("app",)).deployments == ()
    with pytest.raises(ValidationError, match="at least one of the two"):
        Deployment(deployments=())
