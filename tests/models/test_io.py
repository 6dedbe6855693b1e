"""Reading and writing: bad input never gets past, good input comes back the same."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.file_schema import InstanceFile, file_schema
from finbench.models.instance import Accounting, Instance
from finbench.models.io import (
    InputError,
    dump_deployment,
    dump_instance,
    find_file,
    load_deployment,
    load_instance,
    shipped,
    write_text,
)
from tests.models.bad_inputs import BAD_DOCUMENTS, BAD_TEXTS, SOUND
from tests.random_instances import random_instance, random_shared_instance


def refused(path: Path, *, deployment: bool = False) -> str:
    """The one line that reading `path` fails with."""
    with pytest.raises(InputError) as caught:
        load_deployment(path) if deployment else load_instance(path)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 1000
    assert line.startswith(f"{path}: ")
    return line


@pytest.mark.parametrize("name", shipped("instances"))
def test_shipped_instances_are_sound_and_say_where_they_come_from(name: str) -> None:
    instance = load_instance(name)
    assert instance.name == name
    assert instance.provenance
    assert instance.network.provenance
    assert all(dnn.provenance for dnn in instance.dnns)


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_a_broken_rule_is_named(case: str, tmp_path: Path) -> None:
    document, named = BAD_DOCUMENTS[case]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    line = refused(path)
    assert [part for part in named if part not in line] == [], line


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_a_file_that_cannot_be_parsed_is_named(case: str, tmp_path: Path) -> None:
    name, content, named = BAD_TEXTS[case]
    path = tmp_path / name
    path.write_bytes(content)
    line = refused(path)
    assert [part for part in named if part not in line] == [], line


def test_missing_files_folders_and_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_instance(tmp_path / "none.json")
    with pytest.raises(InputError, match="did you mean 'balexnet-cifar10'"):
        load_instance("balexnet-cifar")
    folder = tmp_path / "folder.json"
    folder.mkdir()
    assert "cannot be read" in refused(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "locked.json"
    path.write_text("{}")
    path.chmod(0)
    assert "cannot be read" in refused(path)


def test_parts_in_files_of_their_own_load_as_one_instance(tmp_path: Path) -> None:
    document = copy.deepcopy(SOUND)
    (tmp_path / "net.json").write_text(json.dumps({"schema_version": 1, **document["network"]}))
    (tmp_path / "app.json").write_text(json.dumps(document["applications"][0]))
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(document))
    split = tmp_path / "split.json"
    split.write_text(json.dumps(document | {"network": "net.json", "applications": ["app.json"]}))
    assert load_instance(split) == load_instance(whole)


def test_a_fault_in_a_part_names_the_parts_file(tmp_path: Path) -> None:
    network = copy.deepcopy(SOUND["network"])
    network["nodes"][0]["power_w"] = -1.0
    (tmp_path / "net.json").write_text(json.dumps(network))
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(SOUND | {"network": "net.json"}))
    with pytest.raises(InputError, match=r"net\.json: node 'device': power_w = -1\.0"):
        load_instance(path)


def test_several_applications_need_rates(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    apps = [SOUND["applications"][0], SOUND["applications"][0] | {"name": "other", "rate_per_s": 1.0}]
    path.write_text(json.dumps(SOUND | {"applications": apps}))
    assert "application 'app': rate_per_s: required" in refused(path)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_an_instance_comes_back_the_same(seed: int, shared: bool, tmp_path: Path) -> None:
    instance = (
        random_shared_instance(seed, levels=True, penalties=True) if shared else random_instance(seed, zeros=True)
    )
    path = tmp_path / "instance.json"
    write_text(path, dump_instance(instance))
    again = load_instance(path)
    assert again == instance
    assert again.content_hash == instance.content_hash
    assert dump_instance(again) == path.read_text()


def test_a_deployment_comes_back_the_same(tmp_path: Path) -> None:
    decision = ApplicationDeployment(application="app", last_exit=2, placement=("device", "edge"))
    path = tmp_path / "deployment.json"
    for routes, shares in ((None, None), (((), ("device", "edge")), (1.0, 0.3))):
        changed = decision.model_copy(update={"routes": routes, "shares": shares})
        deployment = Deployment(deployments=(changed,), rejected=("other",) if shares else ())
        write_text(path, dump_deployment(deployment))
        assert load_deployment(path) == deployment


DECISION: dict[str, Any] = {"application": "app", "last_exit": 2, "placement": ["device", "edge"]}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({}, ["deployments", "missing"]),
        ({"deployments": []}, ["deployments, rejected", "at least one"]),
        ({"deployments": [], "rejected": []}, ["deployments, rejected", "at least one"]),
        ({"deployments": [], "rejected": "app"}, ["rejected = 'app'"]),
        ({"deployments": [], "rejected": [1]}, ["rejected[1] = 1"]),
        ({"deployments": [DECISION | {"shares": [0.5, 0]}]}, ["deployment 1", "shares[2] = 0"]),
        ({"deployments": [DECISION | {"shares": 0.5}]}, ["deployment 1", "shares = 0.5"]),
        ({"deployments": [DECISION], "energy": 1}, ["energy = 1", "unknown field"]),
        ({"deployments": [DECISION | {"last_exit": 0}]}, ["deployment 1", "last_exit = 0"]),
        ({"deployments": [DECISION | {"last_exit": True}]}, ["deployment 1", "last_exit = True"]),
        ({"deployments": [DECISION | {"placement": []}]}, ["deployment 1", "placement"]),
        ({"deployments": [DECISION | {"placement": "edge"}]}, ["deployment 1", "placement = 'edge'"]),
        ({"deployments": [DECISION | {"placement": [1, 2]}]}, ["1"]),
        ({"deployments": [DECISION | {"route": []}]}, ["deployment 1", "did you mean 'routes'"]),
        ({"deployments": DECISION}, ["deployments"]),
    ],
)
def test_a_broken_deployment_file_is_named(document: Any, named: list[str], tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(document))
    line = refused(path, deployment=True)
    assert [part for part in named if part not in line] == [], line


def test_schema_names_every_field_with_its_meaning() -> None:
    schema = file_schema(InstanceFile, "instance")
    assert set(schema["properties"]) == set(Instance.model_fields)
    for definition in ("Node", "Link", "Block", "Exit", "DNN", "Application"):
        fields = schema["$defs"][definition]["properties"]
        assert all("description" in field for field in fields.values()), definition
    assert schema["$defs"]["Accounting"]["enum"] == [kind.value for kind in Accounting]
    parts = schema["properties"]["network"]["anyOf"]
    assert {"type": "string"} in parts


def test_writing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    write_text(path, "first")
    write_text(path, "second")
    assert path.read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "none" / "text.txt", "x")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path, "x")
    assert list(tmp_path.iterdir()) == [path]


def test_find_file_prefers_shipped_names(tmp_path: Path) -> None:
    assert find_file("blenet-mnist", "instances") == shipped("instances")["blenet-mnist"]
    assert find_file(str(tmp_path), "instances") == tmp_path
    assert set(shipped("campaigns")) >= {"published", "smoke"}


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    whole = load_instance("blenet-mnist")
    file = shipped("instances")["blenet-mnist"]
    toml = file.read_text().replace('"../', f'"{file.parent.parent}/')
    for name, text in (("a.json", dump_instance(whole)), ("a.toml", toml)):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        assert load_instance(tmp_path / name) == whole


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_only_regular_files_are_read(suffix: str, tmp_path: Path) -> None:
    pipe, device = tmp_path / f"pipe.{suffix}", tmp_path / f"zero.{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        assert "is not a regular file" in refused(path)
        assert "is not a regular file" in refused(path, deployment=True)


def test_long_words_and_large_tables_take_time_by_their_length(tmp_path: Path) -> None:
    word, table = tmp_path / "word.toml", tmp_path / "table.json"
    word.write_text(f"name = 1\n{'a' * 500_000} = 1\n")
    names = [f"k{k}" for k in range(100_000)]
    table.write_text("{" + ", ".join(f'"{name}": 1' for name in [*names, names[-1]]) + "}")
    began = perf_counter()
    assert "unknown field" in refused(word)
    assert "key 'k99999' stands twice" in refused(table)
    assert perf_counter() - began < 5


def test_a_link_is_written_through_and_permissions_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("first")
    real.chmod(0o600)
    link.symlink_to(real)
    write_text(link, "second")
    assert link.is_symlink()
    assert real.read_text() == "second"
    assert real.stat().st_mode & 0o777 == 0o600
    dangling = tmp_path / "dangling.txt"
    dangling.symlink_to(tmp_path / "new.txt")
    write_text(dangling, "third")
    assert dangling.is_symlink()
    assert (tmp_path / "new.txt").read_text() == "third"


def test_standard_output_pipes_and_devices_are_written_to(tmp_path: Path, capfdbinary: Any) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()
    write_text("/dev/null", "nothing")
    assert Path("/dev/null").is_char_device()
    for standard_output in ("-", "/dev/stdout"):
        write_text(standard_output, "é\n")
        assert capfdbinary.readouterr().out == "é\n".encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe"]
    assert not Path("-").exists()
