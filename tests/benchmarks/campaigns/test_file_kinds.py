"""Schemas of files: they take what ships and what is written, and refuse what the reader refuses for type and range."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from finbench.benchmarks.campaigns.file_kinds import FileKind, kind_of, model_of, schema_of
from finbench.benchmarks.methods import run_method
from finbench.models.deployment import DeploymentOrigin
from finbench.models.instance import Instance
from finbench.models.io import (
    Document,
    InputError,
    data_directory,
    dump_deployment,
    dump_instance,
    load_instance,
    read_document,
)
from finbench.models.units import unit_of
from tests.extended_instances import extended_shared_instance

Draft202012Validator: Any = pytest.importorskip("jsonschema").Draft202012Validator

ENTRIES = ("catalogue/devices", "catalogue/links", "catalogue/exits", "places")
"""Folders of the suite's own tables, which nobody writes and `tests/models/test_catalogue.py` checks."""
SHIPPED = sorted(
    path
    for path in data_directory().rglob("*.toml")
    if path.parent.relative_to(data_directory()).as_posix() not in ENTRIES
)
FOLDERS = {path.parent.name for path in SHIPPED}
OLD = Path(__file__).parents[2] / "models" / "version_1"
"""Files of version 1, one of each kind."""
VALIDATORS = {kind: Draft202012Validator(schema_of(kind)) for kind in FileKind}

TYPES = {"string_type", "float_type", "int_type", "bool_type", "literal_error", "enum", "dict_type", "model_type"}
RANGES = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "too_short", "string_too_short"}
SHAPES = {"string_pattern_mismatch", "tuple_type", "string_too_long", "missing", "extra_forbidden"}
OF_ONE_FIELD = TYPES | RANGES | SHAPES
"""Kinds of errors that a schema can tell; the other one, `value_error`, is about several fields."""

WRONG: tuple[Any, ...] = (-1, -0.5, 0, 1.5, 3, "text", "", "a\tb", True, [], [1], {}, {"no such": 1}, None)
"""Values that stand in the place of sound ones."""


@pytest.mark.parametrize("kind", FileKind)
def test_every_kind_has_a_sound_schema(kind: FileKind) -> None:
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"finbench {kind} file"
    assert schema["properties"]["schema_version"]["enum"] == [1, 2]
    assert all("description" in field or "$ref" in field for field in schema["properties"].values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_files_are_of_version_2_and_fit_the_schema_of_their_kind(path: Path) -> None:
    document = read_document(path)
    assert document["schema_version"] == 2
    kind = kind_of(document, path)
    assert path.parent.name.rstrip("s") in (kind, f"{kind}"[:-1] + "ie")
    assert not list(VALIDATORS[kind].iter_errors(document))


def test_every_folder_of_data_files_is_looked_at() -> None:
    assert {
        "instances",
        "networks",
        "dnns",
        "applications",
        "devices",
        "campaigns",
        "ladders",
        "days",
        "migrations",
    } == FOLDERS


@pytest.mark.parametrize("path", sorted(OLD.iterdir()), ids=lambda path: path.name)
def test_files_of_version_1_fit_as_well(path: Path) -> None:
    document = read_document(path)
    kind = kind_of(document, path)
    assert kind == path.stem
    assert not list(VALIDATORS[kind].iter_errors(document))


def test_what_is_written_fits() -> None:
    for seed in range(30):
        instance = extended_shared_instance(seed)
        assert not list(VALIDATORS[FileKind.INSTANCE].iter_errors(json.loads(dump_instance(instance))))
    instance = load_instance("blenet-mnist")
    made_for = DeploymentOrigin(instance="i", content_hash="0", method="fin")
    deployment = run_method(instance, "fin").deployment
    assert deployment is not None
    for origin in (made_for, None):
        written = json.loads(dump_deployment(deployment, origin))
        assert written["schema_version"] == 2
        assert not list(VALIDATORS[FileKind.DEPLOYMENT].iter_errors(written))


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"x\.toml: is none of our files"):
        kind_of({"name": "x"}, Path("x.toml"))


def documents() -> dict[FileKind, Document]:
    """A sound document of each kind with as many fields as there are."""
    old = {FileKind(path.stem): read_document(path) for path in sorted(OLD.iterdir())}
    instance = max((extended_shared_instance(seed) for seed in range(30)), key=lambda drawn: len(dump_instance(drawn)))
    whole = json.loads(dump_instance(instance))
    application = max(whole["applications"], key=lambda app: len(app.get("allowed", ())))
    dnn = max(whole["dnns"], key=lambda each: len(each.get("measured", ())))
    migration = {"schema_version": 2, "repository": "n", "fixed_cost_per_block": 1.0, "cost_per_s": 0.5}
    migration |= {"provenance": "drawn"}
    day = read_document(data_directory() / "days" / "three-tier.toml")
    parts = {"network": whole["network"], "dnn": dnn, "application": application, "migration": migration, "day": day}
    device = read_document(data_directory() / "devices" / "raspberry-pi-4.toml")
    return old | {FileKind(name): part for name, part in {**parts, "instance": whole, "device": device}.items()}


def mutants(document: Document) -> Iterator[tuple[str, Document]]:
    """The document with each of its values wrong in each way, missing, and with a field too many beside it."""
    deepest = 2 if "network" in document else 9  # an instance's parts are documents of their own here
    for place in places(document):
        if len(place) > deepest:
            continue
        for change in (*WRONG, "missing", "more"):
            mutant = copy.deepcopy(document)
            holder: Any = mutant
            for step in place[:-1]:
                holder = holder[step]
            if change == "missing" and isinstance(holder, dict):
                del holder[place[-1]]
            elif change == "more" and isinstance(holder, dict):
                holder["colour"] = "red"
            else:
                holder[place[-1]] = change
            if not (isinstance(change, str) and may_be_text(place)):
                yield f"{place} {change!r}", mutant


def may_be_text(place: tuple[Any, ...]) -> bool:
    """Whether a file may have a text there instead: a part's path, or a quantity with its unit."""
    is_part = place == ("network",) or (place[0] in ("dnns", "applications", "devices") and len(place) == 2)
    names = [step for step in place if isinstance(step, str)]
    return is_part or unit_of(names[-1]) is not None


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values; of a list to those of its first item."""
    steps: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value[:1]))
    for step, inner in steps:
        yield (*place, step)
        yield from places(inner, (*place, step))


@pytest.mark.parametrize("kind", FileKind)
def test_schema_and_reader_refuse_the_same_mutants_for_type_and_range(kind: FileKind) -> None:
    document, model = documents()[kind], Instance if kind is FileKind.INSTANCE else model_of(kind)
    told = "schema_version" in model.model_fields
    refused = 0
    for what, mutant in mutants(document):
        try:
            model.model_validate(mutant if told else {k: v for k, v in mutant.items() if k != "schema_version"})
            kinds = set[str]()
        except ValidationError as error:
            kinds = {each["type"] for each in error.errors()}
        by_schema = not VALIDATORS[kind].is_valid(mutant)
        if kinds & OF_ONE_FIELD:
            refused += 1
            assert by_schema, (what, kinds)
        elif not kinds and "schema_version" not in what:
            assert not by_schema, what
    assert refused > 50
