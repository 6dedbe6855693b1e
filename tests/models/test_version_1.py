"""Files of version 1 of the format: read as before; what is written is of version 2."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.campaigns.campaign import load_campaign
from finbench.benchmarks.campaigns.ladder import load_ladder_campaign
from finbench.models.evaluate import evaluate
from finbench.models.io import InputError, dump_instance, load_deployment_file, load_instance, read_document
from finbench.models.upgraded import upgraded
from finbench.models.verify.certificate import Certificate
from finbench.models.verify.files import dump_certificate, load_deployment_or_certificate

OLD = Path(__file__).parent / "version_1"
CONTENT_HASH = "d32d3e3f94e7a120505c6c9761d5c433c131f4104b8054c17e0dacc924723110"
"""What the instance had for a content hash when version 1 was the newest."""


@pytest.mark.parametrize("name", ["instance.toml", "instance.json"])
def test_an_instance_of_version_1_is_the_same_instance(name: str) -> None:
    instance = load_instance(OLD / name)
    assert instance.content_hash == CONTENT_HASH
    assert instance == load_instance("balexnet-cifar10")
    assert json.loads(dump_instance(instance))["schema_version"] == 2


def test_a_deployment_of_version_1_is_judged_as_before() -> None:
    file = load_deployment_file(OLD / "deployment.json")
    assert file.made_for is not None
    assert file.made_for.content_hash == CONTENT_HASH
    assert evaluate(load_instance("balexnet-cifar10"), file.deployment).violations == ()


def test_a_certificate_of_version_1_is_read_and_written_as_version_2() -> None:
    certificate = load_deployment_or_certificate(OLD / "certificate.json")
    assert isinstance(certificate, Certificate)
    assert certificate.instance == CONTENT_HASH
    assert json.loads(dump_certificate(certificate))["schema_version"] == 2


def test_campaigns_and_ladders_of_version_1_ask_for_the_same_runs() -> None:
    assert load_campaign(str(OLD / "campaign.toml")).model_dump() == load_campaign("smoke").model_dump()
    assert load_ladder_campaign(str(OLD / "ladder.toml")).model_dump() == load_ladder_campaign("scale").model_dump()


@pytest.mark.parametrize("path", sorted(OLD.iterdir()), ids=lambda path: path.name)
def test_a_file_of_version_1_differs_from_its_upgrade_in_the_version_alone(path: Path, tmp_path: Path) -> None:
    content, before = upgraded(path)
    after = tmp_path / path.name
    after.write_bytes(content)
    assert read_document(after) == {**before, "schema_version": 2}
    assert upgraded(after) == (content, read_document(after))
    if path.suffix == ".toml":
        assert content == path.read_bytes().replace(b"schema_version = 1", b"schema_version = 2", 1)


TOML = """# my instance

  schema_version  =  1  # the old one
name = "x" # kept
"""


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (TOML, TOML.replace("=  1", "=  2")),
        ("# kept\n\nname = 1\n", "# kept\n\nschema_version = 2\nname = 1\n"),
        ("[table]\nx = 1\n", "schema_version = 2\n[table]\nx = 1\n"),
        ("\r\n# kept\r\nname = 1\r\n", "\r\n# kept\r\nschema_version = 2\nname = 1\r\n"),
        ("\ufeffname = 1\n", "schema_version = 2\nname = 1\n"),
    ],
)
def test_comments_stay_where_they_are(text: str, becomes: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(text.encode())
    assert upgraded(path)[0].decode() == becomes
    tomllib.loads(becomes)


HIDDEN = [
    '"schema_version" = 1\n',
    'name = """\nschema_version = 1\n"""\nschema_version = 1\n',
    "schema_version = 0b1\n",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_version_that_cannot_be_rewritten_without_a_loss_is_left_to_its_owner(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.toml: schema_version: cannot be rewritten .* by hand"):
        upgraded(path)


@pytest.mark.parametrize("value", [0, 3, -1, "1", 1.0, True, None, [2]])
def test_another_version_is_refused_wherever_it_stands(value: Any, tmp_path: Path) -> None:
    network = tmp_path / "network.json"
    network.write_text(json.dumps({**read_document(OLD / "network.toml"), "schema_version": value}))
    instance = tmp_path / "instance.json"
    whole = json.loads((OLD / "instance.json").read_text())
    for change, told in (({"network": "network.json"}, network), ({"schema_version": value}, instance)):
        instance.write_text(json.dumps(whole | change))
        with pytest.raises(InputError, match=r"schema_version = ") as caught:
            load_instance(instance)
        assert str(caught.value).startswith(f"{told}: ")
