"""Quantities with units, and links that lead both ways, are read as the numbers and links they stand for."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.campaigns.file_kinds import FileKind, schema_of
from finbench.models.instance import Instance, Network
from finbench.models.io import InputError, dump_instance, load_instance, validate
from finbench.models.units import si_number

NODES = [
    {"name": "a", "compute_ops_per_s": 1e9, "power_w": 5.0},
    {"name": "b", "compute_ops_per_s": 1e9, "power_w": 5.0},
]
LINK = {"bandwidth_bit_per_s": 2.53e7, "tx_energy_j_per_bit": 3e-8, "rx_energy_j_per_bit": 1e-8, "delay_s": 0.005}


def document(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": "x",
        "network": {"name": "n", "nodes": NODES, "links": [{"source": "a", "target": "b", **LINK}]},
        "dnns": [
            {
                "name": "d",
                "input_bits": 1.204224e6,
                "blocks": [{"ops": 8.2e6, "output_bits": 0.0, "parameter_bytes": 8.2e6}],
                "exits": [{"after_block": 1, "exit_fraction": 1.0, "accuracy": 0.9}],
            }
        ],
        "applications": [{"name": "h", "dnn": "d", "source": "a", "max_latency_s": 0.0203, "min_accuracy": 0.5}],
    }
    return {**plain, **changes}


def written(tmp_path: Path, content: dict[str, Any]) -> Path:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content))
    return path


def with_units() -> dict[str, Any]:
    said: dict[str, Any] = json.loads(json.dumps(document()))
    said["network"]["nodes"][0] |= {"compute_ops_per_s": "1 Gop/s", "power_w": "5000 mW"}
    said["network"]["links"][0] |= {
        "bandwidth_bit_per_s": "25.3 Mbit/s",
        "tx_energy_j_per_bit": "30 nJ/bit",
        "delay_s": "5 ms",
    }
    said["dnns"][0] |= {
        "input_bits": "150528 B",
        "blocks": [{"ops": "8.2 Mop", "output_bits": 0.0, "parameter_bytes": "8.2 MB"}],
    }
    said["applications"][0]["max_latency_s"] = "20.3 ms"
    return said


def test_quantities_are_the_numbers_that_they_stand_for_to_the_last_digit(tmp_path: Path) -> None:
    short = load_instance(written(tmp_path, with_units()))
    plain = load_instance(written(tmp_path, document()))
    assert short == plain
    assert short.content_hash == plain.content_hash
    assert dump_instance(short) == dump_instance(plain)


@pytest.mark.parametrize(
    ("text", "field", "number"),
    [
        ("25 Mbps", "bandwidth_bit_per_s", 25e6),
        ("8 MiB", "memory_bytes", 8 * 2.0**20),
        ("2 per min", "rate_per_s", 1 / 30),
        ("3/s", "rate_per_s", 3.0),
        ("3 Hz", "rate_per_s", 3.0),
        ("11 TOPS", "compute_ops_per_s", 11e12),
        ("480 g/kWh", "carbon_g_per_j", 480 / 3.6e6),
        ("1.5 µs", "delay_s", 1.5e-6),
    ],
)
def test_usual_spellings_of_units_are_understood(text: str, field: str, number: float) -> None:
    assert si_number(text, field) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        ("25 MHz", "bandwidth_bit_per_s", "measures something else; this field is in bit/s"),
        ("10 Gbit", "bandwidth_bit_per_s", "measures something else"),
        ("5 GFLOP", "compute_ops_per_s", "measures something else; this field is in op/s"),
        ("8 MB", "power_w", "measures something else"),
        ("8 furlongs", "delay_s", "is no unit known here"),
        ("25", "bandwidth_bit_per_s", "a number and a unit"),
        ("fast", "bandwidth_bit_per_s", "a number and a unit"),
        ("9**9**9**9 s", "delay_s", "a number and a unit"),
        ("1 s**999999999", "delay_s", "a number and a unit"),
        ("1e400 s", "delay_s", "finite"),
        ("5 J", "price_per_j", "this field has no unit"),
        ("1 " + "k" * 5000, "delay_s", "a number and a unit"),
    ],
)
def test_what_is_no_quantity_of_the_field_is_refused_in_one_line(text: str, field: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule) as caught:
        si_number(text, field)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_wrong_unit_is_told_with_file_object_and_field(tmp_path: Path) -> None:
    said = with_units()
    said["network"]["nodes"][1]["power_w"] = "140 J"
    with pytest.raises(
        InputError, match=r"file\.json: network: node 'b': power_w = '140 J': 'J' measures something else"
    ):
        load_instance(written(tmp_path, said))


def test_a_text_where_a_number_without_unit_belongs_is_refused_as_before(tmp_path: Path) -> None:
    said = document()
    said["applications"][0]["min_accuracy"] = "80 %"
    with pytest.raises(InputError, match="min_accuracy = '80 %': must be a valid number"):
        load_instance(written(tmp_path, said))


def test_a_link_both_ways_is_two_links_with_the_sender_paying_each_time(tmp_path: Path) -> None:
    link = {"source": "a", "target": "b", **LINK}
    short = document(network={"name": "n", "nodes": NODES, "links": [{**link, "both_ways": True}]})
    back = {"source": "b", "target": "a", **LINK}
    plain = document(network={"name": "n", "nodes": NODES, "links": [link, back]})
    one, other = (load_instance(written(tmp_path, each)) for each in (short, plain))
    assert one.content_hash == other.content_hash
    assert one.network.link_by_pair["b", "a"].tx_energy_j_per_bit == 3e-8


def test_both_ways_beside_the_link_back_is_a_duplicate(tmp_path: Path) -> None:
    links = [{"source": "a", "target": "b", **LINK, "both_ways": True}, {"source": "b", "target": "a", **LINK}]
    with pytest.raises(InputError, match="link 'b->a': source, target: duplicate link"):
        validate({"name": "n", "nodes": NODES, "links": links}, Network, "n.toml")


@pytest.mark.parametrize("both", ["yes", 1, None, []])
def test_both_ways_is_true_or_false(both: object) -> None:
    links = [{"source": "a", "target": "b", **LINK, "both_ways": both}]
    with pytest.raises(InputError, match=r"link 'a->b': both_ways = .*must be true or false"):
        validate({"name": "n", "nodes": NODES, "links": links}, Network, "n.toml")


def test_what_the_reader_was_given_stays_as_it_was() -> None:
    said = with_units()
    before = json.dumps(said)
    validate(said, Instance, "x")
    assert json.dumps(said) == before


def test_the_schema_knows_quantities_and_links_both_ways() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    said = with_units()
    said["network"]["links"][0]["both_ways"] = True
    jsonschema.validate(said, schema_of(FileKind.INSTANCE))
    said["network"]["links"][0]["both_ways"] = "yes"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(said, schema_of(FileKind.INSTANCE))


def test_pint_is_not_imported_for_plain_numbers() -> None:
    code = "import sys, finbench as fb; fb.load('blenet-mnist'); print('pint' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_many_quantities_take_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        nodes = [{"name": f"n{k}", "compute_ops_per_s": "1 Gop/s", "power_w": "5 W"} for k in range(count)]
        start = time.process_time()
        validate({"name": "n", "nodes": nodes}, Network, "n.toml")
        return time.process_time() - start

    seconds(10)
    assert seconds(4000) < 40 * max(seconds(400), 1e-3)


def test_a_prefix_before_a_fields_own_unit_is_the_power_that_pint_says() -> None:
    from finbench.models.units import FIELD_UNITS, PREFIXES

    pint = pytest.importorskip("pint")
    metres = pint.UnitRegistry()
    known = {prefix: metres.Quantity(1.0, f"{prefix}m").to("m").magnitude for prefix in ("", *"pnµumkMGT")}
    assert {prefix: 10.0**power for prefix, power in PREFIXES.items() if prefix not in ("K", "μ")} == pytest.approx(
        known
    )
    assert (PREFIXES["K"], PREFIXES["μ"]) == (PREFIXES["k"], PREFIXES["µ"])
    for end, unit in FIELD_UNITS.items():
        if unit not in (None, "km", "GiB", "1/s"):
            for prefix, power in PREFIXES.items():
                assert si_number(f"2.5 {prefix}{unit}", f"x{end}") == float(f"2.5e{power}")


@pytest.mark.parametrize(
    ("text", "field", "number"),
    [("2 min", "delay_s", 120.0), ("1 kB", "output_bits", 8e3), ("3 Mbps", "bandwidth_bit_per_s", 3e6)],
)
def test_a_unit_of_another_name_is_converted(text: str, field: str, number: float) -> None:
    assert si_number(text, field) == number


@pytest.mark.parametrize("text", ["5 kkm", "5 Mkm", "5 km/s", "5 xs", "5 m", "5 Bs", "5 kms"])
def test_what_only_ends_like_a_unit_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"no unit known|measures something else"):
        si_number(text, "length_km" if "km" in text else "delay_s")


def test_units_that_have_their_own_name_need_no_registry(tmp_path: Path) -> None:
    said = with_units()
    said["dnns"][0]["input_bits"] = "1.2 Mbit"
    path = written(tmp_path, said)
    program = (
        "import sys; from finbench.models.io import load_instance\n"
        f"load_instance({str(path)!r}); print('pint' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
