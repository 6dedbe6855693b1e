"""HiGHS as every module here uses it: silent, and with an error for an option that it does not know."""

from __future__ import annotations

from collections.abc import Mapping

import highspy
from highspy import HighsStatus


class SilentHighs(highspy.Highs):  # type: ignore[misc]
    """HiGHS that prints nothing and takes any number of threads.

    Its constructor enables callbacks, which prints a banner unless told before.
    """

    def __init__(self) -> None:
        # Threads live per process: with another number than the last run's, HiGHS would return without solving.
        highspy.Highs.resetGlobalScheduler(True)
        super().__init__()

    def enableCallbacks(self) -> None:  # noqa: N802
        """Say nothing, then do as told."""
        set_options(self, {"output_flag": False})
        super().enableCallbacks()


def set_options(highs: highspy.Highs, options: Mapping[str, float | bool | str]) -> None:
    """Set options of a solver.

    Raises
    ------
    ValueError
        If HiGHS does not accept one (left to itself it would only say so in its log).
    """
    for name, value in options.items():
        if highs.setOptionValue(name, value) != HighsStatus.kOk:
            raise ValueError(f"HiGHS does not accept {name} = {value!r}")
