"""How far the old figures of an instance were off: every measured figure beside the one that it replaces."""

from __future__ import annotations

from dataclasses import dataclass

from finbench.benchmarks.measuring.calibration import Measurements, measured_blocks
from finbench.models.instance import Instance
from finbench.models.step_costs import run_once


@dataclass(frozen=True)
class Correction:
    """A figure of the instance, as it was and as it was measured."""

    subject: str
    """Such as `edge: block 2 of cnn`."""
    quantity: str
    """Such as `time`."""
    unit: str
    before: float | None
    """None: it had none."""
    after: float

    @property
    def factor(self) -> float | None:
        """What the old figure must be multiplied with; None where there was none."""
        return self.after / self.before if self.before else None


def corrections(old: Instance, new: Instance, measured: Measurements) -> list[Correction]:
    """Return every measured figure beside its old one: times and energies of blocks, rates and delays of links."""
    found = []
    for node, dnn, block in measured_blocks(old, measured):
        before = run_once(old, dnn, block, node) or (None, None)
        after = run_once(new, new.dnn_by_name[dnn.name], block, new.network.node_by_name[node.name])
        if after is not None:
            subject = f"{node.name}: block {block} of {dnn.name}"
            found.append(Correction(subject, "time", "s", before[0], after[0]))
            found.append(Correction(subject, "energy", "J", before[1], after[1]))
    for rate in measured.links:
        link, subject = old.network.link_by_pair[rate.source, rate.target], f"{rate.source} -> {rate.target}"
        found.append(Correction(subject, "rate", "bit/s", link.bandwidth_bit_per_s, rate.bits_per_s))
        if rate.delay_s is not None:
            found.append(Correction(subject, "delay", "s", link.delay_s, rate.delay_s))
    return found
