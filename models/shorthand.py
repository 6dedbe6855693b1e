"""What files may say in short, written out: quantities with units, links both ways, devices of the catalogue.

Files that are written say everything in full and in SI units, and so does whatever is hashed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from finbench.models.instance import Instance, Link, Network
from finbench.models.units import si_number, unit_of

Document = dict[str, Any]

BOTH_WAYS = "both_ways"
"""Field of a link in a file: the link of the other direction has the same bandwidth, delay and energies."""

_NUMBER_ERRORS = ("float_type", "float_parsing")


def in_full(value: Any, model: type[BaseModel]) -> Any:
    """Return what a file says of a network or an instance, in full: links both ways as two, devices of the catalogue.

    Raises
    ------
    ValueError
        If a link's `both_ways` is neither true nor false, or a device would have to be in the catalogue and is not.
    """
    if model is Instance and isinstance(value, dict) and isinstance(value.get("network"), dict):
        return {**value, "network": in_full(value["network"], Network)}
    if model is not Network or not isinstance(value, dict):
        return value
    links, nodes = value.get("links"), value.get("nodes")
    if isinstance(links, list) and any(isinstance(link, dict) and BOTH_WAYS in link for link in links):
        value = {**value, "links": [each for link in links for each in _directed(link)]}
    if isinstance(nodes, list) and any(map(_names_an_entry, nodes)):
        value = {**value, "nodes": [_equipped(node) if _names_an_entry(node) else node for node in nodes]}
    return value


def _names_an_entry(node: Any) -> bool:
    """Return whether a node may have a device of the catalogue, which has a slash in its name."""
    return isinstance(node, dict) and isinstance(node.get("device"), str) and "/" in node["device"]


def _equipped(node: Document) -> Document:
    from finbench.models.catalogue_files import of_catalogue  # which reads files by `models.io`, as this is read by it

    return of_catalogue(node, f"node '{str(node.get('name'))[:60]}'")


def _directed(link: Any) -> list[Any]:
    """Return a link as the directed links that it stands for."""
    if not isinstance(link, dict) or BOTH_WAYS not in link:
        return [link]
    forward = {name: said for name, said in link.items() if name != BOTH_WAYS}
    both = link[BOTH_WAYS]
    if not isinstance(both, bool):
        label = f"link '{str(link.get('source'))[:60]}->{str(link.get('target'))[:60]}'"
        raise ValueError(f"{label}: {BOTH_WAYS} = {str(both)[:60]!r}: must be true or false")
    if not both or not {"source", "target"} <= forward.keys():
        return [forward]
    return [forward, {**forward, "source": forward["target"], "target": forward["source"]}]


def in_si(value: Any, error: ValidationError, place: Callable[[ErrorDetails], str]) -> Any:
    """Return `value` with every text where its model asks for a number, and found none, as the SI number it stands for.

    Parameters
    ----------
    value : Any
        What a file says.
    error : ValidationError
        What its model found wrong with it.
    place : callable
        Names the object in which an error stands.

    Returns
    -------
    Any
        A copy; `value` itself where no text stands in the place of a number.

    Raises
    ------
    ValueError
        As `units.si_number` does, with the place before it.
    """
    copy, own = value, set[int]()
    for details in error.errors(include_url=False, include_context=False):
        loc, text = details["loc"], details["input"]
        named = [step for step in loc if isinstance(step, str)]
        if details["type"] in _NUMBER_ERRORS and isinstance(text, str) and named and unit_of(named[-1]):
            try:
                number = si_number(text, named[-1])
            except ValueError as wrong:
                raise ValueError(": ".join(filter(None, (place(details), str(wrong))))) from None
            copy = _with(copy, loc, number, own)
    return copy


def _with(document: Any, loc: tuple[int | str, ...], number: float, own: set[int]) -> Any:
    """Put a number in a place of a document; only what lies on the way there is copied, and only once (`own`)."""
    copy = inner = _own(document, own)
    for step in loc[:-1]:
        inner[step] = _own(inner[step], own)
        inner = inner[step]
    inner[loc[-1]] = number
    return copy


def _own(part: Any, own: set[int]) -> Any:
    if id(part) in own:
        return part
    copy = dict(part) if isinstance(part, dict) else list(part)
    own.add(id(copy))
    return copy


def with_shorthand(schema: Document) -> Document:
    """Return the JSON Schema of a kind of file with what it may say in short."""
    definitions = schema.get("$defs", {})
    for part in (schema, *definitions.values()):
        for name, rule in part.get("properties", {}).items():
            if unit_of(name):
                _allow_quantity(rule, unit_of(name) or "")
    for part in (schema, *definitions.values()):
        if part.get("title") == Link.__name__:
            text = "Whether the link of the other direction is there too, equal but for its direction."
            part["properties"][BOTH_WAYS] = {"type": "boolean", "default": False, "description": text}
    return schema


def _allow_quantity(rule: Document, unit: str) -> None:
    """Let a rule for numbers take a text with a unit."""
    quantity = {"type": "string", "description": f"A number and a unit, converted to {unit}."}
    if "anyOf" in rule and any(each.get("type") == "number" for each in rule["anyOf"]):
        rule["anyOf"].append(quantity)
    elif rule.get("type") == "number":
        number = {key: rule.pop(key) for key in ("type", "minimum", "maximum", "exclusiveMinimum") if key in rule}
        rule["anyOf"] = [number, quantity]
    elif rule.get("type") == "array" and "items" in rule:
        _allow_quantity(rule["items"], unit)
