"""`library.solu`: the best values known, one instance a line, as MIPLIB writes them.

`=opt=` a proven optimum, `=best=` the best objective known, `=inf=` proven infeasible, `=unkn=` nothing known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from finbench.benchmarks.library.known_value import KnownAs, KnownValue

SIGNS = {KnownAs.OPTIMAL: "=opt=", KnownAs.BEST: "=best=", KnownAs.INFEASIBLE: "=inf="}
UNKNOWN = "=unkn="


def solu_text(names: Iterable[str], values: Mapping[str, KnownValue], factor: float = 1.0) -> str:
    """Return the text of `library.solu`.

    Parameters
    ----------
    names : iterable of str
        Instances, in the order of their lines.
    values : mapping
        What is known of them by name.
    factor : float
        What objectives are multiplied by.
    """
    return "".join(solu_line(name, values.get(name), factor) for name in names)


def solu_line(name: str, value: KnownValue | None, factor: float = 1.0) -> str:
    """Return the line of one instance, its end included."""
    if value is None:
        return f"{UNKNOWN:6} {name}\n"
    number = "" if value.objective is None else f" {value.objective * factor!r}"
    return f"{SIGNS[value.known_as]:6} {name}{number}\n"
