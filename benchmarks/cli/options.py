"""Options of the command line, each declared once.

What several commands share has a name here (`InstanceName`, `Seed`, …). What a class declares (options of methods,
overrides of an instance, conditions of a campaign) is not written again: `takes` gives a command one flag a field.
"""

from __future__ import annotations

import inspect
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from finbench.benchmarks.campaigns.overrides import Overrides
from finbench.benchmarks.library.named import load_named
from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.plots.formats import PICTURE_SUFFIXES
from finbench.models.instance import Instance
from finbench.models.io import InputError, validate
from finbench.models.options import Flag, PartOption

LONGEST_WAIT_S = 2e6
"""Longest time limit [s], 23 days: waiting for a process counts milliseconds in 32 bits. A longer one is none."""


LONGEST_METAVAR = 24
"""Characters of the values of an option that `--help` shows beside its name; longer lists stand in its text."""

UNITS_AT_THE_END = re.compile("_(s|gib)$")
"""Units that a field's name ends with; an option says its unit in its help."""


def output_option(text: str, *suffixes: str, new_folders: bool = False, flag: str | None = None) -> Any:
    """Return the option of a command that writes one file. Whether it can is checked before any work.

    Parameters
    ----------
    text : str
        Its help.
    *suffixes : str
        Endings that the file's name may have; none given: any.
    new_folders : bool
        Whether the command makes the folders that are missing.
    flag : str, optional
        How the option is spelled; left out: `-o` and `--output`.
    """

    def checked(path: Path | None) -> Path | None:
        if path is not None:
            _check_file(path, suffixes, new_folders=new_folders)
        return path

    spelling = ("-o", "--output") if flag is None else (flag,)
    return typer.Option(*spelling, help=text, callback=checked)


def _check_file(path: Path, suffixes: tuple[str, ...], *, new_folders: bool) -> None:
    """Raise InputError if no file of that name can be written."""
    if suffixes and path.suffix not in suffixes:
        raise InputError(path, f"file name must end in {', '.join(suffixes)}")
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise InputError(path, f"cannot be written: {error.strerror}") from None
    if is_folder:
        raise InputError(path, "cannot be written: it is a folder")
    _check_folder(path, path.parent, new_folders=new_folders)


def writable_folder(folder: Path) -> Path:
    """Return `folder`, if files can be written there; folders that are missing can be made."""
    _check_folder(folder, folder, new_folders=True)
    return folder


def _check_folder(output: Path, folder: Path, *, new_folders: bool) -> None:
    """Raise InputError, naming `output`, if no file can be made in `folder`, or in the part of its path that exists."""
    there = folder
    try:
        while new_folders and not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            reason = "is no folder" if there.exists() else "does not exist"
            raise InputError(output, f"cannot be written: '{os.path.abspath(there)}' {reason}")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(output, f"cannot be written: {error.strerror}") from None


def _limit(seconds: float | None) -> float | None:
    """Return a time limit as methods take it."""
    if seconds is None:
        return None
    if not isfinite(seconds):
        raise InputError("--time-limit", f"{seconds}: must be a finite number of seconds")
    return seconds if seconds <= LONGEST_WAIT_S else None


InstanceName = Annotated[
    str, typer.Argument(metavar="INSTANCE", help="Shipped name, library:NAME, or a TOML/JSON file.")
]
TimeLimit = Annotated[
    float | None, typer.Option(min=0, callback=_limit, help="Wall-clock limit for each run \\[s]; left out: none.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything that a method draws.")]
Headroom = Annotated[
    float | None, typer.Option(help="Fill nothing above this utilisation, in (0, 1), and plan with the waits there.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON at full precision instead of tables.")]
Picture = Annotated[Path | None, output_option("Draw it here (.png, .pdf or .svg).", *PICTURE_SUFFIXES)]

Command = TypeVar("Command", bound=Callable[..., None])


@dataclass(frozen=True)
class Declared:
    """An option that a class declares, as the command line shows it. One that is not given is not passed on."""

    name: str
    kind: type
    spelling: str
    help: str
    values: tuple[str, ...] = ()
    """Words that are allowed; empty: any value of its type."""
    panel: str | None = None
    """Heading under which `--help` lists it; None: among the command's own."""
    is_part: bool = False
    """Whether it is a part of something, so that 5% may be written for 0.05."""

    def parameter(self) -> inspect.Parameter:
        """Return the parameter from which Typer makes the flag."""
        beside = "|".join(self.values)
        fits = len(beside) <= LONGEST_METAVAR
        text = self.help if fits else f"One of {', '.join(self.values)}. {self.help}"
        option = typer.Option(
            self.spelling,
            help=text.replace("[", "\\["),
            metavar="<part, %>" if self.is_part else (beside if fits else "NAME") or None,
            parser=part_of if self.is_part else None,
            rich_help_panel=self.panel,
        )
        return inspect.Parameter(
            self.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[self.kind | None, option]
        )


