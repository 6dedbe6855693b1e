"""A small library of three instances in a folder of its own, to be changed by tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from finbench.benchmarks.library.entry import LibraryEntry
from finbench.benchmarks.library.known_value import KnownValue
from finbench.benchmarks.library.library import INSTANCES, SOLU, VALUES, Library, load_library
from finbench.benchmarks.library.tables import table_text
from finbench.benchmarks.library.updating import update
from finbench.benchmarks.methods import run_method
from finbench.fin_graph.certifying import certificate_of
from finbench.models.instance import Instance
from finbench.models.result import Result

DAY = date(2026, 11, 1)


def entry_of(name: str, **fields: object) -> LibraryEntry:
    """Return an entry with the content hash of what it makes."""
    sizes = {"nodes": 3, "blocks": 5, "exits": 3, "applications": 1} | fields
    draft = LibraryEntry.model_validate({"name": name, "tier": "tiny", "content_hash": "0" * 64, **sizes})
    return draft.model_copy(update={"content_hash": draft.made().content_hash})


def solved(instance: Instance, method: str = "label-setting") -> Result:
    result = run_method(instance, method)
    assert result.deployment is not None
    return result


@pytest.fixture
def small(tmp_path: Path) -> Library:
    """Return a library of which one optimum is known with its proof, one deployment without, and of one nothing."""
    entries = (
        entry_of("one", instance="balexnet-cifar10"),
        entry_of("two", instance="bresnet-cifar10"),
        entry_of("three", family="tiered", nodes=4, blocks=4, exits=2, tightness=0.5, seed=1, tier="small"),
    )
    (tmp_path / INSTANCES).write_text(table_text(LibraryEntry, entries))
    (tmp_path / VALUES).write_text(table_text(KnownValue, []))
    (tmp_path / SOLU).write_text("".join(f"=unkn= {entry.name}\n" for entry in entries))
    one, two = (entry.build() for entry in entries[:2])
    best = solved(one)
    proof = certificate_of(one, "label-setting", best)
    update(
        load_library(tmp_path), "one", best.deployment, proof,
        method="label-setting", proofs=("label-setting", "milp-flow"), on=DAY,
    )  # fmt: skip
    update(load_library(tmp_path), "two", solved(two, "single-node").deployment, None, method="single-node", on=DAY)
    return load_library(tmp_path)
