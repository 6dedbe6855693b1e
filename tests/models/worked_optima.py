"""Least energies of B-AlexNet on the published network at 80 % accuracy, found outside this package."""

from __future__ import annotations

from finbench.models.instance import Accounting, Instance
from finbench.models.io import load_instance

FULL, EXPECTED = Accounting.FULL_DEPTH, Accounting.EXPECTED

WORKED_OPTIMA = [
    (0.0025, FULL, 0.13950, "dcccc"),
    (0.0030, FULL, 0.08991, "ddeee"),
    (0.0040, FULL, 0.08560, "dddcc"),
    (0.0060, FULL, 0.06409, "ddddc"),
    (0.0070, FULL, 0.03938, "ddddd"),
    (0.0025, EXPECTED, 0.04551, "dcccc"),
    (0.0030, EXPECTED, 0.02954, "ddccc"),
    (0.0040, EXPECTED, 0.02140, "dddcc"),
    (0.0060, EXPECTED, 0.01942, "ddddc"),
    (0.0070, EXPECTED, 0.01714, "ddddd"),
]
"""(latency target [s], accounting, least energy [J] to five decimals, initials of the placement)."""


def published(max_latency_s: float, accounting: Accounting) -> Instance:
    """The published scenario at one point of its grid."""
    return load_instance("balexnet-cifar10").with_overrides(
        max_latency_s=max_latency_s, min_accuracy=0.8, accounting=accounting
    )
