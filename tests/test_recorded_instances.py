"""What was there before the file format's version 2 stays: hashes, written bytes and optima."""

from __future__ import annotations

import hashlib

import pytest

from finbench.benchmarks.methods import run_method
from finbench.models.instance import Instance
from finbench.models.io import dump_instance
from finbench.models.result import Result, Status
from tests.few_and_many import few_and_many
from tests.recorded_instances import RECORD, recorded_instances

INSTANCES = dict(recorded_instances())


def test_all_shipped_and_a_hundred_generated_instances_are_recorded() -> None:
    assert INSTANCES.keys() == RECORD.keys()
    assert len(INSTANCES) >= 105


@pytest.mark.parametrize("key", RECORD)
def test_hashes_stay_and_written_bytes_but_the_version(key: str) -> None:
    instance, record = INSTANCES[key], RECORD[key]
    assert instance.content_hash == record["content_hash"]
    as_then = dump_instance(instance).replace('"schema_version": 2', '"schema_version": 1', 1)
    assert hashlib.sha256(as_then.encode()).hexdigest() == record["written"]


@pytest.mark.parametrize("key", few_and_many(sorted(RECORD, key=lambda key: key.split()[-1]), 20))
def test_optima_stay(key: str) -> None:
    instance, optimum = INSTANCES[key], RECORD[key]["optimum"]
    result = _exact(instance)
    if optimum is None:
        assert result.status is Status.INFEASIBLE
    else:
        assert result.claimed_objective == pytest.approx(optimum, rel=1e-11)


def _exact(instance: Instance) -> Result:
    result = run_method(instance, "label-setting")
    return run_method(instance, "milp-flow") if result.status is Status.UNSUPPORTED else result
