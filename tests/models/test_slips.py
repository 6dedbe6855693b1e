"""What is probably a slip is told with object, field and value; what ships and is generated has none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.families import FAMILIES, generate, generate_shared
from finbench.benchmarks.judging.checked import checked
from finbench.models.instance import Instance
from finbench.models.io import InputWarning, shipped
from finbench.models.slips import Slip, slips, summed_up


def document() -> dict[str, Any]:
    said: dict[str, Any] = json.loads(fb.load("balexnet-cifar10").model_dump_json())
    return said


def changed(*path: Any, to: Any) -> Instance:
    said = document()
    inner: Any = said
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return Instance.model_validate(said)


SLIPS = [
    (("network", "nodes", 0, "compute_ops_per_s"), 11, "node 'device': compute_ops_per_s = 11: outside"),
    (("network", "nodes", 0, "power_w"), 6e9, "node 'device': power_w = 6e\\+09: outside"),
    (("network", "nodes", 1, "power_w"), 0, "node 'edge': power_w = 0: computing there costs no energy"),
    (("network", "nodes", 2, "power_w"), 4e7, r"3.12e\+11, power_w = 4e\+07: 7800 operations per Joule"),
    (("network", "links", 0, "bandwidth_bit_per_s"), 5.6, r"bandwidth_bit_per_s = 5.6: .* takes \d.* days to cross"),
    (("network", "links", 0, "bandwidth_bit_per_s"), 1e20, "crosses in .* in which light gets .* m far"),
    (("network", "links", 0, "delay_s"), 5, "link 'device->edge': delay_s = 5: longer"),
    (("network", "links", 0, "tx_energy_j_per_bit"), 30, "tx_energy_j_per_bit = 30: outside"),
    (("dnns", 0, "blocks", 2, "ops"), 10.1, "block 3: ops = 10.145|block 3: ops = 10.1: fewer than 1000"),
    (("dnns", 0, "blocks", 1, "output_bits"), 519, "block 2: output_bits = 519: over 100 times off both"),
    (("dnns", 0, "blocks", 1, "output_bits"), 5e9, "block 2: output_bits = 5e\\+09: over 100 times off both"),
    (("dnns", 0, "blocks", 1, "output_bits"), 0, "block 2: output_bits = 0: the next block gets nothing"),
    (("applications", 0, "max_latency_s"), 5e6, "max_latency_s = 5e\\+06: between"),
    (("applications", 0, "min_accuracy"), 0.99, "min_accuracy = 0.99: no exit has more than"),
]


@pytest.mark.parametrize(("path", "value", "told"), SLIPS, ids=[str(each[0][-1]) + f" {each[1]}" for each in SLIPS])
def test_a_slip_is_told_with_field_and_value(path: tuple[Any, ...], value: float, told: str) -> None:
    lines = fb.check(changed(*path, to=value))
    assert any(re.search(told, line) for line in lines), lines


def test_a_target_below_the_least_latency_is_told_with_what_is_possible() -> None:
    found = checked(changed("applications", 0, "max_latency_s", to=1e-4))
    assert found.unserved == ("balexnet-cifar10",)
    (line,) = found.lines
    assert "max_latency_s = 0.0001: no deployment is quicker than 0.00" in line
    assert "the least energy of any is" in line


def test_an_application_that_may_be_rejected_is_told_of_and_not_unserved() -> None:
    said = document()
    said["applications"][0] |= {"max_latency_s": 1e-4, "rate_per_s": 1.0, "rejection_penalty_w": 1.0}
    found = checked(Instance.model_validate(said))
    assert (len(found.lines), found.unserved) == (1, ())


def test_of_many_slips_alike_the_first_is_told_and_their_number() -> None:
    found = [Slip("a", "first"), Slip("b", "other"), Slip("a", "second"), Slip("a", "third")]
    assert summed_up(found) == ["first (and 2 more like it)", "other"]


def test_shipped_and_generated_instances_have_no_slips() -> None:
    for name in shipped("instances"):
        assert fb.check(fb.load(name)) == (), name
    for name, family in FAMILIES.items():
        for links in family.links or (None,):
            blocks = max(6, family.fewest_blocks)
            assert list(slips(generate(name, nodes=10, blocks=blocks, exits=2, seed=3, links=links))) == []
    assert list(slips(generate_shared("campus", nodes=12, applications=10, seed=3))) == []


def written(tmp_path: Path, instance: Instance) -> str:
    path = tmp_path / "mine.json"
    fb.save(instance, path)
    return str(path)


def test_the_exit_code_of_check_says_what_was_found(tmp_path: Path) -> None:
    slow = written(tmp_path, changed("network", "links", 0, "delay_s", to=5))
    assert CliRunner().invoke(app, ["check", "balexnet-cifar10"]).exit_code == 0
    came = CliRunner().invoke(app, ["check", slow])
    assert (came.exit_code, came.stdout.count("\n")) == (1, 1)
    assert CliRunner().invoke(app, ["check", str(tmp_path / "none.json")]).exit_code == 2
    unserved = CliRunner().invoke(app, ["check", "balexnet-cifar10", "--max-latency", "1e-4", "--json"])
    assert unserved.exit_code == 3
    assert json.loads(unserved.stdout)["unserved"] == ["balexnet-cifar10"]


def test_solve_tells_slips_once_beside_its_output(tmp_path: Path) -> None:
    slow = written(tmp_path, changed("network", "links", 0, "delay_s", to=5))
    with pytest.warns(InputWarning, match="delay_s = 5: longer") as told:
        came = CliRunner().invoke(app, ["solve", slow, "--json"])
    assert len(told) == 1
    json.loads(came.stdout)
