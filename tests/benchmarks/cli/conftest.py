"""Paths that name something else than a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def no_files(tmp_path: Path) -> list[str]:
    """Return a folder, a pipe nobody writes to, links to devices, to nothing and to itself, names of nothing."""
    there = tmp_path / "no-files"
    there.mkdir()
    os.mkfifo(there / "pipe.json")
    for name, target in (("zero.json", "/dev/zero"), ("null.toml", "/dev/null"), ("nothing.json", "nowhere")):
        (there / name).symlink_to(target)
    (there / "self.json").symlink_to("self.json")
    (there / "pipe.jsonl").symlink_to("pipe.json")
    (there / "folder.json").mkdir()
    (there / "unreadable.json").write_bytes(b"\xff\xfe\x00")
    named = [str(each) for each in sorted(there.iterdir())]
    names = ("", " ", "no-such", "ünïcode-名", "a\x1b[31mb", "a\nb", "-", "/dev/stdin/x", "x" * 5000, "~", "\udc80")
    return [*named, *names]
