"""What all classes of the problem's data share: frozen objects, kinds of fields, rules about names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
OptionalName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""A name that may be left out. Neither kind holds control characters: names are printed."""
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Index = Annotated[int, Field(ge=1)]
BlockKey = Annotated[str, Field(pattern=r"^[1-9][0-9]*$")]
"""1-based index of a block; a string, as file keys are."""


SCHEMA_VERSION: Final = 2
"""Version of the file formats that this package writes, and the newest that it reads."""

SchemaVersion = Annotated[Literal[1, 2], AfterValidator(lambda _: SCHEMA_VERSION)]
"""Version of a file's format; what was read is of the newest, whatever its file says."""


def since_version_2(default: Any) -> Any:
    """Return a field that version 1 of the file format did not have: written only where it is not its default."""
    return Field(default=default, exclude_if=lambda value: value == default)


class Frozen(BaseModel):
    """An object whose fields are checked once and never change."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with `update` in place of its fields; nothing computed from the old ones is carried over."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


def check_unique(kind: str, names: list[str]) -> None:
    """Refuse a name that stands twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{kind} '{name}': name: duplicate, names must be unique")
        seen.add(name)


def check_known(label: str, field: str, name: str, known: Iterable[str], what: str) -> None:
    """Refuse a name that is not among those known."""
    if name not in known:
        raise ValueError(f"{label}: {field} = {name!r}: must be a {what}")


def broken_rule(error: ValidationError) -> str:
    """Return the first rule that values break, without the field's place: for values whose parts are sound."""
    found = error.errors()[0]
    return str(found.get("ctx", {}).get("error", found["msg"]))
