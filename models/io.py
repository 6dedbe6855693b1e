"""Files ↔ objects. Bad input never gets past here: one `InputError` with one line for people.

An instance file combines four kinds of parts, each written inline or as the path of a file of its own (relative to
the instance file): `network`, `dnns`, `applications`, `devices`. Hand-written files are TOML, generated ones JSON; the
schema is one (`models.file_schema`).
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import sys
import tempfile
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from finbench.models.catalogue import PREFIX, entry_file
from finbench.models.deployment import Deployment, DeploymentFile, DeploymentOrigin
from finbench.models.fields import SCHEMA_VERSION
from finbench.models.instance import DNN, Application, Device, Instance, Network
from finbench.models.remarks import remarks
from finbench.models.shorthand import in_full, in_si

MAX_TOML_BYTES = 8 * 2**20
"""Hand-written files are small; a larger one is a mistake (generated files are JSON)."""

MAX_JSON_BYTES = 2**30
"""Largest generated file that is read."""

_DEEP_TOML_KEY = re.compile(rb"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){32}")
"""Begins at a word's first character only and never goes back, or a long word would take time by its square."""

_CATALOGUED: dict[type[BaseModel], str] = {Network: "networks", DNN: "dnns"}
"""Parts that may be entries of the catalogue, and its folder."""

_SPECIAL_FOLDERS = ("/dev", "/proc")
"""What lies there stands for something else, and is never replaced by a file."""

_MAX_SHOWN = 60

Model = TypeVar("Model", bound=BaseModel)
Document = dict[str, Any]


class InputError(ValueError):
    """Bad input: one line that names file, object, field, value and rule."""

    def __init__(self, file: Path | str, message: str) -> None:
        super().__init__(" ".join(f"{file}: {message}".split()))
        self.file = str(file)


class InputWarning(UserWarning):
    """Input that breaks no rule, and yet looks like a mistake: one line."""


def data_directory() -> Path:
    """Return the folder of the shipped data, which lies beside the package `models`."""
    return Path(__file__).resolve().parent.parent / "data"


def shipped(kind: str) -> dict[str, Path]:
    """Return shipped files of one kind (`instances`, `campaigns`) by name."""
    return {path.stem: path for path in sorted((data_directory() / kind).glob("*.toml"))}


def find_file(name: str, kind: str) -> Path:
    """Return the path of a shipped file by name, or `name` itself as a path.

    Raises
    ------
    InputError
        If it is neither.
    """
    known = shipped(kind)
    if name in known:
        return known[name]
    path = Path(name)
    if os.path.exists(path):  # false, and no error, where a name is longer than any file's
        return path
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else f"; shipped {kind}: {', '.join(known)}"
    raise InputError(name, f"no such file, and no shipped {kind.rstrip('s')} of that name{hint}")


def load_instance(name_or_path: str | Path) -> Instance:
    """Read an instance by shipped name or path.

    Parameters
    ----------
    name_or_path : str or Path
        A name that `shipped("instances")` lists, or a TOML/JSON file.

    Raises
    ------
    InputError
        If the file, or one it refers to, cannot be read or breaks a rule.
    """
    path = find_file(str(name_or_path), "instances")
    document = read_document(path)
    parts: Document = {}
    if "network" in document:
        parts["network"] = _part(document["network"], Network, path, "network")
    for field, model in (("dnns", DNN), ("applications", Application), ("devices", Device)):
        if isinstance(document.get(field), list):
            parts[field] = tuple(
                _part(part, model, path, _item_label(field, k, part)) for k, part in enumerate(document[field])
            )
    if "devices" in parts and "dnns" in parts:
        parts["devices"] = _of_these_dnns(parts["devices"], document["devices"], {dnn.name for dnn in parts["dnns"]})
    if parts.keys() >= {"network", "dnns"} and ("devices" in parts or "devices" not in document):
        from finbench.models.catalogue_files import measured_devices  # which reads its files by this module

        given: tuple[Device, ...] = parts.get("devices", ())
        found = measured_devices(parts["network"], parts["dnns"], [device.name for device in given])
        if found:
            parts["devices"] = (*given, *found)
    instance = validate({**document, **parts}, Instance, path)
    for remark in remarks(instance):
        warnings.warn(f"{path}: {remark}", InputWarning, stacklevel=2)
    return instance


def _of_these_dnns(devices: Iterable[Device], given: Iterable[object], dnns: set[str]) -> tuple[Device, ...]:
    """Return the devices; of one from a file of its own only what was measured of `dnns`, the others being elsewhere.

    A file without a measurement of any of them is left as it is, to be refused.
    """
    kept = []
    for device, part in zip(devices, given, strict=True):
        measured = {name: blocks for name, blocks in device.measured.items() if name in dnns}
        kept.append(device.model_copy(update={"measured": measured}) if isinstance(part, str) and measured else device)
    return tuple(kept)


