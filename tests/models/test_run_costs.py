"""Run costs by measurement, rate or not at all (eq. 26), in the evaluator and where files are read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from finbench.benchmarks.methods import METHODS, run_method
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import ViolationKind, evaluate
from finbench.models.instance import Instance
from finbench.models.io import InputError, InputWarning, load_device, load_instance, shipped
from finbench.models.nowhere import block_without_node
from finbench.models.result import Status
from tests.models.bad_inputs import SOUND

BOARD = {"name": "board", "measured": {"dnn": {"1": {"time_s": 0.002, "energy_j": 0.5}, "2": {"time_s": 0.003}}}}


def document(**edge: Any) -> dict[str, Any]:
    """`SOUND`, with a rate of 10/s and other fields of the edge."""
    data = copy.deepcopy(SOUND)
    data["network"]["nodes"][1] |= edge
    data["applications"][0] |= {"rate_per_s": 10.0}
    return data


def split(instance: Instance) -> Any:
    decision = ApplicationDeployment(application="app", last_exit=2, placement=("device", "edge"))
    return evaluate(instance, Deployment(deployments=(decision,)))


def test_a_measured_time_replaces_the_rate_and_the_power_gives_its_energy() -> None:
    instance = Instance.model_validate({**document(device="board"), "devices": [BOARD]})
    evaluation = split(instance)
    costs = evaluation.applications[0]
    sent = 1000 / 1e9
    assert costs.latency_s == pytest.approx(1e6 / 1e9 + sent + 0.003, rel=1e-12)
    assert costs.compute_energy_j == pytest.approx(5 * 1e6 / 1e9 + 0.4 * 50 * 0.003, rel=1e-12)
    assert evaluation.loads.executions["edge"] == pytest.approx(10 * 0.4 * 0.003, rel=1e-12)


def test_a_measured_energy_replaces_power_times_time() -> None:
    data = document(device="board")
    data["applications"][0]["pinned"] = {}
    instance = Instance.model_validate({**data, "devices": [BOARD]})
    decision = ApplicationDeployment(application="app", last_exit=1, placement=("edge",))
    costs = evaluate(instance, Deployment(deployments=(decision,))).applications[0]
    assert costs.compute_energy_j == 0.5


def test_measurements_in_the_dnn_and_in_a_device_say_the_same() -> None:
    listed = Instance.model_validate({**document(device="board"), "devices": [BOARD]})
    data = document(device="board")
    data["dnns"][0]["measured"] = {"board": BOARD["measured"]["dnn"]}  # type: ignore[index]
    assert split(Instance.model_validate(data)) == split(listed)


def test_a_block_is_not_placed_where_it_cannot_run() -> None:
    instance = Instance.model_validate(document(compute_ops_per_s=None))
    evaluation = split(instance)
    assert [violation.kind for violation in evaluation.violations] == [ViolationKind.NODE]
    assert "cannot run: no rate" in evaluation.violations[0].message
    assert evaluation.objective is None


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if name != "milp-assignment"])
def test_a_block_that_can_run_nowhere_is_the_reason(name: str) -> None:
    data = document(compute_ops_per_s=None)
    data["network"]["nodes"][0] |= {"compute_ops_per_s": None, "device": "board"}
    data["dnns"][0]["measured"] = {"board": {"1": {"time_s": 1e-6}}}
    instance = Instance.model_validate(data)
    words = "block 2 can run at no node (no rate and not measured: 2)"
    assert block_without_node(instance, instance.applications[0]) == words
    result = run_method(instance, name)
    if result.status is not Status.UNSUPPORTED and name not in ("single-node", "greedy"):
        assert result.status is Status.INFEASIBLE
        assert words in str(result.reason)
    assert result.deployment is None


def test_a_device_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "board.json").write_text(json.dumps({"schema_version": 1, **BOARD}))
    (tmp_path / "instance.json").write_text(json.dumps({**document(device="board"), "devices": ["board.json"]}))
    instance = load_instance(tmp_path / "instance.json")
    assert instance.measurements(instance.dnns[0], instance.network.nodes[1])[1].energy_j == 0.5


def with_board_file(folder: Path, measured: dict[str, Any]) -> Path:
    """An instance whose edge is the board of a file that says `measured`."""
    (folder / "board.json").write_text(json.dumps({**BOARD, "measured": measured}))
    (folder / "instance.json").write_text(json.dumps({**document(device="board"), "devices": ["board.json"]}))
    return folder / "instance.json"


def test_a_devices_file_may_tell_of_other_dnns_which_change_no_instance(tmp_path: Path) -> None:
    alone = load_instance(with_board_file(tmp_path, BOARD["measured"]))  # type: ignore[arg-type]
    others = {**BOARD["measured"], "another": {"1": {"time_s": 1.0}}}  # type: ignore[dict-item]
    among_others = load_instance(with_board_file(tmp_path, others))
    assert among_others == alone
    assert among_others.content_hash == alone.content_hash


def test_a_devices_file_that_tells_of_other_dnns_alone_is_refused(tmp_path: Path) -> None:
    path = with_board_file(tmp_path, {"another": {"1": {"time_s": 1.0}}})
    with pytest.raises(InputError, match=r"device 'board': measured = 'another': must be a DNN of the instance"):
        load_instance(path)


@pytest.mark.parametrize("name", shipped("devices"))
def test_a_shipped_device_says_source_and_licence(name: str) -> None:
    device = load_device(name)
    assert device.name == name
    assert "github.com/" in device.provenance
    assert "Apache-2.0" in device.provenance


def test_the_measured_camera_sends_its_picture_to_the_server_by_way_of_a_node_that_computes_nothing() -> None:
    instance = load_instance("measured-camera")
    result = run_method(instance, "label-setting")
    assert result.deployment is not None
    (costs,) = evaluate(instance, result.deployment).applications
    sent = 1204224 * (20e-9 + 10e-9 + 5e-9 + 5e-9)
    assert costs.energy_j == pytest.approx(0.2428 + sent, rel=1e-12)
    assert costs.latency_s == pytest.approx(0.001044 + 1204224 / 50e6 + 2e-3 + 1204224 / 1e9 + 5e-4, rel=1e-12)


def test_a_device_that_no_node_is_gets_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "instance.json"
    path.write_text(json.dumps({**document(), "devices": [BOARD]}))
    with pytest.warns(InputWarning, match=r"instance\.json: device 'board': measured on 'board', .* no node"):
        load_instance(path)
