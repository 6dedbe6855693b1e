"""The instances of a folder of results, and files that hold none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.report.instances import FILE, load_instances
from models.io import InputError, dump_instance, load_instance


def test_instances_are_read_back(tmp_path: Path) -> None:
    instance = load_instance("blenet-mnist")
    line = {"content_hash": instance.content_hash, "instance": json.loads(dump_instance(instance))}
    (tmp_path / FILE).write_text(json.dumps(line) + "\n")
    assert load_instances(tmp_path) == {instance.content_hash: instance}


def test_a_folder_without_instances_has_none(tmp_path: Path) -> None:
    assert load_instances(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"content_hash": "a"', "line 1 is not an object with"),
        ("[1]", "line 1 is not an object with"),
        ('{"content_hash": "a", "instance": {"name": 3}}', "line 1: network: required"),
    ],
)
def test_broken_instances_are_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(InputError, match=said):
        load_instances(tmp_path)
