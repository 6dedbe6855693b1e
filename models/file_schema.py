"""JSON Schemas of files, from the classes that check what the files say.

A schema holds what a single field can tell: names, types and ranges. Relations between fields (a link's ends are nodes,
exit shares sum to 1) are checked where a file is read.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from finbench.models.fields import SCHEMA_VERSION, SchemaVersion
from finbench.models.instance import DNN, Application, Device, Instance, Network
from finbench.models.io import Document
from finbench.models.shorthand import with_shorthand

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""What the schemas are written in."""


class InstanceFile(Instance):
    """One problem: a network, DNN profiles and the applications that share them, inline or in files of their own."""

    network: Network | str  # type: ignore[assignment]
    """The network, or the path of its file."""
    dnns: Annotated[tuple[DNN | str, ...], Field(min_length=1)]  # type: ignore[assignment]
    """DNN profiles, or paths of their files."""
    applications: Annotated[tuple[Application | str, ...], Field(min_length=1)]  # type: ignore[assignment]
    """Applications, or paths of their files."""
    devices: tuple[Device | str, ...] = ()  # type: ignore[assignment]
    """Kinds of machines with measurements, or paths of their files."""


def file_schema(model: type[BaseModel], title: str) -> Document:
    """Return the JSON Schema of the files that `model` checks, their version's number included."""
    schema = model.model_json_schema()
    if "schema_version" not in schema["properties"]:
        schema["properties"] = {"schema_version": _version_schema(), **schema["properties"]}
    _close_tables(schema)
    return {"$schema": DIALECT, **with_shorthand(schema), "title": title}


def _version_schema() -> Document:
    schema = TypeAdapter(SchemaVersion).json_schema()
    return {**schema, "default": SCHEMA_VERSION, "description": "Version of the file format."}


def _close_tables(part: Any) -> None:
    """Refuse keys that break the rule for keys, wherever a table has one."""
    if isinstance(part, dict):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        for inner in part.values():
            _close_tables(inner)
    elif isinstance(part, list):
        for inner in part:
            _close_tables(inner)
