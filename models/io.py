"""Files ↔ objects. Bad input never gets past here: one `InputError` with one line for people.

An instance file combines four kinds of parts, each written inline or as the path of a file of its own (relative to
the instance file): `network`, `dnns`, `applications`, `devices`. Hand-written files are TOML, generated ones JSON; the
schema is one (`models.file_schema`).
"""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from finbench.models.catalogue import PREFIX, entry_file
from finbench.models.deployment import Deployment, DeploymentFile
from finbench.models.documents import Document, content_of, read_document
from finbench.models.input_errors import InputError, InputWarning, shown
from finbench.models.instance import DNN, Application, Device, Instance, Network
from finbench.models.remarks import remarks
from finbench.models.validation import item_label, validate
from finbench.models.writing import STANDARD_OUTPUT, dump_deployment, dump_instance, write_bytes, write_text

__all__ = (
    "STANDARD_OUTPUT",
    "Document",
    "InputError",
    "InputWarning",
    "content_of",
    "data_directory",
    "dump_deployment",
    "dump_instance",
    "find_file",
    "load_deployment",
    "load_deployment_file",
    "load_device",
    "load_instance",
    "read_document",
    "shipped",
    "validate",
    "write_bytes",
    "write_text",
)

_CATALOGUED: dict[type[BaseModel], str] = {Network: "networks", DNN: "dnns"}
"""Parts that may be entries of the catalogue, and its folder."""

Model = TypeVar("Model", bound=BaseModel)


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
                _part(part, model, path, item_label(field, k, part)) for k, part in enumerate(document[field])
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
            raise InputError(file, f"{field} = {shown(value)}: must be a table or the path of a file that exists")
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
