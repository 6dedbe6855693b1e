"""What it would save if a node or link were faster, for one application: exact, by solving again.

An upgrade makes one part faster by the factor f at equal energy (`parts`). It widens what meets the latency target, so
the optimum falls with f and never rises: E(f) ≥ E(f') for f ≤ f'. What was found for a greater factor is a bound for a
smaller one, the optimum as it is bounds all from above, and the least energy through the part (`energies_through`)
rules out most parts without any search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from finbench.fin_graph.joint.explanation.alone import LoneApplication
from finbench.fin_graph.joint.explanation.cheapest import Cheapest
from finbench.fin_graph.joint.explanation.parts import NetworkPart
from finbench.models.result import Clock
from finbench.models.tolerances import FLOAT_NOISE, equal_energy

FACTORS = (1.1, 1.3, 2.0)
"""By which parts are made faster, and latency targets looser."""


@dataclass(frozen=True)
class Saving:
    """What a change would save, in the objective's unit: J per inference, or W where there are rates."""

    factor: float
    """By which the part is faster, or the latency target looser."""
    saving: float
    """Found: a deployment that costs so much less is known. 0 within the tolerance of equal energies."""
    at_most: float
    """Proven: no deployment saves more. Equal to `saving`, up to noise, where the saving is exact."""


@dataclass(frozen=True)
class Upgrade:
    """A node or link, and what it would save by being faster."""

    kind: str
    """`node` or `link`."""
    subject: str
    savings: tuple[Saving, ...]
    """One for each of `FACTORS`, in their order."""

    @property
    def most(self) -> float:
        """The greatest saving."""
        return max(saving.saving for saving in self.savings)


@dataclass(frozen=True)
class Upgrades:
    """All upgrades that were looked at, the best first."""

    ranked: tuple[Upgrade, ...] = ()
    left_out: tuple[str, ...] = ()
    """Subjects of parts that time left no room for."""


def ranked(upgrades: Sequence[Upgrade], left_out: Sequence[str]) -> Upgrades:
    """Return upgrades in order: the greatest saving first, among equal ones the one that saves with less."""
    order = sorted(upgrades, key=lambda one: [-saving.saving for saving in reversed(one.savings)])
    return Upgrades(tuple(order), tuple(left_out))


def saved(before: float, after: Cheapest, factor: float) -> Saving:
    """Return what is saved where the least objective falls from `before`."""
    found = 0.0 if equal_energy(before, after.energy) else max(0.0, before - after.energy)
    return Saving(factor, found, max(found, before - after.lower_bound))


def upgrades_of_one(alone: LoneApplication, optimum: float, clock: Clock) -> Upgrades:
    """Return what every part of the network would save by being faster, for one application alone.

    Parameters
    ----------
    alone : LoneApplication
    optimum : float
        Least objective as things are, proven.
    clock : Clock
        Parts for which no time is left are named in `left_out`; those through which energy is least come first.
    """
    through = alone.least_through()
    done: list[Upgrade] = []
    left_out: list[str] = []
    for part in sorted(through, key=through.__getitem__):
        if through[part] >= optimum * (1 - FLOAT_NOISE):
            nothing = tuple(Saving(factor, 0.0, 0.0) for factor in FACTORS)
            done.append(Upgrade(part.kind, part.subject, nothing))
        elif clock.expired:
            left_out.append(part.subject)
        else:
            found = [saved(optimum, one, factor) for factor, one in _falling(alone, part, optimum)]
            done.append(Upgrade(part.kind, part.subject, tuple(reversed(found))))
    return ranked(done, left_out)


def _falling(alone: LoneApplication, part: NetworkPart, optimum: float) -> Iterator[tuple[float, Cheapest]]:
    """Yield the factors, the greatest first, each with the least objective where the part is faster by it."""
    best = Cheapest(-inf, -inf)
    for factor in reversed(FACTORS):
        if best.energy > -inf and equal_energy(best.lower_bound, optimum):
            yield factor, best
            continue
        found = alone.if_faster(part, factor, optimum)
        best = Cheapest(found.energy, max(found.lower_bound, best.lower_bound))
        yield factor, best
