"""Which methods `finbench compare` runs, each with which options, as the command line says.

`--methods fin,milp-flow` names methods; `--gamma` and `--solver` are lists that each of them which has the option runs
through. `--method "milp-flow solver=scip,highs"` names one method with options of its own.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from finbench.benchmarks.cli.options import kind_of
from finbench.benchmarks.methods import Choice, check_options, find_method
from finbench.models.io import InputError

TRUTHS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
"""What stands for the values of an option that is on or off."""


def chosen_methods(names: str, singles: Sequence[str], lists: Mapping[str, str]) -> list[Choice]:
    """Return the methods to compare, each with all its options, checked; one that is named twice comes once.

    Parameters
    ----------
    names : str
        Methods, separated by commas; empty: none.
    singles : sequence of str
        A method each, with options of its own: `fin gamma=10,100 engine=arrays`.
    lists : mapping
        Values separated by commas, by option: methods of `names` that have the option run once with each.

    Raises
    ------
    InputError
        If a method or an option does not exist, or a value breaks its rule.
    """
    chosen: list[Choice] = []
    for name in (text.strip() for text in names.split(",") if names):
        own = find_method(name).options.model_fields
        chosen += _each(name, {option: values for option, values in lists.items() if option in own}, "--")
    for single in singles:
        name, given = _split(single)
        chosen += _each(name, given, "--method: ")
    return [choice for k, choice in enumerate(chosen) if choice not in chosen[:k]]


def _split(single: str) -> tuple[str, dict[str, str]]:
    """Return the method and the options that one `--method` names."""
    try:
        name, *words = shlex.split(single)
    except ValueError:
        raise InputError("--method", f"{single!r}: must be a method and options, such as 'fin gamma=100'") from None
    given = {}
    for word in words:
        option, equals, values = word.partition("=")
        if not equals or not values:
            raise InputError("--method", f"{word!r}: must be an option and its value, such as gamma=100")
        given[option.replace("-", "_")] = values
    return name, given


def _each(name: str, given: Mapping[str, str], at: str) -> list[Choice]:
    """Return the method with every combination of the values given for its options."""
    fields = find_method(name).options.model_fields
    for option in given:
        if option not in fields:
            known = ", ".join(fields) or "none"
            raise InputError(f"method '{name}'", f"{option} = {given[option]}: no such option; its options: {known}")
    values = [
        [_value(text.strip(), kind_of(fields[option].annotation), f"{at}{option}") for text in given[option].split(",")]
        for option in given
    ]
    return [(name, check_options(name, dict(zip(given, each, strict=True)))) for each in product(*values)]


def _value(text: str, kind: type, at: str) -> Any:
    """Return what a text says, as the type that an option has."""
    try:
        return TRUTHS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        nouns = {bool: "on or off", int: "whole numbers separated by commas", float: "numbers separated by commas"}
        raise InputError(at, f"{text!r}: must be {nouns[kind]}") from None
