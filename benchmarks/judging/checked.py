"""Everything about an instance that breaks no rule and yet looks like a mistake."""

from __future__ import annotations

from typing import NamedTuple

from finbench.fin_graph.unreachable import unreachable_targets
from finbench.models.instance import Instance
from finbench.models.remarks import remarks
from finbench.models.slips import Slip, slips, summed_up


class Checked(NamedTuple):
    """What a check found."""

    lines: tuple[str, ...]
    """Remarks, each with object, field and value; of a kind the first, and how many there are more."""
    unserved: tuple[str, ...]
    """Names of applications that must be served and cannot be, each alone in the system."""


def checked(instance: Instance) -> Checked:
    """Return the remarks on an instance, with those that need a search for the quickest deployment."""
    found = list(slips(instance))
    hopeless = {slip.unserved for slip in found}
    for app, line in unreachable_targets(instance):
        if app.name not in hopeless:
            found.append(Slip("unreachable", line, app.name))
    must = {app.name for app in instance.applications if app.rejection_penalty_w is None}
    unserved = tuple(dict.fromkeys(slip.unserved for slip in found if slip.unserved in must))
    return Checked((*remarks(instance), *summed_up(found)), tuple(name for name in unserved if name is not None))
