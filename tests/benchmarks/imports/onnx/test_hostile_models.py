"""Hostile and damaged model files: refused in one line, in bounded memory and time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.imports.onnx.made_models import (  # isort: skip  (skips where onnx is missing)
    light,
    model,
    node,
    onnx,
    saved,
    tensor,
    two_exits,
    weight,
)

from tests.benchmarks.cli.attack import Tally


def tried(path: Path, tally: Tally, *options: str) -> str:
    """Import a file under limits and return what was said."""
    return tally.run(["import", "dnn", str(path), "-o", str(path.with_suffix(".toml")), *options]).output


def cycle() -> Any:
    return model([node("Add", "x b", "a"), node("Relu", "a", "b")], [tensor("x", (1, 8))], ["b"])


def missing() -> Any:
    return model([node("Add", "x nothing", "z")], [tensor("x", (1, 8))], ["z"])


def twice() -> Any:
    return model([node("Relu", "x", "z"), node("Tanh", "x", "z")], [tensor("x", (1, 8))], ["z"])


def external(location: str) -> Any:
    outside = weight("w", 8, 4)
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value=location)
    return model([node("Gemm", "x w", "z")], [tensor("x", (1, 8))], ["z"], [outside])


def huge(*dims: int) -> Any:
    stated = weight("w", 8, 4)
    del stated.dims[:]
    stated.dims.extend(dims)
    return model([node("Gemm", "x w", "z")], [tensor("x", (1, 8))], ["z"], [stated])


def huge_fill() -> Any:
    fill = onnx.helper.make_tensor("extent", onnx.TensorProto.INT64, [2], [2**40, 2**40])
    nodes = [node("ConstantOfShape", "extent", "w"), node("Add", "x w", "z")]
    return model(nodes, [tensor("x", (1, 1))], ["z"], [fill])


HOSTILE = {
    "cycle": (cycle(), "a cycle, or out of order"),
    "missing tensor": (missing(), "which is missing"),
    "made twice": (twice(), "a second time"),
    "external data above the folder": (external("../../etc/passwd"), "must lie in the model's folder"),
    "external data at an absolute path": (external("/etc/passwd"), "must lie in the model's folder"),
    "external data on a drive": (external("c:\\weights"), "must lie in the model's folder"),
    "external data behind a backslash": (external("a\\..\\..\\b"), "must lie in the model's folder"),
    "a weight larger than its data": (huge(2**40, 2**20), "bytes of data"),
    "a weight of negative size": (huge(-8, 4), "none of them negative"),
    "a weight of many dimensions": (huge(*[2**60] * 5000), "at most 64"),
    "a filled tensor of 2^80 elements": (huge_fill(), "elements"),
    "an output that nothing makes": (model([node("Relu", "x", "y")], [tensor("x", (1, 8))], ["z"]), "no operator"),
    "an output that is constant": (
        model([node("Relu", "w", "z")], [tensor("x", (1, 8))], ["z"], [weight("w", 8)]),
        "the same for every sample",
    ),
    "no operators": (model([], [tensor("x", (1, 8))], ["x"]), "no operators"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    made, words = HOSTILE[name]
    tally = Tally()
    assert words in tried(saved(made, tmp_path / "m.onnx"), tally)
    tally.assert_sound(refused=1, answered=0)
    assert not (tmp_path / "m.toml").exists()


def test_external_weights_in_the_folder_are_counted_and_never_read(tmp_path: Path) -> None:
    tally = Tally()
    tried(saved(external("weights.bin"), tmp_path / "m.onnx"), tally)
    tally.assert_sound(refused=0, answered=1)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    tally = Tally()
    texts = [b"", b"\x00" * 100, b"name = 'dnn'", b"\xff" * 1000, b"PK\x03\x04", b"\x08"]
    for k, content in enumerate(texts):
        path = tmp_path / f"{k}.onnx"
        path.write_bytes(content)
        tried(path, tally)
    tried(tmp_path, tally)
    tried(tmp_path / "none.onnx", tally)
    tried(Path("/dev/zero"), tally)
    tally.assert_sound(refused=len(texts) + 3, answered=0)


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return a file with one to four of its bytes changed, removed, repeated or put elsewhere."""
    left = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(left))
        size = draw.choice([1, 1, 1, 2, 8, 64])
        change = draw.choice(["set", "flip", "cut", "repeat", "move"])
        if change == "set":
            left[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif change == "flip":
            left[at] ^= 1 << draw.randrange(8)
        elif change == "cut":
            del left[at : at + size]
        else:
            part = left[at : at + size]
            place = at if change == "repeat" else draw.randrange(len(left))
            left[place:place] = part
        if not left:
            return b""
    return bytes(left)


def attacked(content: bytes, rounds: int, folder: Path) -> Tally:
    draw, tally = random.Random("damaged models"), Tally()
    path = folder / "damaged.onnx"
    for _ in range(rounds):
        path.write_bytes(mutated(content, draw))
        tried(path, tally)
    return tally


def test_damaged_bytes_are_refused_or_answered(tmp_path: Path) -> None:
    attacked(two_exits().SerializeToString(), 15, tmp_path).assert_sound(refused=2, answered=1)


@pytest.mark.slow
def test_many_damaged_bytes_are_refused_or_answered(tmp_path: Path) -> None:
    attacked(two_exits().SerializeToString(), 80, tmp_path).assert_sound(refused=10, answered=5)
    attacked(light("squeezenet").read_bytes(), 25, tmp_path).assert_sound(refused=2, answered=0)
