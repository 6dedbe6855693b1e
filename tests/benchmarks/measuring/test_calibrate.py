"""Measurements that are put into an instance: what they replace, what they leave, and what becomes of the best plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.imports.part_files import write_part
from finbench.benchmarks.measuring.calibration import Measurements, calibrated, read_measurements
from finbench.benchmarks.measuring.corrections import corrections
from finbench.benchmarks.measuring.link_rates import LinkRate, read_link_rates
from finbench.benchmarks.measuring.plan_change import plan_change
from finbench.models.instance import Device, Instance, MeasuredRun
from finbench.models.io import InputError
from finbench.models.step_costs import run_once
from tests.random_instances import random_instance

NAME = "blenet-mnist"


def called(*arguments: object) -> tuple[int, str]:
    came = CliRunner().invoke(app, list(map(str, arguments)))
    return came.exit_code, came.output


def refusal(instance: Instance, *given: object) -> str:
    with pytest.raises(InputError) as caught:
        calibrated(instance, read_measurements(instance, [str(each) for each in given]))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def device_file(folder: Path, name: str, dnn: str, **blocks: float) -> Path:
    """Write a device whose blocks b1, b2, … take the given times, and 1 J each; return its file."""
    measured = {number[1:]: MeasuredRun(time_s=time_s, energy_j=1.0) for number, time_s in blocks.items()}
    file = folder / f"{name}.toml"
    write_part(Device(name=name, provenance=f"of {name}", measured={dnn: measured}), file)
    return file


def links_file(folder: Path, *lines: str, header: str = "from,to,bits_per_s,delay_s") -> Path:
    file = folder / "links.csv"
    file.write_text("\n".join([header, *lines, ""]))
    return file


def test_a_measured_block_replaces_its_figure_and_no_other(tmp_path: Path) -> None:
    old = fb.load(NAME)
    dnn = old.dnns[0]
    file = device_file(tmp_path, "laptop", dnn.name, b2=0.125)
    new = calibrated(old, read_measurements(old, [f"edge={file}"]))
    for node, was in zip(new.network.nodes, old.network.nodes, strict=True):
        for block in range(1, len(dnn.blocks) + 1):
            expected = (0.125, 1.0) if (node.name, block) == ("edge", 2) else run_once(old, dnn, block, was)
            assert run_once(new, new.dnns[0], block, node) == expected
    assert new.network.node_by_name["edge"].device == "laptop"
    assert new.network.links == old.network.links
    assert (new.applications, new.accounting, new.latency_kind) == (
        old.applications,
        old.accounting,
        old.latency_kind,
    )
    assert f"measured: edge={file}" in new.provenance


def test_a_device_by_its_name_is_that_of_all_its_nodes(tmp_path: Path) -> None:
    old = fb.load("measured-camera")
    dnn = old.dnns[0]
    file = device_file(tmp_path, "jetson-agx-orin", dnn.name, b1=0.5)
    new = calibrated(old, read_measurements(old, [str(file)]))
    assert run_once(new, dnn, 1, new.network.node_by_name["jetson"]) == (0.5, 1.0)
    assert run_once(new, dnn, 1, new.network.node_by_name["camera"]) == run_once(
        old, dnn, 1, old.network.node_by_name["camera"]
    )
    assert [each.name for each in new.devices].count("jetson-agx-orin") == 1


def test_a_node_that_is_not_measured_keeps_its_figures_whatever_the_names(tmp_path: Path) -> None:
    old = fb.load("measured-camera")
    dnn = old.dnns[0]
    file = device_file(tmp_path, "jetson-agx-orin", dnn.name, b1=0.5)
    new = calibrated(old, read_measurements(old, [f"server={file}"]))
    assert run_once(new, dnn, 1, new.network.node_by_name["server"]) == (0.5, 1.0)
    jetson = old.network.node_by_name["jetson"]
    assert run_once(new, dnn, 1, new.network.node_by_name["jetson"]) == run_once(old, dnn, 1, jetson)
    assert new.network.node_by_name["server"].device == "jetson-agx-orin at server"
    assert "dell-xr12-a2" not in {each.name for each in new.devices}  # which is the device of no node any more


def test_blocks_that_were_measured_before_and_not_again_keep_their_times(tmp_path: Path) -> None:
    old = fb.load(NAME)
    first = device_file(tmp_path, "laptop", old.dnns[0].name, b1=0.5, b2=0.25)
    once = calibrated(old, read_measurements(old, [f"edge={first}"]))
    second = device_file(tmp_path, "desktop", old.dnns[0].name, b2=0.125)
    twice = calibrated(once, read_measurements(once, [f"edge={second}"]))
    edge = twice.network.node_by_name["edge"]
    assert [run_once(twice, twice.dnns[0], block, edge) for block in (1, 2)] == [(0.5, 1.0), (0.125, 1.0)]
    assert [each.name for each in twice.devices] == ["desktop"]


def test_measured_links_replace_rates_and_delays_by_their_medians(tmp_path: Path) -> None:
    old = fb.load(NAME)
    rows = ("device,edge,1e6,", "device,edge,9e6,0.25", "device,edge,3e6,0.75", "edge,cloud,5e6,")
    new = calibrated(old, read_measurements(old, [str(links_file(tmp_path, *rows))]))
    link, was = new.network.link_by_pair["device", "edge"], old.network.link_by_pair["device", "edge"]
    assert (link.bandwidth_bit_per_s, link.delay_s) == (3e6, 0.5)
    assert (link.tx_energy_j_per_bit, link.rx_energy_j_per_bit) == (was.tx_energy_j_per_bit, was.rx_energy_j_per_bit)
    other, before = new.network.link_by_pair["edge", "cloud"], old.network.link_by_pair["edge", "cloud"]
    assert (other.bandwidth_bit_per_s, other.delay_s) == (5e6, before.delay_s)
    rest = old.network.link_by_pair.keys() - {("device", "edge"), ("edge", "cloud")}
    assert rest
    assert all(new.network.link_by_pair[pair] == old.network.link_by_pair[pair] for pair in rest)


def test_a_table_without_delays_is_read(tmp_path: Path) -> None:
    file = links_file(tmp_path, "a,b,8", header="from,to,bits_per_s")
    assert read_link_rates(file) == (LinkRate("a", "b", 8.0, None),)


def test_corrections_are_the_figures_before_and_after(tmp_path: Path) -> None:
    old = fb.load(NAME)
    dnn = old.dnns[0]
    before = run_once(old, dnn, 1, old.network.node_by_name["edge"])
    assert before is not None
    file = device_file(tmp_path, "laptop", dnn.name, b1=3 * before[0])
    found = read_measurements(old, [f"edge={file}", str(links_file(tmp_path, "device,edge,1e6,"))])
    time, energy, rate = corrections(old, calibrated(old, found), found)
    assert (time.before, time.after) == (before[0], 3 * before[0])
    assert time.factor == pytest.approx(3)
    assert (energy.before, energy.after) == (before[1], 1.0)
    assert rate.before == old.network.link_by_pair["device", "edge"].bandwidth_bit_per_s
    assert (rate.subject, rate.after) == ("device -> edge", 1e6)


@pytest.mark.parametrize("seed", range(12))
def test_measuring_what_the_instance_says_changes_nothing(seed: int) -> None:
    old = random_instance(seed)
    devices = {}
    for node in old.network.nodes:
        runs = {
            dnn.name: {
                str(k): MeasuredRun(time_s=run[0], energy_j=run[1])
                for k in range(1, len(dnn.blocks) + 1)
                if (run := run_once(old, dnn, k, node)) is not None
            }
            for dnn in old.dnns
        }
        devices[node.name] = (Device(name=f"as {node.name}", measured=runs),)
    links = tuple(LinkRate(one.source, one.target, one.bandwidth_bit_per_s, one.delay_s) for one in old.network.links)
    found = Measurements(devices, links, ())
    new = calibrated(old, found)
    assert all(each.factor == 1 for each in corrections(old, new, found) if each.before)
    change = plan_change(old, new)
    assert change.before.found == change.after.found
    assert change.stays_best is (True if change.before.found else None)
    if change.before.found:
        assert change.before.objective == pytest.approx(change.after.objective)


def test_a_slower_edge_may_change_the_best_deployment(tmp_path: Path) -> None:
    old = fb.load(NAME)
    used = plan_change(old, old).old_deployment
    assert used is not None
    dnn = old.dnns[0]
    slow = {f"b{k}": 1e3 for k in range(1, len(dnn.blocks) + 1)}
    node = used.deployments[0].placement[-1]
    found = read_measurements(old, [f"{node}={device_file(tmp_path, 'slow', dnn.name, **slow)}"])
    change = plan_change(old, calibrated(old, found))
    assert change.old_plan is not None
    assert not change.old_plan.feasible
    assert change.stays_best in (False, None)
    assert not change.after.found or node not in change.after.result.deployment.deployments[0].placement[-1:]  # type: ignore[union-attr]


def test_the_command_writes_the_instance_and_tells_what_changes(tmp_path: Path) -> None:
    old = fb.load(NAME)
    file = device_file(tmp_path, "laptop", old.dnns[0].name, b1=1e-4, b2=1e-4)
    links, out = links_file(tmp_path, "device,edge,1e6,"), tmp_path / "new.json"
    code, text = called("calibrate", NAME, f"edge={file}", links, "-o", out)
    assert code == 0, text
    for said in ("edge: block 1 of", "device -> edge", "farthest off: ", "best deployment"):
        assert said in text
    assert fb.load(out).network.node_by_name["edge"].device == "laptop"
    code, text = called("calibrate", NAME, f"edge={file}", links, "-o", out, "--json")
    told = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert code == 0
    assert {each["quantity"] for each in told["figures"]} == {"time", "energy", "rate"}
    assert told["before"]["method"] == "label-setting"


def test_measurements_that_say_nothing_of_the_instance_are_refused_by_name(tmp_path: Path) -> None:
    old = fb.load(NAME)
    file = device_file(tmp_path, "laptop", old.dnns[0].name, b1=1.0)
    assert "device 'laptop' is that of no node" in refusal(old, file)
    assert "'nowhere' is no node of the instance; nodes: device, edge, cloud" in refusal(old, f"nowhere={file}")
    assert "was measured for none of the instance's DNNs" in refusal(
        old, f"edge={device_file(tmp_path, 'x', 'y', b1=1.0)}"
    )
    beyond = device_file(tmp_path, "beyond", old.dnns[0].name, b99=1.0)
    assert "must be a block that exists" in refusal(old, f"edge={beyond}")
    again = device_file(tmp_path, "again", old.dnns[0].name, b1=2.0)
    assert "block 1 of" in refusal(old, f"edge={file}", f"edge={again}")


@pytest.mark.parametrize(
    ("header", "lines", "why"),
    [
        ("from,to", ("device,edge",), "column 'bits_per_s': is missing"),
        ("from,to,bits_per_s,colour", ("device,edge,1,red",), "column 'colour': unknown"),
        ("from,to,bits_per_s,to", ("device,edge,1,edge",), "column 'to': stands twice"),
        ("from,to,bits_per_s", (), "has no rows"),
        ("from,to,bits_per_s", ("device,edge,0",), "must be greater than 0"),
        ("from,to,bits_per_s", ("device,edge,fast",), "must be a number"),
        ("from,to,bits_per_s", ("device,moon,1",), "link 'device->moon': is none of the instance"),
    ],
)
def test_a_bad_table_of_links_is_refused(header: str, lines: tuple[str, ...], why: str, tmp_path: Path) -> None:
    assert why in refusal(fb.load(NAME), links_file(tmp_path, *lines, header=header))


def test_a_link_in_two_tables_is_refused(tmp_path: Path) -> None:
    one = links_file(tmp_path, "device,edge,1e6,")
    two = tmp_path / "more.csv"
    two.write_text(one.read_text())
    assert "was measured in two tables" in refusal(fb.load(NAME), one, two)