def load_device(name_or_path: str | Path) -> Device:
    """Read a device by shipped name or path.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule.
    """
    path = find_file(str(name_or_path), "devices")
    return _part_file(path, Device)


def load_deployment(path: str | Path) -> Deployment:
    """Read the decisions in a deployment file; raise InputError as `load_deployment_file` does."""
    return load_deployment_file(path).deployment


def load_deployment_file(path: str | Path) -> DeploymentFile:
    """Read a deployment file with its origin.

    Raises
    ------
    InputError
        If it cannot be read or breaks a rule.
    """
    return validate(read_document(Path(path)), DeploymentFile, Path(path))


def _part(value: object, model: type[Model], file: Path, field: str) -> Model:
    """Return a part of an instance: inline, or from the file that `value` names relative to `file`."""
    if isinstance(value, str) and value.startswith(PREFIX) and model in _CATALOGUED:
        return _part_file(_entry_file(value, model, file, field), model)
    if isinstance(value, str):
        part_file = file.parent / value
        if not os.path.isfile(part_file):
            raise InputError(file, f"{field} = {_shown(value)}: must be a table or the path of a file that exists")
        return _part_file(part_file, model)
    return validate(value, model, file, at=field)


def _entry_file(value: str, model: type[BaseModel], file: Path, field: str) -> Path:
    """Return the file of the catalogue's entry that a part names."""
    try:
        return entry_file(_CATALOGUED[model], value.removeprefix(PREFIX))
    except ValueError as error:
        raise InputError(file, f"{field} = {error}") from None


def _part_file(file: Path, model: type[Model]) -> Model:
    """Return a part of an instance from a file of its own."""
    document = read_document(file)
    document.pop("schema_version", None)
    return validate(document, model, file)


def read_document(path: Path) -> Document:
    """Parse a TOML or JSON file (by suffix) to a table.

    Raises
    ------
    InputError
        If it cannot be read, is too large or too deeply nested, repeats a key, is not a table, or is of no version
        of the format that this package knows.
    """
    if path.suffix not in (".toml", ".json"):
        raise InputError(path, "file name must end in .toml or .json")
    text = content_of(path, MAX_TOML_BYTES if path.suffix == ".toml" else MAX_JSON_BYTES)
    try:
        document = _parse_toml(text) if path.suffix == ".toml" else json.loads(text, object_pairs_hook=_no_repeats)
    except RecursionError:
        raise InputError(path, "is nested too deeply") from None
    except ValueError as error:
        raise InputError(path, f"is not valid {path.suffix[1:].upper()}: {_shortened(str(error))}") from None
    if not isinstance(document, dict):
        raise InputError(path, f"must hold a table, holds {_shown(document)}")
    _check_version(path, document.get("schema_version", SCHEMA_VERSION))
    return document


