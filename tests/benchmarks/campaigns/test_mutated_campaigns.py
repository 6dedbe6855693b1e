"""Damaged campaign files: refused in one line, or planned; none ends in a traceback or without an end."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.campaigns.ladder import load_ladder_campaign
from finbench.benchmarks.cli.app import app
from finbench.models.io import InputError
from tests.benchmarks.rows.test_mutated_results import MARK, NASTY, places

CAMPAIGN: dict[str, Any] = {
    "schema_version": 1,
    "name": "small",
    "time_limit_s": 10.0,
    "memory_limit_gib": 1.0,
    "repetitions": 1,
    "threads": 1,
    "warm_up": False,
    "seed": 1,
    "methods": [{"name": "fin", "options": {"gamma": [5, 10], "engine": "arrays"}}, {"name": "milp-flow"}],
    "instances": [
        {"group": "grid", "instances": ["blenet-mnist"], "max_latency_s": [1e-5], "min_accuracy": [0.5, 0.6],
         "accounting": ["expected"], "latency_kind": ["full_depth"]}
    ],
    "families": [
        {"group": "ladder", "family": "tiered", "nodes": [3], "blocks": [4], "exits": [2], "seeds": [1],
         "tightness": [0.5], "methods": [{"name": "label-setting", "options": {"k": 1}}]}
    ],
    "shared_families": [
        {"group": "campus", "family": "campus", "nodes": [4], "applications": [2], "load": [0.5], "penalty": 5.0,
         "shares": [0.5, 1.0], "seeds": [1], "methods": [{"name": "greedy"}]}
    ],
}  # fmt: skip

LADDER = {
    **{name: CAMPAIGN[name] for name in ("schema_version", "name", "time_limit_s", "memory_limit_gib", "methods")},
    "families": CAMPAIGN["families"],
    "strikes": 2,
    "seed": 1,
}


def mutants(document: dict[str, Any], folder: Path) -> list[Path]:
    """Write damaged copies of a document, each with one value replaced or left out, and return their files."""
    draw = random.Random("campaigns")
    files: list[Path] = []
    for number in range(len(places(document))):
        for nasty in (None, *draw.sample(NASTY, 4)):
            mutant = json.loads(json.dumps(document))
            holder, key = places(mutant)[number]
            if nasty is None:
                del holder[key]
            else:
                holder[key] = MARK
            file = folder / f"{len(files)}.json"
            file.write_text(json.dumps(mutant).replace(json.dumps(MARK), nasty or ""))
            files.append(file)
    return files


@pytest.mark.slow
def test_damaged_campaigns_are_refused_or_planned(tmp_path: Path) -> None:
    refused = planned = 0
    for file in mutants(CAMPAIGN, tmp_path):
        came = CliRunner().invoke(app, ["run", str(file), "-o", str(tmp_path / "results"), "--dry-run"])
        told = (file.read_text()[:3000], came.output[-500:], repr(came.exception))
        assert came.exit_code in (0, 2), told
        assert came.exit_code == 0 or (came.stdout == "" and came.stderr.count("\n") == 1), told
        refused += came.exit_code == 2
        planned += came.exit_code == 0
    assert refused > 50
    assert planned > 20
    assert not (tmp_path / "results").exists()


def test_damaged_ladders_are_refused_or_read(tmp_path: Path) -> None:
    refused = 0
    for file in mutants(LADDER, tmp_path):
        try:
            load_ladder_campaign(str(file))
        except InputError as error:
            refused += "\n" not in str(error)
    assert refused > 30
