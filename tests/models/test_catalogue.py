"""The catalogue's entries are sound, and files of instances may name them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.cli.app import app
from finbench.benchmarks.terminal.catalogue_list import catalogue_rows
from finbench.models.catalogue import all_entries, entries
from finbench.models.catalogue_files import load_catalogue_device, load_catalogue_network, load_entry
from finbench.models.io import InputError, load_instance

ENTRIES = list(all_entries())


@pytest.mark.parametrize(("kind", "name", "path"), ENTRIES, ids=[f"{kind}-{name}" for kind, name, _ in ENTRIES])
def test_an_entry_is_sound_and_says_where_it_comes_from(kind: str, name: str, path: Path) -> None:
    entry: Any = load_entry(kind, path)
    assert entry.name == name
    assert re.search(r"\b(19|20)\d\d\b|v\d\.\d|github\.com", entry.provenance)


@pytest.mark.parametrize("name", entries("networks"))
def test_a_network_of_the_zoo_is_connected_and_carries_its_licence(name: str) -> None:
    import networkx as nx

    network = load_catalogue_network(name, "test")
    graph = nx.DiGraph((link.source, link.target) for link in network.links)
    assert len(graph) == len(network.nodes)
    assert nx.is_strongly_connected(graph)
    assert "CC BY 4.0" in network.provenance
    assert all(0 <= link.delay_s < 0.1 for link in network.links)


@pytest.mark.parametrize("name", entries("devices"))
def test_rate_power_and_measured_run_of_a_device_agree(name: str) -> None:
    entry, _ = load_catalogue_device(name, "test")
    for runtime in entry.runtimes:
        for name_of_dnn, blocks in runtime.measured.items():
            run = blocks["1"]
            if name_of_dnn.startswith("tiny"):  # whose power is that of one of four networks
                continue
            assert run.energy_j is not None
            assert run.energy_j == pytest.approx(runtime.power_w * run.time_s, rel=0.02)
        if "resnet50-whole" in runtime.measured and runtime.compute_ops_per_s is not None:
            time_s = runtime.measured["resnet50-whole"]["1"].time_s
            assert runtime.compute_ops_per_s * time_s == pytest.approx(8.1784e9, rel=1e-5)


@pytest.mark.parametrize("name", entries("exits"))
def test_samples_of_an_exit_table_leave_once(name: str) -> None:
    table: Any = load_entry("exits", entries("exits")[name])
    for setting in table.settings:
        assert sum(setting.exit_fractions) == pytest.approx(1, abs=1e-3)
        if setting.accuracy_of_leavers and setting.accuracy is not None:
            each = zip(setting.exit_fractions, setting.accuracy_of_leavers, strict=True)
            assert sum(f * a for f, a in each) == pytest.approx(setting.accuracy, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["raspberry"], {"raspberry-pi-4/armnn-neon", "raspberry-pi-4/tflite"}),
        (["Wi-Fi"], {"wifi-2012"}),
        (["Ethernet", "metropolitan"], {"ethernet-switch"}),
        (["fibre", "wavelength"], {"fibre-wdm"}),
        (["zoo", "2009"], {"geant2009"}),
        (["branchynet", "mnist"], {"branchynet-b-lenet"}),
        (["no-such-thing"], set()),
    ],
)
def test_the_catalogue_is_searched_by_words(words: list[str], found: set[str]) -> None:
    assert {name for _, name, *_ in catalogue_rows(words)} == found
    came = CliRunner().invoke(app, ["catalogue", *words])
    assert came.exit_code == 0
    assert all(f"{name}\t" in came.stdout and f"\n{name}: " in came.stdout for name in found)


def test_the_whole_catalogue_is_listed() -> None:
    rows = catalogue_rows([])
    assert {kind for kind, *_ in rows} >= {"devices", "links", "networks", "exits"}
    assert {name.partition("/")[0] for _, name, *_ in rows} == {name for _, name, _ in all_entries()}


INSTANCE = """
name = "mine"
network = "catalogue:{network}"
dnns = ["{dnn}"]
[[applications]]
name = "app"
dnn = "resnet50-whole"
source = "FR"
max_latency_s = 1
min_accuracy = 0.5
"""

OWN = """
name = "mine"
dnns = ["{dnn}"]
[network]
name = "n"
[[network.nodes]]
name = "FR"
device = "{device}"
{more}
[[applications]]
name = "app"
dnn = "resnet50-whole"
source = "FR"
max_latency_s = 1
min_accuracy = 0.5
"""

WHOLE = Path(__file__).resolve().parents[2] / "data" / "dnns" / "resnet50-whole.toml"


def written(tmp_path: Path, text: str, **said: object) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text.format(dnn=WHOLE, **said))
    return path


def test_a_network_may_be_an_entry(tmp_path: Path) -> None:
    assert len(load_instance(written(tmp_path, INSTANCE, network="geant2009")).network.nodes) == 34
    with pytest.raises(InputError, match=r"network = 'geant209': the catalogue has no .* did you mean 'geant2009'"):
        load_instance(written(tmp_path, INSTANCE, network="geant209"))
    with pytest.raises(InputError, match="the catalogue has no such entry"):
        load_instance(written(tmp_path, INSTANCE, network="../networks/geant2009"))


def test_a_node_may_be_a_device_with_what_was_measured_on_it(tmp_path: Path) -> None:
    instance = load_instance(written(tmp_path, OWN, device="raspberry-pi-4/tflite", more=""))
    node = instance.network.nodes[0]
    assert (node.power_w, node.device) == (5.835, "raspberry-pi-4/tflite")
    run = instance.measurements(instance.dnns[0], node)[1]
    assert (run.time_s, run.energy_j) == (0.575256, 3.3566)


def test_what_the_file_says_of_a_node_counts(tmp_path: Path) -> None:
    node = load_instance(written(tmp_path, OWN, device="raspberry-pi-4/tflite", more="power_w = 7.5")).network.nodes[0]
    assert node.power_w == 7.5
    assert node.compute_ops_per_s == pytest.approx(1.4217e10)


def test_a_device_of_ones_own_needs_no_entry(tmp_path: Path) -> None:
    more = "power_w = 7.5\ncompute_ops_per_s = 1e9"
    node = load_instance(written(tmp_path, OWN, device="my/board", more=more)).network.nodes[0]
    assert (node.device, node.compute_ops_per_s) == ("my/board", 1e9)
    with pytest.raises(InputError, match="node 'FR': device = 'my': the catalogue has no such entry"):
        load_instance(written(tmp_path, OWN, device="my/board", more=""))
    with pytest.raises(InputError, match="'raspberry-pi-4' has no such runtime; runtimes: armnn-neon, tflite"):
        load_instance(written(tmp_path, OWN, device="raspberry-pi-4/torch", more=""))


@pytest.mark.parametrize(
    ("name", "multiply_adds", "parameters"), [("resnet-50", 4089.2e6, 25.61e6), ("vgg-19", 19632e6, 143.67e6)]
)
def test_profiles_of_dnns_have_the_work_and_size_of_their_architecture(
    name: str, multiply_adds: float, parameters: float
) -> None:
    dnn: Any = load_entry("dnns", entries("dnns")[name])
    # An addition or a function of one number is an operation too; they are few.
    assert 1 <= sum(block.ops for block in dnn.blocks) / (2 * multiply_adds) < 1.01
    assert sum(block.parameter_bytes for block in dnn.blocks) == pytest.approx(4 * parameters, rel=1e-3)


def test_an_instance_of_entries_alone_is_read_and_solved(tmp_path: Path) -> None:
    import finbench as fb

    text = OWN.replace('"{dnn}"', '"catalogue:resnet-50"').replace("resnet50-whole", "resnet-50")
    path = tmp_path / "mine.toml"
    path.write_text(text.format(device="raspberry-pi-4/tflite", more=""))
    solution = fb.solve(fb.load(path), "single-node")
    assert solution.evaluation is not None
    assert solution.evaluation.feasible
