"""The library as it lies in a folder: its instances, which never change, and what is known of them, which grows.

`v1/instances.csv` lists the instances, `v1/values.csv` what is known of them. Rows of the second are appended, never
changed; each says more than the one before. `v1/library.solu` is made from both.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from finbench.benchmarks.library.entry import LibraryEntry, LibraryTier
from finbench.benchmarks.library.known_value import KnownValue
from finbench.benchmarks.library.solu import solu_text
from finbench.benchmarks.library.tables import read_table, text_of
from finbench.models.io import InputError, data_directory

PREFIX = "library:"
"""What a name begins with that means an instance or a tier of the library."""

INSTANCES, VALUES, SOLU = "instances.csv", "values.csv", "library.solu"

RELEASED: dict[str, str] = {"v1": "fdb879760e529812d217a8c02a05954c6c799f48884714081dc23a959493e62b"}
"""SHA-256 of `instances.csv` of every version of the library: what is released stays as it is."""


@dataclass(frozen=True)
class Library:
    """The instances of the library and what is known of them."""

    folder: Path
    entries: dict[str, LibraryEntry]
    """By name, in the file's order."""
    history: dict[str, tuple[KnownValue, ...]]
    """What is known of an instance, the oldest row first; nothing of those that are not here."""

    @property
    def values(self) -> dict[str, KnownValue]:
        """The newest row of every instance of which anything is known."""
        return {name: rows[-1] for name, rows in self.history.items()}

    def chosen(self, names: Sequence[str] = (), tier: LibraryTier | None = None) -> list[LibraryEntry]:
        """Return the entries of these names, which may be tiers', and of a tier; without either all.

        Raises
        ------
        InputError
            If there is no such instance or tier.
        """
        named = dict.fromkeys(each for name in names for each in self.named(name)) if names else self.entries
        return [self.entries[name] for name in named if tier in (None, self.entries[name].tier)]

    def named(self, name: str) -> tuple[str, ...]:
        """Return the name of an instance, or those of a tier's instances; `library:` before it may be left out.

        Raises
        ------
        InputError
            If there is no such instance or tier.
        """
        name = name.removeprefix(PREFIX)
        if name in self.entries:
            return (name,)
        if name in set(LibraryTier):
            return tuple(each.name for each in self.entries.values() if each.tier == name)
        close = difflib.get_close_matches(name, [*self.entries, *LibraryTier], n=1)
        hint = f"did you mean '{PREFIX}{close[0]}'?" if close else "`finbench library list` lists all"
        raise InputError(f"{PREFIX}{name}", f"no such instance, and no such tier ({', '.join(LibraryTier)}); {hint}")

    def entry(self, name: str) -> LibraryEntry:
        """Return the entry of an instance, by its name with or without `library:`.

        Raises
        ------
        InputError
            If there is no such instance, or the name is a tier's.
        """
        (first, *others) = self.named(name) or (name,)
        if others or first != name.removeprefix(PREFIX):
            raise InputError(f"{PREFIX}{name.removeprefix(PREFIX)}", "is a tier: one instance must be named here")
        return self.entries[first]

    def solu(self) -> str:
        """Return the text that `library.solu` must have."""
        return solu_text(self.entries, self.values)


def library_folder() -> Path:
    """Return the folder of the shipped library."""
    return data_directory() / "library" / "v1"


@cache
def shipped_library() -> Library:
    """Return the shipped library, read once."""
    return load_library(library_folder())


def load_library(folder: Path) -> Library:
    """Read a library.

    Raises
    ------
    InputError
        If a file cannot be read, a row breaks a rule, or the instances are not those that were released.
    """
    return Library(folder, read_entries(folder), read_history(folder))


def read_entries(folder: Path) -> dict[str, LibraryEntry]:
    """Return the instances by name; raise InputError as `load_library` does."""
    file = folder / INSTANCES
    entries = {entry.name: entry for entry in _each_once(file)}
    released = RELEASED.get(folder.name)
    if released is not None and sha256(text_of(file).encode()).hexdigest() != released:
        raise InputError(file, f"is not as version {folder.name} of the library was released: it never changes")
    return entries


def _each_once(file: Path) -> Iterator[LibraryEntry]:
    seen = dict[str, str]()
    for entry in read_table(file, LibraryEntry):
        if entry.name in seen or entry.name in set(LibraryTier):
            rule = "stands twice" if entry.name in seen else "is the name of a tier"
            raise InputError(file, f"row '{entry.name}': name {rule}")
        if entry.content_hash in seen.values():
            raise InputError(file, f"row '{entry.name}': content_hash stands twice: it is an instance by another name")
        seen[entry.name] = entry.content_hash
        yield entry


def read_history(folder: Path) -> dict[str, tuple[KnownValue, ...]]:
    """Return what is known by instance, the oldest row first; raise InputError as `load_library` does."""
    file = folder / VALUES
    entries, history = read_entries(folder), dict[str, tuple[KnownValue, ...]]()
    for value in read_table(file, KnownValue):
        if value.name not in entries:
            raise InputError(file, f"row '{value.name}': name: no such instance in {INSTANCES}")
        before = history.get(value.name, ())
        wrong = value.follows(before[-1]) if before else None
        if wrong is not None:
            raise InputError(file, f"row '{value.name}', the {len(before) + 1}. of this name: {wrong}")
        history[value.name] = (*before, value)
    return history
