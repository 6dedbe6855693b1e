"""Keep which applications are served along which paths, the room that is left, and what all of it costs.

FIN changes an occupancy move by move, and takes back the moves that bring nothing. Members of a group that are served
alike are one lot, so that a thousand identical users are a few lots. Rejecting a member costs its penalty ψ. Leaving
out a member without a penalty costs `LEFT_OUT` times what serving everyone takes, and more for groups that stay left
out: least cost then means fewest left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

import numpy as np

from finbench.fin_graph.joint.system import Group, SharedSystem, Usage
from finbench.fin_graph.paths.arrays import Floats
from finbench.models.tolerances import FLOAT_NOISE

LEFT_OUT = 1e6
"""Cost of leaving out a member without a penalty, against what serving everyone would take."""


@dataclass(frozen=True)
class Lot:
    """Members of one group that are served alike."""

    group: int
    usage: Usage
    times: int


@dataclass(frozen=True)
class Snapshot:
    """What `Occupancy.restore` needs besides the list of changes."""

    room: Floats
    cost: float


class Occupancy:
    """The lots of members that are served, on one system.

    Parameters
    ----------
    system : SharedSystem
    scale : float
        Roughly what serving everyone takes [W].
    """

    def __init__(self, system: SharedSystem, scale: float) -> None:
        groups = system.groups
        self.system, self.room = system, system.empty_room()
        self.lots: dict[int, Lot] = {}
        self.unserved = [group.count for group in groups]
        self.refusal = [LEFT_OUT * scale if group.penalty is None else group.penalty for group in groups]
        self.cost = float(np.dot(self.unserved, self.refusal))
        self._scale, self._next, self._changes = scale, 0, list[tuple[int, Lot, Lot | None]]()
        self._of_group: list[dict[int, None]] = [{} for _ in groups]
        self._users: list[dict[int, None]] = [{} for _ in range(system.resources)]

    @property
    def left_out(self) -> int:
        """Return the number of members without a penalty that are not served."""
        groups = self.system.groups
        return sum(missing for missing, group in zip(self.unserved, groups, strict=True) if group.penalty is None)

    @property
    def objective(self) -> float:
        """Return eq. (3) over the members that are served or rejected at a penalty [W]."""
        power = sum(lot.times * lot.usage.power for lot in self.lots.values())
        groups = zip(self.unserved, self.system.groups, strict=True)
        return float(power + sum(missing * (group.penalty or 0.0) for missing, group in groups))

    def served(self) -> list[tuple[Group, list[Usage]]]:
        """Return every group with the usages of its served members."""
        usages: list[list[Usage]] = [[] for _ in self.system.groups]
        for lot in self.lots.values():
            usages[lot.group] += [lot.usage] * lot.times
        return list(zip(self.system.groups, usages, strict=True))

    def users(self, resource: int) -> list[int]:
        """Return the numbers of the lots that use a resource."""
        return list(self._users[resource])

    def times_that_fit(self, usage: Usage) -> float:
        """Return how many members fit by `usage` on what is left; inf where it takes nothing."""
        left = (self.room[usage.resources] + FLOAT_NOISE) / usage.fractions
        return floor(max(0.0, left.min())) if len(left) else inf

    def serve(self, group: int, usage: Usage, times: int) -> None:
        """Serve `times` ≥ 0 unserved members of a group by `usage`."""
        if not times:
            return
        for number in self._of_group[group]:
            lot = self.lots[number]
            if lot.usage.deployment == usage.deployment:
                self._change(number, lot, lot.times + times)
                return
        self._change(self._next, Lot(group, usage, 0), times)
        self._next += 1

    def remove(self, number: int, times: int) -> None:
        """Stop serving `times` members of a lot."""
        self._change(number, self.lots[number], self.lots[number].times - times)

    def _change(self, number: int, lot: Lot, times: int) -> None:
        after = Lot(lot.group, lot.usage, times)
        self._changes.append((number, after, self.lots.get(number)))
        more = times - lot.times
        lot.usage.take(self.room, more)
        self.cost += more * (lot.usage.power - self.refusal[lot.group])
        self._write(number, after, more)

    def _write(self, number: int, lot: Lot, more: int) -> None:
        self.unserved[lot.group] -= more
        if lot.times:
            self.lots[number] = lot
            self._of_group[lot.group][number] = None
        else:
            del self.lots[number]
            del self._of_group[lot.group][number]
        for resource in lot.usage.resources.tolist():
            if lot.times:
                self._users[resource][number] = None
            else:
                del self._users[resource][number]

    def snapshot(self) -> Snapshot:
        """Return a point that `restore` can come back to; earlier points are forgotten."""
        self._changes.clear()
        return Snapshot(self.room.copy(), self.cost)

    def restore(self, snapshot: Snapshot) -> None:
        """Undo all changes since the snapshot."""
        for number, after, before in reversed(self._changes):
            times = 0 if before is None else before.times
            self._write(number, Lot(after.group, after.usage, times), times - after.times)
        self._changes.clear()
        self.room, self.cost = snapshot.room.copy(), snapshot.cost

    def weigh(self, group: int) -> None:
        """Make it dearer to leave out a group without a penalty."""
        self.refusal[group] += LEFT_OUT * self._scale
        self.cost += self.unserved[group] * LEFT_OUT * self._scale

    def emptied(self) -> Occupancy:
        """Return an occupancy that serves nobody, at the same costs of leaving out."""
        occupancy = Occupancy(self.system, self._scale)
        occupancy.refusal = list(self.refusal)
        occupancy.cost = float(np.dot(occupancy.unserved, occupancy.refusal))
        return occupancy

    @classmethod
    def of(cls, system: SharedSystem, served: Sequence[tuple[Group, Sequence[Usage]]], scale: float) -> Occupancy:
        """Return the occupancy that a joint deployment makes."""
        occupancy, number = cls(system, scale), {group: g for g, group in enumerate(system.groups)}
        for group, usages in served:
            for usage in usages:
                occupancy.serve(number[group], usage, 1)
        return occupancy