def part_of(text: str | float) -> float:
    """Return a part of something, written as a number or as a percentage."""
    written = str(text).strip()
    return float(written[:-1]) / 100 if written.endswith("%") else float(written)


def declared_by(model: type[BaseModel], panel: str | None = None) -> list[Declared]:
    """Return the options that a class declares, in its order; `panel` is their heading in `--help`."""
    return [_declared(name, field, field.description or "", panel) for name, field in model.model_fields.items()]


def declared_by_methods() -> list[Declared]:
    """Return the options of all methods; one that several methods declare comes once, with their names."""
    owners: dict[str, list[str]] = {}
    fields: dict[str, FieldInfo] = {}
    for method in METHODS.values():
        for name, field in method.options.model_fields.items():
            owners.setdefault(name, []).append(method.name)
            fields.setdefault(name, field)
    return [
        _declared(name, field, f"{field.description} {_default(field)}", f"Options of {', '.join(owners[name])}")
        for name, field in fields.items()
    ]


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, bool):
        value = "on" if value else "off"
    return "" if value is None else f"[default: {value}]"


def _declared(name: str, field: FieldInfo, text: str, panel: str | None) -> Declared:
    kind = kind_of(field.annotation)
    flag = UNITS_AT_THE_END.sub("", name.rstrip("_")).replace("_", "-")
    spelling = f"--{flag}/--no-{flag}" if kind is bool else f"--{flag}"
    spelling = next((each.spelling for each in field.metadata if isinstance(each, Flag)), spelling)
    values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    is_part = any(isinstance(each, PartOption) for each in field.metadata)
    return Declared(name, kind, spelling, text.strip(), values, panel, is_part)


def kind_of(annotation: Any) -> type:
    """Return the type that the command line reads: X for `X | None` and for annotated types, str for literals."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return kind_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        (inner,) = (each for each in get_args(annotation) if each is not NoneType)
        return kind_of(inner)
    if origin is Literal:
        return str
    if isinstance(annotation, type) and issubclass(annotation, bool | int | float | str | Enum):
        return annotation
    raise TypeError(f"{annotation}: no command-line option can stand for it")


def takes(**groups: list[Declared] | Callable[[], list[Declared]]) -> Callable[[Command], Command]:
    """Give a command the flags of whole groups of options.

    Parameters
    ----------
    **groups : list of Declared, or function that returns one
        For each name, a parameter of the command: the flags that `--help` lists in its place. The command receives a
        dict with those that were given. A function is asked again by `declare_again`.
    """

    def decorated(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        declared: dict[str, list[Declared]] = {}

        @wraps(command)
        def called(**given: Any) -> None:
            said = {group: _given(given, flags) for group, flags in declared.items()}
            command(**given, **said)

        def declare() -> None:
            declared.update({group: flags() if callable(flags) else flags for group, flags in groups.items()})
            parameters = list(_with_groups(signature, declared))
            called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
            called.__annotations__ = {each.name: each.annotation for each in parameters}

        declare()
        if any(map(callable, groups.values())):
            _changing.append(declare)
        return called  # type: ignore[return-value]

    return decorated


_changing: list[Callable[[], None]] = []
"""For each command whose flags may change, the function that declares them."""


def declare_again() -> None:
    """Give every command the flags that follow from the methods there are now."""
    for declare in _changing:
        declare()


def _with_groups(signature: inspect.Signature, groups: Mapping[str, list[Declared]]) -> Iterator[inspect.Parameter]:
    for parameter in signature.parameters.values():
        if parameter.name in groups:
            yield from (each.parameter() for each in groups[parameter.name])
        else:
            yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _given(given: dict[str, Any], declared: list[Declared]) -> dict[str, Any]:
    """Remove the values of a group from `given`; return those that are not None."""
    values = {each.name: given.pop(each.name) for each in declared}
    return {name: value for name, value in values.items() if value is not None}


OVERRIDES = declared_by(Overrides, "Override what the instance says")
"""Flags that replace an instance's targets and definitions."""


def loaded(name: str, overrides: Mapping[str, Any]) -> Instance:
    """Read an instance; return it with what the command line overrides."""
    return validate(dict(overrides), Overrides, "command line").apply(load_named(name))
