"""Every performance target, measured in one run and marked where it is missed (`finbench bench`).

Absolute times depend on the machine; ratios are taken between medians measured in the same process, one after the
other. Everything runs on one core.
"""

from __future__ import annotations

from collections.abc import Iterator

from finbench.benchmarks.upkeep import command_targets, exact_targets, fin_targets
from finbench.benchmarks.upkeep.joint_targets import many_applications
from finbench.benchmarks.upkeep.measurement import Measurement


def measure() -> Iterator[Measurement]:
    """Measure all targets, in an order that yields the quick ones first."""
    for part in (
        *(fin_targets.published, command_targets.cold_start, command_targets.overhead),
        *(fin_targets.backends, fin_targets.rates, fin_targets.large, fin_targets.growth),
        *(
            exact_targets.labels,
            exact_targets.capacities,
            exact_targets.cspy,
            exact_targets.handover,
            exact_targets.proofs,
        ),
        many_applications,
    ):
        yield from part()
