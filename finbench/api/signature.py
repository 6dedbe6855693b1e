"""Shows the options of all methods in the signature of a function that takes them as keywords."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.upkeep.signatures import type_text

Function = TypeVar("Function", bound=Callable[..., Any])


def shows_options(function: Function) -> Function:
    """Give a function the signature that `help` and completion in a notebook show: every option of every method."""
    signature = inspect.signature(function)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    (rest,) = [parameter for parameter in signature.parameters.values() if parameter.kind is parameter.VAR_KEYWORD]
    options = {
        name: inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=type_text(option.annotation)
        )
        for method in METHODS.values()
        for name, option in method.options.model_fields.items()
    }
    shown = signature.replace(parameters=[*own, *options.values(), rest])
    function.__signature__ = shown  # type: ignore[attr-defined]
    return function
