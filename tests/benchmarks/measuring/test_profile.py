"""Blocks of small models, measured under the real ONNX Runtime."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.benchmarks.imports.onnx.made_models import (  # isort: skip  (skips where onnx is missing)
    model,
    node,
    onnx,
    saved,
    tensor,
    two_exits,
    weight,
)

import finbench as fb
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.deploying.model_blocks import ModelBlock
from finbench.benchmarks.imports.part_files import write_part
from finbench.benchmarks.measuring.device_text import device_of
from finbench.benchmarks.measuring.energy import energy_counters, energy_of
from finbench.benchmarks.measuring.heads import head_inputs
from finbench.benchmarks.measuring.options import ProfileOptions
from finbench.benchmarks.measuring.profiling import ModelProfile, profiled
from finbench.benchmarks.measuring.runtime import loaded_model
from finbench.benchmarks.measuring.timing import RunTimes, run_times
from finbench.models.io import InputError, load_device

pytest.importorskip("onnxruntime")

QUICK = ProfileOptions(repetitions=5, warm_up=1)


def called(*arguments: object) -> tuple[int, str]:
    came = CliRunner().invoke(app, list(map(str, arguments)))
    return came.exit_code, came.output


def imported(made: Any, folder: Path, **asked: Any) -> tuple[Path, Path, fb.DNN]:
    file, parts = saved(made, folder / "made.onnx"), folder / "dnn.toml"
    dnn = fb.import_dnn(file, **asked)
    write_part(dnn, parts)
    return file, parts, dnn


def measured(made: Any, folder: Path, options: ProfileOptions = QUICK, **asked: Any) -> ModelProfile:
    file, parts, dnn = imported(made, folder, **asked)
    return profiled(file, dnn, parts, options)


def refusal(file: Path, dnn: fb.DNN, options: ProfileOptions = QUICK, inputs: Path | None = None) -> str:
    with pytest.raises(InputError) as caught:
        profiled(file, dnn, "dnn.toml", options, inputs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_block_and_every_head_is_measured(tmp_path: Path) -> None:
    profile = measured(two_exits(), tmp_path, blocks=3)
    assert [each.block.number for each in profile.blocks] == [1, 2, 3]
    assert [each.head is None for each in profile.blocks] == [False, False, True]
    times = [profile.whole, *(each.times for each in profile.blocks), *(each.head for each in profile.blocks[:2])]
    assert all(one is not None and len(one.seconds) == 5 and min(one.seconds) > 0 for one in times)
    assert profile.together_s == sum(each.times.median_s for each in profile.blocks)


def test_a_block_of_far_more_work_takes_longer(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w1 -", "a", pads=[1, 1, 1, 1]),
        node("Conv", "a w2 -", "b", pads=[1, 1, 1, 1]),
        node("GlobalAveragePool", "b", "p"),
        node("Flatten", "p", "y"),
    ]
    weights = [weight("w1", 64, 1, 3, 3), weight("w2", 64, 64, 3, 3)]
    made = model(nodes, [tensor("x", (1, 1, 48, 48))], ["y"], weights)
    light, heavy = measured(made, tmp_path, cuts=["a"]).blocks
    assert heavy.times.median_s > 3 * light.times.median_s  # its operations are 64 times as many


def test_a_device_file_holds_the_medians_and_says_how_they_came_about(tmp_path: Path) -> None:
    file, parts, dnn = imported(two_exits(), tmp_path, blocks=3)
    out = tmp_path / "laptop.toml"
    quick = ("--repetitions", 4, "--warm-up", 1)
    code, text = called("profile", file, "--blocks", parts, "-o", out, *quick, "--json")
    assert code == 0, text
    told = json.loads(text[text.index("{") : text.rindex("}") + 1])
    device = load_device(out)
    assert device.name == "laptop"
    assert device.measured.keys() == {dnn.name}
    assert {int(k): run.time_s for k, run in device.measured[dnn.name].items()} == {
        each["block"]: each["time_s"] for each in told["blocks"]
    }
    for said in ("ONNX Runtime ", "1 thread", "random samples", "4 passes", "block 3: spread", "made.onnx", "20"):
        assert said in device.provenance
    code, text = called("profile", file, "--blocks", parts, "-o", out, *quick, "--name", "edge")
    assert (code, load_device(out).name) == (0, "edge")
    assert "ends with" in text


def test_a_head_that_the_model_lacks_is_said_to_be_left_out(tmp_path: Path) -> None:
    made = two_exits()
    del made.graph.output[1:]
    profile = measured(made, tmp_path, blocks=2, exit_after=["d"])
    assert profile.missing_heads == ("d",)
    assert "exit 'd': the model does not have its head" in device_of(profile, "x").provenance


def test_a_head_begins_where_it_leaves_the_way_to_the_blocks_output() -> None:
    first = ModelBlock(1, "d", ("x",), ("d",), ("early",))
    assert head_inputs(two_exits(), first) == ("b",)
    assert head_inputs(two_exits(), ModelBlock(2, "d", ("b",), ("d",), ("middle",))) == ("d",)
    assert head_inputs(two_exits(), ModelBlock(3, "late", ("d",), ("late",), ("late",))) == ()
    assert head_inputs(two_exits(), ModelBlock(1, "b", ("x",), ("b",))) == ()


def test_a_head_is_given_no_constant_and_may_begin_at_the_blocks_input() -> None:
    nodes = [node("Relu", "w", "c"), node("Mul", "x c", "d"), node("Add", "x c", "e"), node("Exp", "d", "y")]
    made = model(nodes, [tensor("x", (1, 4))], ["y", "e"], [weight("w", 4)])
    assert head_inputs(made, ModelBlock(1, "d", ("x",), ("d",), ("e",))) == ("x",)


def test_warm_passes_are_left_out_and_samples_come_in_turn() -> None:
    seen: list[tuple[str, int]] = []
    told: list[tuple[int, int]] = []

    def part(name: str) -> Any:
        def run(given: Any) -> list[Any]:
            seen.append((name, int(given["x"])))
            return []

        return run

    inputs = [{"x": np.array(k)} for k in range(2)]
    found = run_times({"a": part("a"), "b": part("b")}, inputs, 3, 2, lambda done, all_: told.append((done, all_)))
    assert seen == [(name, k % 2) for k in range(5) for name in ("a", "b")]
    assert {name: len(each.seconds) for name, each in found.items()} == {"a": 3, "b": 3}
    assert told == [(k, 5) for k in range(1, 6)]


def test_a_wide_spread_marks_a_busy_machine() -> None:
    assert RunTimes((1.0, 1.01, 1.02, 1.03)).busy is False
    wide = RunTimes((1.0, 1.0, 1.0, 2.0, 2.0))
    assert (wide.median_s, wide.spread, wide.busy) == (1.0, 1.0, True)


def test_given_samples_are_what_the_model_reads(tmp_path: Path) -> None:
    file, _, dnn = imported(two_exits(), tmp_path, blocks=3)
    path = tmp_path / "samples.npz"
    np.savez(path, x=np.ones((3, 3, 16, 16), np.float32))
    profile = profiled(file, dnn, "dnn.toml", QUICK, path)
    assert "samples of samples.npz" in device_of(profile, "x").provenance
    np.savez(path, x=np.ones((1, 3, 16, 8), np.float32))
    assert "array 'x': is float32 1x3x16x8: must be float32 Nx1x3x16x16" in refusal(file, dnn, inputs=path)
    np.savez(path, y=np.ones(1))
    assert "must be those of the inputs: x" in refusal(file, dnn, inputs=path)
    path.write_bytes(b"PK\x03\x04")
    assert "is no .npz file" in refusal(file, dnn, inputs=path)


def test_what_cannot_be_measured_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, _, dnn = imported(two_exits(), tmp_path, blocks=3)
    cores = len(os.sched_getaffinity(0))
    assert f"must be at most the cores that there are ({cores})" in refusal(file, dnn, ProfileOptions(threads=1024))
    other = two_exits()
    other.graph.name = "another"
    assert "was read from model 'made.onnx'" in refusal(saved(other, tmp_path / "other.onnx"), dnn)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install 'finbench[onnxruntime]'" in refusal(file, dnn)


def test_a_size_that_was_given_at_the_import_is_the_one_that_is_measured(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("GlobalAveragePool", "a", "p"), node("Flatten", "p", "y")]
    made = model(nodes, [tensor("x", ("n", 2, "h", "w"))], ["y"])
    file, _, dnn = imported(made, tmp_path, input_shapes={"x": (1, 2, 6, 6)})
    assert len(profiled(file, dnn, "dnn.toml", QUICK).blocks) == len(dnn.blocks)


def test_weights_in_a_file_that_is_gone_are_refused(tmp_path: Path) -> None:
    made = two_exits()
    file = tmp_path / "apart.onnx"
    onnx.save_model(made, str(file), save_as_external_data=True, location="w.bin", size_threshold=0)
    dnn = fb.import_dnn(file, blocks=3)
    assert len(profiled(file, dnn, "dnn.toml", QUICK).blocks) == 3
    (tmp_path / "w.bin").unlink()
    assert "weights in files beside it" in refusal(file, dnn)


def test_an_operator_that_the_runtime_does_not_know_is_refused_in_one_line() -> None:
    made = model([node("NoSuchOperator", "x", "y")], [tensor("x", (1,))], ["y"])
    with pytest.raises(InputError, match="ONNX Runtime does not load it") as caught:
        loaded_model(made, 1, "block 1")
    assert "\n" not in str(caught.value)


def fake_zone(folder: Path, name: str, reading: int, period: int = 1_000_000) -> Path:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{period}\n")
    (folder / "energy_uj").write_text(f"{reading}\n")
    return folder / "energy_uj"


def test_the_energy_of_a_run_is_what_all_packages_count(tmp_path: Path) -> None:
    files = [fake_zone(tmp_path / f"intel-rapl:{k}", f"package-{k}", 999_000 * k) for k in range(2)]
    fake_zone(tmp_path / "intel-rapl:0:0", "core", 0)
    fake_zone(tmp_path / "intel-rapl:2", "psys", 0)
    counters = energy_counters(tmp_path)
    assert [each.name for each in counters.packages] == ["package-0", "package-1"]

    def run() -> None:  # 0.5 mJ in each package; the second one's counter begins anew on the way
        for file in files:
            file.write_text(str((int(file.read_text()) + 500) % 1_000_000))

    assert energy_of(run, counters, window_s=0.02) == pytest.approx(1e-3)


def test_energies_stand_in_the_device_where_the_machine_counts_them(tmp_path: Path) -> None:
    fake_zone(tmp_path / "rapl" / "intel-rapl:0", "package-0", 7)
    file, _, dnn = imported(two_exits(), tmp_path, blocks=3)
    profile = profiled(file, dnn, "dnn.toml", QUICK, powercap=tmp_path / "rapl")
    device = device_of(profile, "x")
    assert [run.energy_j for run in device.measured[dnn.name].values()] == [0.0] * 3  # the counter stands still
    assert "energy: of the whole processor (package-0, RAPL)" in device.provenance


@pytest.mark.parametrize("broken", ["", "words", "-"])
def test_a_machine_without_counters_is_said_to_have_none(broken: str, tmp_path: Path) -> None:
    assert energy_counters(tmp_path / "nowhere").packages == ()
    assert "offers no energy counters" in energy_counters(tmp_path / "nowhere").lacking
    file = fake_zone(tmp_path / "intel-rapl:0", "package-0", 0)
    file.write_text(broken)
    assert "cannot be read" in energy_counters(tmp_path).lacking


def test_counters_for_root_alone_are_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_zone(tmp_path / "intel-rapl:0", "package-0", 0)
    read = Path.read_text

    def refused(path: Path, *rest: Any, **named: Any) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read(path, *rest, **named)

    monkeypatch.setattr(Path, "read_text", refused)
    assert "root alone" in energy_counters(tmp_path).lacking