def _check_version(path: Path, version: object) -> None:
    told = f"schema_version = {_shown(version)}"
    if type(version) is not int or version < 1:
        raise InputError(path, f"{told}: must be a version of the format: 1 to {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise InputError(path, f"{told}: written for a newer finbench; this one reads up to {SCHEMA_VERSION}")


def content_of(path: Path, most_bytes: int) -> bytes:
    """Return what a regular file holds: a pipe or a device might never end."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise InputError(path, "cannot be read: is not a regular file")
        if facts.st_size > most_bytes:
            raise InputError(path, f"file has {facts.st_size} bytes: must have at most {most_bytes}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None


def _parse_toml(text: bytes) -> Document:
    if _DEEP_TOML_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text.decode("utf-8-sig"))


def _no_repeats(pairs: list[tuple[str, object]]) -> Document:
    table = dict(pairs)
    if len(table) < len(pairs):
        ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"key {_shown(name)} stands twice in a table")
    return table


def validate(value: object, model: type[Model], file: Path | str, at: str = "") -> Model:
    """Build `model` from parsed data.

    Parameters
    ----------
    value : object
        What the file holds.
    model : type of BaseModel
    file : Path or str
        Named in the error.
    at : str
        Where in the file `value` stands, named in the error.

    Raises
    ------
    InputError
        With the most telling of the broken rules: an unknown field first, then a missing one, then the others.
    """
    if not isinstance(value, (dict, model)):
        raise InputError(file, f"{at or 'file'} = {_shown(value)}: must be a table")
    try:
        value = in_full(value, model)
        return _validated(value, model)
    except ValidationError as error:
        _raise_first(error, value if isinstance(value, dict) else {}, model, file, at)
    except ValueError as error:
        raise InputError(file, f"{at}: {error}" if at else str(error)) from None


def _validated(value: object, model: type[Model]) -> Model:
    """Build `model`; where texts stand in the place of numbers, from the numbers that they stand for."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        plain = in_si(value, error, lambda details: _place(details, value, model)[0])
        if plain is value:
            raise
        return model.model_validate(plain)


def _raise_first(
    error: ValidationError, value: Document, model: type[BaseModel], file: Path | str, at: str
) -> NoReturn:
    rank = {"extra_forbidden": 0, "missing": 1}
    details = min(error.errors(include_url=False), key=lambda d: rank.get(d["type"], 2))
    place, fields = _place(details, value, model)
    where = ": ".join(part for part in (at, place) if part)
    rule = _rule(details, fields)
    raise InputError(file, f"{where}: {rule}" if where else rule) from None


def _place(details: ErrorDetails, value: object, model: type[BaseModel]) -> tuple[str, list[str]]:
    """Return the object an error stands in (`node 'edge'`, `exit 2`) and the field names that it may have."""
    place = ""
    for step in _location(details)[:-1]:
        inner: object = None
        if isinstance(step, int) and isinstance(value, (list, tuple)) and step < len(value):
            inner = value[step]
            place = _item_label(place, step, inner)
        elif isinstance(step, str):
            inner = value.get(step) if isinstance(value, dict) else None
            place = step if step in model.model_fields else f"{place}.{step}"
            model = _model_of(model, step)
        value = inner
    return place, list(model.model_fields)


def _location(details: ErrorDetails) -> tuple[int | str, ...]:
    """Return where an error stands: for a bad key its table, for a list's value the list and the value's number."""
    loc = details["loc"]
    if loc[-1:] == ("[key]",):
        return loc[:-2]
    if len(loc) > 1 and isinstance(loc[-1], int):
        return (*loc[:-2], f"{loc[-2]}[{loc[-1] + 1}]")
    return loc


def _item_label(collection: str, index: int, item: object) -> str:
    kind = f"{collection[:-3]}y" if collection.endswith("ies") else collection.rstrip("s") or "item"
    if isinstance(item, dict):
        if isinstance(item.get("name"), str) and kind in ("node", "dnn", "application", "device"):
            return f"{kind} '{item['name'][:_MAX_SHOWN]}'"
        if isinstance(item.get("source"), str) and isinstance(item.get("target"), str):
            return f"{kind} '{item['source'][:_MAX_SHOWN]}->{item['target'][:_MAX_SHOWN]}'"
    return f"{kind} {index + 1}"


def _model_of(model: type[BaseModel], field: str) -> type[BaseModel]:
    """Return the class of the objects that a field of `model` holds (`model` itself where it holds plain values)."""
    for candidate in _classes_in(model.model_fields[field].annotation if field in model.model_fields else None):
        return candidate
    return model


def _classes_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _classes_in(part)]


def _rule(details: ErrorDetails, fields: list[str]) -> str:
    loc, kind = _location(details), details["type"]
    field = str(loc[-1])[:_MAX_SHOWN] if loc else ""
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(field, fields, n=1, cutoff=0.4)
        hint = f"did you mean '{close[0]}'?" if close else f"known fields: {', '.join(fields)}"
        return f"{field} = {_shown(details['input'])}: unknown field; {hint}"
    if kind == "missing":
        return f"{field}: required field is missing"
    if kind == "value_error" and "error" in details.get("ctx", {}):
        return str(details["ctx"]["error"])
    message = details["msg"].replace("Input should be", "must be").replace("Input should", "must")
    return f"{field} = {_shown(details['input'])}: {message[:1].lower()}{_shortened(message[1:])}"


def _shown(value: object) -> str:
    """Return a value for an error line; never long, never recursive."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**30:
        return "an integer of over 30 digits"
    return _shortened(repr(value))


def _shortened(text: str) -> str:
    return text if len(text) <= 3 * _MAX_SHOWN else f"{text[: 3 * _MAX_SHOWN]}…"


def dump_instance(instance: Instance) -> str:
    """Return the instance as JSON text; the same instance gives the same bytes."""
    data = instance.model_dump(mode="json")
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def dump_deployment(deployment: Deployment, made_for: DeploymentOrigin | None = None) -> str:
    """Return the deployment as JSON text, with its origin where one is given."""
    decisions = deployment.model_dump(mode="json")
    origin = {} if made_for is None else {"made_for": made_for.model_dump(mode="json")}
    return json.dumps({"schema_version": SCHEMA_VERSION, **origin, **decisions}, indent=1, ensure_ascii=False) + "\n"


STANDARD_OUTPUT = "-"
"""The path that stands for standard output."""


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all: beside, flushed, then renamed.

    What a symbolic link leads to is written, and an existing file keeps its permissions. Standard output (`-`), pipes
    and devices are written to as they are.

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written.
    """
    if str(path) == STANDARD_OUTPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    path = Path(path)
    try:
        if _is_written_in_place(path):
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise InputError(path, f"cannot be written: {error.strerror}") from None


def _is_written_in_place(path: Path) -> bool:
    """Return whether a path names something other than a file that may be replaced."""
    special = any(Path(os.path.abspath(path)).is_relative_to(folder) for folder in _SPECIAL_FOLDERS)
    return path.exists() and (special or not path.is_file())


def _replace(path: Path, content: bytes) -> None:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, mode)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
