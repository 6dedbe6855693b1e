"""Parts of a plan as processes: what they answer, how long it takes, and how they end."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from finbench.benchmarks.cli.app import app as commands
from finbench.benchmarks.deploying.joint_run import WholeModel
from finbench.benchmarks.deploying.manifest import SplitLink, TensorSpec, load_manifest
from finbench.benchmarks.deploying.samples import random_samples
from finbench.benchmarks.deploying.serving.messages import (
    Message,
    MessageError,
    TransferHead,
    arrays_of,
    packed,
    payload_of,
    receive,
)
from finbench.benchmarks.deploying.serving.node_processes import NodeProcesses, ServingError
from finbench.benchmarks.deploying.serving.node_work import Left, NodeWork, SeenLink
from finbench.benchmarks.deploying.serving.options import ServingOptions
from finbench.benchmarks.deploying.serving.serve import serve
from finbench.benchmarks.deploying.serving.served_run import ServedRun, link_table, served_application
from finbench.benchmarks.deploying.serving.shaped_link import ShapedLink, piece_ends
from finbench.benchmarks.imports.onnx.reading import read_model
from finbench.models.deployment import Deployment
from finbench.models.io import validate
from tests.benchmarks.deploying import made_plans as made

SPEC = TensorSpec(name="x", dtype="float32", shape=(2, 3))


def served_parts(
    tmp_path: Path,
    placement: tuple[str, ...] = ("device", "edge", "edge"),
    thresholds: tuple[float, ...] = (0.4, 0.5),
    **link: float,
) -> Path:
    """Return the folder of the parts of a small model with three exits."""
    path, dnn = made.imported(made.convolutions(1), tmp_path, thresholds, blocks=3)
    instance = made.system(dnn, ("camera",), **link)
    return made.split_into(tmp_path / "parts", instance, made.placed(instance, placement, 3), path)


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "node_process" in " ".join(each.cmdline())]


@pytest.mark.slow
def test_every_sample_is_answered_as_the_whole_model_does_and_links_keep_their_rates(tmp_path: Path) -> None:
    folder = served_parts(tmp_path, thresholds=(0.7, 0.6), bandwidth_bit_per_s=2e6, delay_s=0.004)
    manifest = load_manifest(folder)
    (app,) = manifest.applications
    samples = {"camera": random_samples(app.sample, 40, 3)}
    whole = {"camera": WholeModel(app, read_model(tmp_path / "model.onnx"))}
    run = serve(folder, manifest, samples, ServingOptions(samples=40), whole=whole)
    assert children() == []
    (measured,) = run.applications
    assert measured.other_answers == 0
    assert sum(exit_.samples for exit_ in measured.exits) == 40
    assert [(link.source, link.target) for link in run.links] == [("device", "relay"), ("relay", "edge")]
    for link in run.links:
        assert link.bits_per_s is not None
        assert link.delay_s is not None
        assert 0.5 * 2e6 < link.bits_per_s < 2 * 2e6, "a busy machine disturbs even the best of many messages"
        assert link.delay_s < 0.05
    sent_s = 2 * (8 * 1536 / 2e6 + 0.004)
    later = [exit_.mean_s for exit_ in measured.exits[1:] if exit_.mean_s is not None]
    assert later
    for mean_s in later:
        assert mean_s > sent_s, "no sample is faster than its links"
    assert link_table(run).startswith("from,to,bits_per_s,delay_s\ndevice,relay,")
    assert validate(json.loads(run.model_dump_json()), ServedRun, "again") == run


@pytest.mark.slow
def test_samples_that_arise_at_random_are_all_answered_for_every_application(tmp_path: Path) -> None:
    path, dnn = made.imported(made.convolutions(1), tmp_path, (0.4, 0.5), blocks=3)
    instance = made.system(dnn, applications=("one", "two"))
    plan = Deployment(
        deployments=(made.decided(["edge", "edge"], 2, "one"), made.decided(["device", "edge"], 2, "two"))
    )
    folder = made.split_into(tmp_path / "parts", instance, plan, path)
    manifest = load_manifest(folder)
    samples = {app.application: random_samples(app.sample, 7, 3) for app in manifest.applications}
    whole = {app.application: WholeModel(app, read_model(path)) for app in manifest.applications}
    told: list[tuple[int, int]] = []
    options = ServingOptions(samples=25, rate=100.0)
    run = serve(folder, manifest, samples, options, whole=whole, told=lambda *now: told.append(now))
    assert [(app.samples, app.other_answers) for app in run.applications] == [(25, 0), (25, 0)]
    assert told[-1] == (50, 50)
    assert sum(part.runs for part in run.parts) >= 50


@pytest.mark.slow
def test_nodes_end_with_the_command_that_is_killed(tmp_path: Path) -> None:
    folder = served_parts(tmp_path, bandwidth_bit_per_s=1e5)
    begin = "from finbench.benchmarks.cli.app import main; main()"
    command = [sys.executable, "-c", begin, "serve", str(folder), "--samples", "100000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        nodes = until(lambda: found if len(found := psutil.Process(process.pid).children()) == 3 else None)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in nodes) or None)
    finally:
        process.kill()


@pytest.mark.slow
def test_a_killed_node_ends_the_run_with_its_name(tmp_path: Path) -> None:
    folder = served_parts(tmp_path)
    manifest = load_manifest(folder)
    edge = [node.name for node in manifest.nodes].index("edge")
    with NodeProcesses(folder, manifest, threads=1, bind="127.0.0.1") as nodes:
        os.kill(children()[edge].pid, signal.SIGKILL)
        with pytest.raises(ServingError, match=r"^node 'edge': was killed by signal 9$"):
            until(lambda: nodes.left(0.1) or None)
    assert children() == []


@pytest.mark.slow
def test_a_malformed_or_strange_message_closes_its_connection_with_one_line_and_no_more(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = served_parts(tmp_path, ("edge", "edge", "edge"))
    manifest = load_manifest(folder)
    (app,) = manifest.applications
    with NodeProcesses(folder, manifest, threads=1, bind="127.0.0.1") as nodes:
        ports = [
            each.laddr.port
            for process in children()
            for each in process.net_connections()
            if each.status == psutil.CONN_LISTEN
        ]
        assert len(ports) == len(manifest.nodes)
        assert all(each.laddr.ip == "127.0.0.1" for process in children() for each in process.net_connections("inet"))
        attacks = (
            b"GET / HTTP/1.0\r\n\r\n",
            struct.pack("!4sIQ", b"fbp1", 2**31, 0),
            struct.pack("!4sIQ", b"fbp1", 2, 2**60) + b"{}",
            packed({"secret": "guess", "source": "device"}),
            packed({"secret": 5}),
            packed({})[:-1],
            struct.pack("!4sIQ", b"fbp1", 4, 0) + b"\xff\xfe[]",
            b"fb",
        )
        for attack in attacks:
            with socket.create_connection(("127.0.0.1", ports[0])) as connection:
                connection.sendall(attack)
                assert closed(connection)
        nodes.arise(app.source, 1, 0, payload_of(random_samples(app.sample, 1, 1)[0], app.sample))
        ((told, _),) = nodes.left(20)
        assert (told["kind"], told["sample"]) == ("left", 0)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == len(attacks)
    assert all(line.startswith("finbench: node ") and ": closed: " in line for line in lines)


def closed(connection: socket.socket) -> bool:
    """Return whether the other side closes a connection, whether or not it has read all that was sent."""
    try:
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True
    except OSError as error:
        return error.errno == errno.ENOTCONN


def until(found: Any) -> Any:
    """Return what a function finds, as soon as it does."""
    for _ in range(400):
        if (value := found()) is not None:
            return value
        time.sleep(0.05)
    raise AssertionError("it never was")


@pytest.mark.parametrize(
    ("source", "change", "length", "said"),
    [
        ("relay", {}, 1536, ""),
        ("device", {}, 1536, "hop 2 of part 2 does not lead from 'device' to 'edge'"),
        ("relay", {"hop": 1}, 1536, "hop 1 of part 2 does not lead"),
        ("relay", {"hop": 3}, 1536, "hop 3 of part 2 does not lead"),
        ("relay", {"part": 3}, 1536, "hop 2 of part 3 does not lead"),
        ("relay", {"part": 4}, 1536, "part 4 of application 1: there is none"),
        ("relay", {"application": 2}, 1536, "application 2: there is none"),
        ("relay", {"tensors": []}, 1536, "tensors: must be 'out1'"),
        ("relay", {}, 1532, "payload: has 1532 bytes: must have 1536"),
    ],
)
def test_a_node_takes_what_the_manifest_lets_come_over_a_link_and_nothing_else(
    tmp_path: Path, source: str, change: Any, length: int, said: str
) -> None:
    folder = served_parts(tmp_path, ("device", "edge", "edge"))
    manifest = load_manifest(folder)
    left: list[Left] = []
    work = NodeWork(folder, manifest, "edge", 1, left.append)
    assert (work.most_bytes("relay"), work.most_bytes("device")) == (1536, 0)
    tensors = [spec.model_dump() for spec in manifest.applications[0].parts[1].inputs]
    head = {"application": 1, "part": 2, "hop": 2, "sample": 5, "arose_s": 0.0, "tensors": tensors} | change
    message = Message(json.dumps(head).encode(), bytes(length), 1.0, 2.0)
    if said:
        with pytest.raises(MessageError, match=said):
            work.receive(source, message)
        return
    work.receive(source, message)
    until(lambda: left or None)
    assert (left[0].sample, left[0].application) == (5, 1)
    assert work.seen()["links"][0]["bytes"] == 1536


def test_a_relay_passes_on_no_more_than_the_manifest_says(tmp_path: Path) -> None:
    folder = served_parts(tmp_path)
    manifest = load_manifest(folder)
    work = NodeWork(folder, manifest, "relay", 1, lambda _: None)
    tensors = [spec.model_dump() for spec in manifest.applications[0].parts[1].inputs]
    head = {"application": 1, "part": 2, "hop": 1, "sample": 5, "arose_s": 0.0, "tensors": tensors}
    with pytest.raises(MessageError, match="payload: has 5 bytes: must have 1536"):
        work.receive("device", Message(json.dumps(head).encode(), bytes(5), 1.0, 2.0))


def test_a_changed_part_is_refused_by_the_command_in_one_line(tmp_path: Path) -> None:
    folder = served_parts(tmp_path)
    (app,) = load_manifest(folder).applications
    (folder / app.parts[1].file).write_bytes(b"other")
    came = CliRunner().invoke(commands, ["serve", str(folder)])
    assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
    assert "was changed: has sha256" in came.stderr
    assert children() == []


@pytest.mark.slow
def test_an_address_of_another_machine_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = served_parts(tmp_path)
    for address in ("203.0.113.1", "localhost"):
        came = CliRunner().invoke(commands, ["serve", str(folder), "--bind", address])
        assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)
        assert came.stderr.startswith(f"finbench: --bind: {address}: ")
    assert children() == []


def test_a_folder_without_parts_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        came = CliRunner().invoke(commands, ["serve", str(folder)])
        assert (came.exit_code, came.stdout, came.stderr.count("\n")) == (2, "", 1)


def sent(*pieces: bytes) -> socket.socket:
    """Return a connection on which bytes have come in, and that was then closed."""
    ours, theirs = socket.socketpair()
    with theirs:
        for piece in pieces:
            theirs.sendall(piece)
    return ours


def test_arrays_come_out_of_a_message_as_they_went_in() -> None:
    import numpy as np

    values = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}
    head = TransferHead(application=1, part=2, hop=1, sample=3, arose_s=4.5, tensors=(SPEC,))
    payload = payload_of(values, (SPEC,))
    with sent(packed(head, payload), payload) as connection:
        message = receive(connection, 24)
        assert message is not None
        assert message.transfer() == head
        np.testing.assert_array_equal(arrays_of(message.payload, head.tensors, (SPEC,))["x"], values["x"])
        assert receive(connection, 24) is None


@pytest.mark.parametrize(
    ("bytes_", "said"),
    [
        (b"abcd" + bytes(12), "does not begin as a message"),
        (packed({}, bytes(25)), r"has 2 \+ 25 bytes: at most"),
        (struct.pack("!4sIQ", b"fbp1", 2**21, 0), "at most"),
        (packed({}, bytes(24)) + bytes(3), "ends after 3 of 24 bytes"),
        (b"fbp", "ends after 3 of 16 bytes"),
    ],
)
def test_what_is_no_message_is_refused_before_it_is_read(bytes_: bytes, said: str) -> None:
    with sent(bytes_) as connection, pytest.raises(MessageError, match=said):
        receive(connection, 24)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"application": 0}, "application: "),
        ({"application": "1"}, "application: "),
        ({"sample": -1}, "sample: "),
        ({"arose_s": float("nan")}, "arose_s: "),
        ({"other": 1}, "other: "),
        ({"tensors": [{"name": "x", "dtype": "object", "shape": [1]}]}, "tensors.0.dtype: "),
        ({"tensors": [{"name": "x", "dtype": "int8", "shape": [-1]}]}, "tensors.0.shape.0: "),
    ],
)
def test_a_head_that_breaks_a_rule_is_refused(change: Any, said: str) -> None:
    head = TransferHead(application=1, part=2, hop=1, sample=3, arose_s=4.5, tensors=(SPEC,))
    with sent(packed(head.model_dump(mode="json") | change)) as connection:
        message = receive(connection, 0)
        assert message is not None
        with pytest.raises(MessageError, match=f"^head: {said}"):
            message.transfer()


def test_a_payload_of_other_arrays_is_refused() -> None:
    with pytest.raises(MessageError, match=r"^tensors: must be 'x' with"):
        arrays_of(bytes(24), (SPEC.model_copy(update={"shape": (3, 2)}),), (SPEC,))
    with pytest.raises(MessageError, match=r"^payload: has 23 bytes: must have 24$"):
        arrays_of(bytes(23), (SPEC,), (SPEC,))


def test_a_link_passes_messages_one_after_the_other_at_its_rate_and_delays_them() -> None:
    ours, theirs = socket.socketpair()
    link = SplitLink(source="a", target="b", bandwidth_bit_per_s=8e5, delay_s=0.03)
    head = TransferHead(application=1, part=2, hop=1, sample=3, arose_s=4.5, tensors=(SPEC,))
    with ours, theirs:
        shaped, begun = ShapedLink(ours, link), time.monotonic()
        for _ in range(2):
            shaped.send(head, bytes(2000))
        ended = []
        for _ in range(2):
            message = receive(theirs, 2000)
            assert message is not None
            ended.append(message.ended_s - begun)
    assert ended == pytest.approx([0.05, 0.07], abs=0.01)
    assert all(late >= planned for late, planned in zip(ended, [0.05, 0.07], strict=True))


def test_rate_and_delay_of_a_link_come_from_its_least_disturbed_messages() -> None:
    starts = (0.0, 1.0, 2.0)
    late = ((0.0, 0.002), (0.003, 0.0), (0.001, 0.001))
    seen = SeenLink([(1000, 200, t, t + 0.012 + a, t + 0.020 + b) for t, (a, b) in zip(starts, late, strict=True)])
    seen.messages.append((10, 5, 3.0, 3.0, 4.0))
    found = seen.summary()
    assert (found["messages"], found["bytes"]) == (4, 3010)
    assert found["bits_per_s"] == pytest.approx(8e5)
    assert found["delay_s"] == pytest.approx(0.010)
    assert SeenLink().summary()["bits_per_s"] is None


@pytest.mark.parametrize(("length", "duration_s"), [(0, 0.0), (1, 1.0), (2, 0.0), (1000, 0.0213), (10**6, 10.0)])
def test_pieces_make_up_the_payload(length: int, duration_s: float) -> None:
    ends = piece_ends(length, duration_s)
    assert ends[-1] == length
    assert ends == sorted(ends)
    assert 1 <= len(ends) <= 64
    assert len(ends) > 1 or length < 2


def test_figures_of_a_served_run_are_those_of_its_samples(tmp_path: Path) -> None:
    (app,) = load_manifest(served_parts(tmp_path)).applications
    left = [(1, 0.1)] * 60 + [(3, 0.3)] * 40
    found = served_application(app, left, None)
    assert found.mean_s == pytest.approx(0.18)
    assert found.p95_s == pytest.approx(0.3)
    assert found.planned_mean_s == pytest.approx(sum(exit_.planned_s for exit_ in app.exits) / 3)
    assert found.planned_p95_s == app.exits[2].planned_s
    assert [exit_.samples for exit_ in found.exits] == [60, 0, 40]
    assert [exit_.mean_s for exit_ in found.exits] == [pytest.approx(0.1), None, pytest.approx(0.3)]
