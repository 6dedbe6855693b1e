"""The text of a campaign's or a ladder campaign's file, kept with the results that it led to."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import PrivateAttr

from finbench.benchmarks.campaigns.conditions import Table
from finbench.models.io import write_text

STEM = "campaign"
SUFFIXES = (".toml", ".json")


class FromFile(Table):
    """A table that knows the text of the file that it was read from."""

    _text: tuple[str, str] | None = PrivateAttr(None)
    """Suffix and text; None where it was made without a file."""

    def read_from(self, path: Path) -> Self:
        """Return a copy that knows the file's text, without options of a command line."""
        copy = self.model_copy()
        copy.learn_text(path)
        return copy

    def learn_text(self, path: Path) -> None:
        """Remember the text of the file."""
        self._text = path.suffix, path.read_text(encoding="utf-8")

    def keep_in(self, folder: Path) -> None:
        """Write the text to a folder of results, in place of an earlier one; nothing where there was no file."""
        if self._text is None:
            return
        suffix, text = self._text
        for other in SUFFIXES:
            if other != suffix:
                (folder / f"{STEM}{other}").unlink(missing_ok=True)
        write_text(folder / f"{STEM}{suffix}", text)


def kept_text(folder: Path) -> str | None:
    """Return the text of the campaign's file that a folder of results keeps; None where it keeps none."""
    files = (folder / f"{STEM}{suffix}" for suffix in SUFFIXES)
    file = next((file for file in files if file.is_file()), None)
    return None if file is None else file.read_text(encoding="utf-8", errors="replace")
