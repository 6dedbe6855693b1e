"""The one decorator for compiled code: machine code kept on disk, so that a second process does not compile again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile with Numba at first call (cached on disk; IEEE division instead of ZeroDivisionError)."""
    return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
