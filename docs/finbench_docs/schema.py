"""The tables of input files, field by field, and their JSON Schemas, from the classes that check them."""

from __future__ import annotations

import json
import re
from importlib import import_module

from pydantic import BaseModel

from finbench.benchmarks.campaigns.file_kinds import FileKind, schema_of
from finbench_docs.options import default, rule
from finbench_docs.table import code, table


def fields(*names: str) -> str:
    """Return a section for each class, given as `module.Class` without `finbench.`: its fields and their rules."""
    models = [model_of(name) for name in names]
    text = "\n".join(section(model) for model in models)
    described = {model.__name__.lower() for model in models}
    return re.sub(r"\[(\w+)\]\(#(\w+)\)", lambda link: link[0] if link[2] in described else "table", text)


def json_schema(kind: str) -> str:
    """Return the JSON Schema of a kind of file, as `finbench schema` prints it."""
    text = json.dumps(schema_of(FileKind(kind)), indent=2, ensure_ascii=False)
    return f"```json\n{text}\n```\n"


def model_of(name: str) -> type[BaseModel]:
    """Return the class of that name."""
    module, _, name = f"finbench.{name}".rpartition(".")
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


def section(model: type[BaseModel]) -> str:
    """Return a class as a section: what it stands for, and a row for each field, inherited ones included."""
    rows = [
        (code(name), rule(field), default(field), " ".join((field.description or "").split()))
        for name, field in model.model_fields.items()
    ]
    wide = len(rows[0]) if any(row[-1] for row in rows) else len(rows[0]) - 1
    listed = table(("field", "values", "default", "meaning")[:wide], (row[:wide] for row in rows))
    return "\n".join([f"## {model.__name__}\n", f"{(model.__doc__ or '').strip()}\n", listed])
