"""Every performance target, measured in one run and marked where it is missed (`finbench bench`).

Absolute times depend on the machine; ratios are taken between medians measured in the same process, one after the
other. Everything runs on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from finbench.benchmarks.upkeep import command_targets, crowd_targets, exact_targets, fin_targets
from finbench.benchmarks.upkeep.branching_targets import branching
from finbench.benchmarks.upkeep.joint_targets import many_applications
from finbench.benchmarks.upkeep.measurement import Measurement

PARTS: dict[str, Callable[[], Iterator[Measurement]]] = {
    "published": fin_targets.published,
    "cold-start": command_targets.cold_start,
    "overhead": command_targets.overhead,
    "engines": fin_targets.backends,
    "rates": fin_targets.rates,
    "roundings": fin_targets.roundings,
    "large": fin_targets.large,
    "growth": fin_targets.growth,
    "labels": exact_targets.labels,
    "alternatives": exact_targets.alternatives,
    "capacities": exact_targets.capacities,
    "cspy": exact_targets.cspy,
    "handover": exact_targets.handover,
    "proofs": exact_targets.proofs,
    "threads": crowd_targets.threads,
    "many": many_applications,
    "overload": crowd_targets.overload,
    "crowd": crowd_targets.crowd,
    "branching": branching,
}
"""Parts of the measuring program, the quick ones first."""


def measure(parts: Sequence[str] = ()) -> Iterator[Measurement]:
    """Measure the targets of some parts, or of all."""
    for name, part in PARTS.items():
        if name in parts or not parts:
            yield from part()
