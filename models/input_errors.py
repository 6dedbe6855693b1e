"""Bad input: one line for people that names file, object, field, value and rule, and never grows long."""

from __future__ import annotations

from pathlib import Path

MAX_SHOWN = 60
"""Characters of a name that an error line shows; of any other text three times as many."""


class InputError(ValueError):
    """Bad input: one line that names file, object, field, value and rule."""

    def __init__(self, file: Path | str, message: str) -> None:
        super().__init__(" ".join(f"{file}: {message}".split()))
        self.file = str(file)


class InputWarning(UserWarning):
    """Input that breaks no rule, and yet looks like a mistake: one line."""


def shown(value: object) -> str:
    """Return a value for an error line; never long, never recursive."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**30:
        return "an integer of over 30 digits"
    return shortened(repr(value))


def shortened(text: str) -> str:
    """Return a text that is cut off where an error line would grow long."""
    return text if len(text) <= 3 * MAX_SHOWN else f"{text[: 3 * MAX_SHOWN]}…"
