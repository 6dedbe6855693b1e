"""Tables built into models: what breaks a rule is named by object, field, value and rule."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from finbench.models.documents import Document
from finbench.models.input_errors import MAX_SHOWN, InputError, shortened, shown
from finbench.models.shorthand import in_full, in_si

Model = TypeVar("Model", bound=BaseModel)


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
        raise InputError(file, f"{at or 'file'} = {shown(value)}: must be a table")
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
            place = item_label(place, step, inner)
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


def item_label(collection: str, index: int, item: object) -> str:
    """Return what people call an item of a list: by its name, its ends, or its number."""
    kind = f"{collection[:-3]}y" if collection.endswith("ies") else collection.rstrip("s") or "item"
    if isinstance(item, dict):
        if isinstance(item.get("name"), str) and kind in ("node", "dnn", "application", "device"):
            return f"{kind} '{item['name'][:MAX_SHOWN]}'"
        if isinstance(item.get("source"), str) and isinstance(item.get("target"), str):
            return f"{kind} '{item['source'][:MAX_SHOWN]}->{item['target'][:MAX_SHOWN]}'"
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
    field = str(loc[-1])[:MAX_SHOWN] if loc else ""
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(field, fields, n=1, cutoff=0.4)
        hint = f"did you mean '{close[0]}'?" if close else f"known fields: {', '.join(fields)}"
        return f"{field} = {shown(details['input'])}: unknown field; {hint}"
    if kind == "missing":
        return f"{field}: required field is missing"
    if kind == "value_error" and "error" in details.get("ctx", {}):
        return str(details["ctx"]["error"])
    message = details["msg"].replace("Input should be", "must be").replace("Input should", "must")
    return f"{field} = {shown(details['input'])}: {message[:1].lower()}{shortened(message[1:])}"
