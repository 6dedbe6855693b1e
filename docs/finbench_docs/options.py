"""Methods, their options and the solvers, as the registries and the classes of options declare them."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic.fields import FieldInfo

from finbench.benchmarks.cli.options import declared_by
from finbench.benchmarks.methods import METHODS
from finbench.models.milp.solvers.registry import SOLVERS
from finbench_docs.table import code, table

RULES = ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))


def methods() -> str:
    """Return the table of methods, each with a link to its page."""
    return table(
        ("method", "proves optimality", "what it is", "options"),
        (
            (f"[`{one.name}`](/methods/{one.name}.md)", "yes" if one.exact else "", one.title, _names(one.options))
            for one in METHODS.values()
        ),
    )


def _names(declared: Any) -> str:
    return ", ".join(code(name) for name in declared.model_fields)


def options_of(method: str) -> str:
    """Return the table of a method's options: name, flag, values, default, meaning."""
    declared = METHODS[method].options
    if not declared.model_fields:
        return f"`{method}` has no options of its own.\n"
    flags = {each.name: each.spelling for each in declared_by(declared)}
    return table(
        ("option", "flag", "values", "default", "meaning"),
        (
            (code(name), code(flags[name]), rule(field), default(field), field.description or "")
            for name, field in declared.model_fields.items()
        ),
    )


def solvers() -> str:
    """Return the table of MILP solvers."""
    return table(
        ("solver", "what it is", "command that installs it", "without a licence at most"),
        (
            (code(name), solver.title, code(solver.install), solver.licence_limit or "")
            for name, solver in SOLVERS.items()
        ),
    )


def default(field: FieldInfo) -> str:
    """Return a field's default as a file writes it; words where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "left out"
    if isinstance(value, tuple | dict) and not value:
        return "empty"
    if isinstance(value, tuple):
        value = list(value)
    return code(str(value).lower() if isinstance(value, bool) else '""' if value == "" else value)


def rule(field: FieldInfo) -> str:
    """Return the values that a field takes, in words."""
    return described(field.annotation, tuple(field.metadata))


def described(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """Return the values that an annotation allows, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return described(inner[0], (*_flat(inner[1:]), *metadata))
    if origin is Literal:
        return ", ".join(code(value) for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(described(each, metadata) for each in inner if each is not NoneType)
    if annotation is str:
        return "text, not empty" if any(isinstance(each, MinLen) for each in metadata) else "text"
    kind = _kind(annotation, origin, inner)
    limits = ", ".join(_limits(metadata))
    return f"{kind} {limits}" if limits else kind


def _kind(annotation: Any, origin: Any, inner: tuple[Any, ...]) -> str:
    if origin in (tuple, list):
        return f"list of {described(inner[0])}"
    if origin is dict:
        return f"table of {described(inner[1])}"
    words = {bool: "`true`, `false`", int: "whole number", float: "number", Any: "anything"}
    if annotation in words:
        return words[annotation]
    if hasattr(annotation, "__members__"):
        return ", ".join(code(member.value) for member in annotation)
    name = annotation.__name__.lstrip("_")
    return f"[{name}](#{name.lower()})"


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        yield from each.metadata if isinstance(each, FieldInfo) else (each,)


def _limits(metadata: tuple[Any, ...]) -> Iterator[str]:
    for each in metadata:
        for kind, attribute, sign in RULES:
            if isinstance(each, kind):
                yield f"{sign} {getattr(each, attribute):,g}"
        if isinstance(each, MinLen):
            yield f"(at least {each.min_length})"
