"""Thresholds of a DNN's exits: as it was imported with them, or as they are given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from finbench.models.io import InputError

if TYPE_CHECKING:
    from finbench.models.instance import DNN

_SETTING = re.compile(r"^exits: setting .*, thresholds (?P<limits>[-+0-9.e, ]+)$", re.MULTILINE)
_OF_ENTROPY = re.compile(r"^exits: .*thresholds of entropy", re.MULTILINE)


def thresholds_for(
    dnn: DNN, deployed: int, given: tuple[float, ...] | None
) -> tuple[Literal["confidence", "entropy"], tuple[float | None, ...]]:
    """Return what thresholds are of, and those of the deployed exits; the last one has none.

    Parameters
    ----------
    dnn : DNN
        Its provenance says the thresholds where `finbench import dnn --exits` has set its shares by them.
    deployed : int
        Number of deployed exits.
    given : tuple of float or None
        Thresholds in the place of those.

    Raises
    ------
    InputError
        If an exit lacks a threshold.
    """
    of: Literal["confidence", "entropy"] = "entropy" if _OF_ENTROPY.search(dnn.provenance) else "confidence"
    said = _SETTING.search(dnn.provenance)
    limits = given or (tuple(map(_number, said["limits"].split(","))) if said is not None else ())
    if len(limits) < deployed - 1:
        known = f"{len(limits)} known" if limits else "none known"
        raise InputError(
            f"dnn '{dnn.name}'",
            f"thresholds of exits: {known}, {deployed - 1} needed: give --thresholds, or import the DNN with --exits",
        )
    return of, (*limits[: deployed - 1], None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError("provenance", f"threshold {text.strip()!r}: must be a number") from None
