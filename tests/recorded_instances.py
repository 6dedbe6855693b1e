"""Instances whose content hashes and optima were recorded before the model of run costs was extended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finbench.benchmarks.families import FAMILIES, generate, generate_shared
from finbench.models.instance import Instance
from finbench.models.io import load_instance
from tests.models.enumeration import shared_instance
from tests.random_instances import random_instance, random_shared_instance

RECORD: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "recorded_instances.json").read_text(encoding="utf-8")
)
"""By key: the content hash, the SHA-256 of the written file, and the optimum, None where nothing is feasible."""


def recorded_instances() -> Iterator[tuple[str, Instance]]:
    """Yield shipped and generated instances with their keys in `RECORD`; few applications each, soon solved."""
    for key in RECORD:
        if key.startswith("shipped "):
            yield key, load_instance(key.removeprefix("shipped "))
    for family in FAMILIES:
        blocks = 50 if family == "deep" else 6
        for seed in range(8):
            yield f"{family} {seed}", generate(family, nodes=8, blocks=blocks, exits=3, seed=seed)
    for seed in range(10):
        penalty, shares = (None, 2.0)[seed % 2], (None, (0.25, 0.5, 1.0))[seed // 5]
        drawn = generate_shared("campus", nodes=10, applications=4, load=0.9, seed=seed, penalty=penalty, shares=shares)
        yield f"campus {seed}", drawn
    for seed in range(20):
        yield f"random {seed}", random_instance(seed, zeros=seed % 2 == 1)
        yield f"shared {seed}", random_shared_instance(seed, levels=seed % 2 == 1, penalties=seed % 4 > 1)
    for seed in range(10):
        yield f"tight {seed}", shared_instance(seed, applications=1 + seed % 3, max_nodes=3)
