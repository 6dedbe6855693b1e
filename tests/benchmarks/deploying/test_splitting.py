"""A deployment of a model as parts: what they hold, that they answer as the model does, and what is refused."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.benchmarks.imports.onnx.made_models import model, node, onnx, tensor

pytest.importorskip("onnxruntime")

from finbench.benchmarks.cli.app import app as commands
from finbench.benchmarks.deploying.answers import score_of
from finbench.benchmarks.deploying.joint_run import (
    JointParts,
    WholeModel,
    differences,
    leaving,
    relative_difference,
)
from finbench.benchmarks.deploying.manifest import MANIFEST, Manifest, SplitApplication, load_manifest
from finbench.benchmarks.deploying.samples import random_samples, read_samples
from finbench.benchmarks.deploying.splitting import split
from finbench.benchmarks.imports.onnx.reading import read_model
from finbench.models.deployment import Deployment
from finbench.models.io import InputError
from tests.benchmarks.deploying import made_plans as made

PLACEMENT = ("device", "edge", "edge")


def parts_of(tmp_path: Path, said: Any = (0.4, 0.5), given: Any = None) -> tuple[Path, Path]:
    """Return the folder of the parts of a small model, the first exit on the device, the others on the edge."""
    path, dnn = made.imported(made.convolutions(1), tmp_path, said, blocks=3)
    instance = made.system(dnn)
    folder = tmp_path / "parts"
    return made.split_into(folder, instance, made.placed(instance, PLACEMENT, 3), path, thresholds=given), path


def test_a_part_ends_where_the_node_or_an_exit_does(tmp_path: Path) -> None:
    folder, _ = parts_of(tmp_path)
    (app,) = load_manifest(folder).applications
    assert [(part.node, part.first_block, part.last_block) for part in app.parts] == [
        ("device", 1, 1),
        ("edge", 2, 2),
        ("edge", 3, 3),
    ]
    assert [part.route for part in app.parts] == [(), ("device", "relay", "edge"), ()]
    assert [[spec.name for spec in part.outputs] for part in app.parts] == [["out1"], ["out2"], []]
    assert [[spec.name for spec in part.answers] for part in app.parts] == [["answer1"], ["answer2"], ["answer3"]]
    assert [(exit_.exit, exit_.part, exit_.threshold) for exit_ in app.exits] == [
        (1, 1, 0.4),
        (2, 2, 0.5),
        (3, 3, None),
    ]


def test_blocks_without_a_decision_between_them_are_one_part(tmp_path: Path) -> None:
    path, dnn = made.imported(made.convolutions(1), tmp_path, (0.4, 0.5), blocks=5)
    instance = made.system(dnn)
    ends = [exit_.after_block for exit_ in dnn.exits]
    found = split(instance, made.placed(instance, ["edge"] * 5, 3), [read_model(path)])
    assert [part.last_block for part in found.manifest.applications[0].parts] == ends


def test_the_plan_stands_in_the_manifest(tmp_path: Path) -> None:
    path, dnn = made.imported(made.convolutions(1), tmp_path, (0.4, 0.5), blocks=3)
    instance = made.system(dnn, bandwidth_bit_per_s=1e6, delay_s=0.01)
    (app,) = split(instance, made.placed(instance, PLACEMENT, 3), [read_model(path)]).manifest.applications
    times = [block.ops / 1e9 for block in dnn.blocks]
    carried = 2 * (dnn.blocks[0].output_bits / 1e6 + 0.01)
    expected = [times[0], times[0] + carried + times[1], sum(times) + carried]
    assert [exit_.planned_s for exit_ in app.exits] == pytest.approx(expected)
    assert [exit_.share for exit_ in app.exits] == pytest.approx([1 / 3] * 3)
    assert [part.planned_s for part in app.parts] == pytest.approx(times)


def test_parts_answer_as_the_model_does(tmp_path: Path) -> None:
    folder, path = parts_of(tmp_path)
    manifest = load_manifest(folder)
    samples = {"camera": random_samples(manifest.applications[0].sample, 5, 1)}
    found = differences(folder, manifest, [read_model(path)], samples)
    assert [each.exit for each in found] == [1, 2, 3]
    assert all(each.equal for each in found)


def test_another_weight_is_another_answer(tmp_path: Path) -> None:
    folder, path = parts_of(tmp_path)
    (tmp_path / "changed").mkdir()
    changed = onnx.load(path)
    kernel = next(each for each in changed.graph.initializer if each.name == "w2")
    kernel.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(kernel) * np.float32(1.0001), "w2"))
    other, _ = made.imported(changed, tmp_path / "changed", blocks=3)
    manifest = load_manifest(folder)
    digest = read_model(other).sha256
    (app,) = manifest.applications
    claimed = manifest.model_copy(update={"applications": (app.model_copy(update={"model_sha256": digest}),)})
    samples = {"camera": random_samples(app.sample, 2, 1)}
    found = differences(folder, claimed, [read_model(other)], samples)
    assert [each.equal for each in found] == [True, False, False]


def with_median_thresholds(folder: Path, app: SplitApplication) -> SplitApplication:
    """Return the application with thresholds that half of all samples reach."""
    parts = JointParts(folder, app)
    answered = [dict(enumerate(parts.answers(sample))) for sample in random_samples(app.sample, 100, 5)]
    exits = [
        exit_.model_copy(
            update={"threshold": float(np.median([score_of(each[k][1][0], exit_, "confidence") for each in answered]))}
        )
        for k, exit_ in enumerate(app.exits[:-1])
    ]
    return app.model_copy(update={"exits": (*exits, app.exits[-1])})


def test_a_thousand_samples_leave_where_they_leave_the_whole_model_and_with_its_answer(tmp_path: Path) -> None:
    folder, path = parts_of(tmp_path)
    app = with_median_thresholds(folder, load_manifest(folder).applications[0])
    parts, whole = JointParts(folder, app), WholeModel(app, read_model(path))
    left = dict.fromkeys((1, 2, 3), 0)
    for sample in random_samples(app.sample, 1000, 7):
        ours, theirs = leaving(parts, sample, app), leaving(whole, sample, app)
        assert ours.exit == theirs.exit
        assert relative_difference(ours.answers[0], theirs.answers[0]) < 1e-5
        left[ours.exit] += 1
    assert min(left.values()) > 100, "every exit is in use"


def test_thresholds_of_entropy_are_upper_limits(tmp_path: Path) -> None:
    folder, _ = parts_of(tmp_path)
    (app,) = load_manifest(folder).applications
    (sample,) = random_samples(app.sample, 1, 3)
    first, parts = app.exits[0], JointParts(folder, app)
    _, answers = next(iter(parts.answers(sample)))
    odds = np.exp(answers[0].ravel() - answers[0].max())
    shares = odds / odds.sum()
    entropy = float(-(shares * np.log(shares)).sum())
    for limit, exit_ in ((entropy * 1.01, 1), (entropy * 0.99, 2)):
        early = first.model_copy(update={"threshold": limit})
        sure = app.exits[1].model_copy(update={"threshold": 9.0})
        asked = app.model_copy(update={"thresholds_of": "entropy", "exits": (early, sure, app.exits[2])})
        assert leaving(JointParts(folder, asked), sample, asked).exit == exit_
    assert leaving(parts, sample, app).score == pytest.approx(shares.max())


def test_probabilities_are_not_made_anew(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("Softmax", "a", "p"), node("Identity", "p", "y")]
    path, dnn = made.imported(model(nodes, [tensor("x", (1, 4))], ["y"]), tmp_path)
    instance = made.system(dnn)
    found = split(instance, made.placed(instance, ["edge"] * len(dnn.blocks), 1), [read_model(path)])
    assert found.manifest.applications[0].exits[0].probabilities


def test_a_deployment_up_to_an_early_exit_has_no_later_parts(tmp_path: Path) -> None:
    path, dnn = made.imported(made.convolutions(1), tmp_path, blocks=3)
    instance = made.system(dnn)
    found = split(instance, made.placed(instance, ["cloud"], 1), [read_model(path)]).manifest.applications[0]
    assert [(part.node, part.route) for part in found.parts] == [("cloud", ("device", "relay", "edge", "cloud"))]
    assert found.parts[0].outputs == ()
    assert found.exits[0].threshold is None


def test_two_applications_have_parts_of_their_own(tmp_path: Path) -> None:
    path, dnn = made.imported(made.convolutions(1), tmp_path, (0.4, 0.5), blocks=3)
    instance = made.system(dnn, applications=("one/1", "two"))
    plan = Deployment(deployments=(made.decided(["edge"], 1, "one/1"), made.decided(["edge", "cloud"], 2, "two")))
    folder = made.split_into(tmp_path / "parts", instance, plan, path)
    files = [part.file for app in load_manifest(folder).applications for part in app.parts]
    assert files == ["1-one-1-1-edge.onnx", "2-two-1-edge.onnx", "2-two-2-cloud.onnx"]


@pytest.mark.parametrize("seed", range(6))
def test_any_cut_and_placement_answers_as_the_model_does(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    widths = [draw.randint(2, 6) for _ in range(draw.randint(2, 5))]
    many = tuple([0.5] * (len(widths) - 1))
    path, dnn = made.imported(made.convolutions(seed, channels=widths), tmp_path, many)
    instance = made.system(dnn)
    folder = made.split_into(tmp_path / "parts", instance, made.randomly_placed(dnn, draw), path)
    manifest = load_manifest(folder)
    samples = {"camera": random_samples(manifest.applications[0].sample, 3, seed)}
    assert all(each.equal for each in differences(folder, manifest, [read_model(path)], samples))


def changed(folder: Path, change: Any) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    change(document["applications"][0])
    (folder / MANIFEST).write_text(json.dumps(document))


def swap_parts(app: Any) -> None:
    app["parts"][0], app["parts"][1] = app["parts"][1], app["parts"][0]


def lose_tensor(app: Any) -> None:
    app["parts"][0]["outputs"] = []


def other_route(app: Any) -> None:
    app["parts"][1]["route"] = ["relay", "edge"]


def no_link(app: Any) -> None:
    app["parts"][1]["route"] = ["device", "edge"]


def late_exit(app: Any) -> None:
    app["exits"] = app["exits"][:2]


def no_threshold(app: Any) -> None:
    app["exits"][0]["threshold"] = None


def outside(app: Any) -> None:
    app["parts"][0]["file"] = "../model.onnx"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap_parts, "part 1: first_block = 2: wrong order"),
        (lose_tensor, "part 2: lacks tensor 'out1'"),
        (other_route, "part 2: route: must lead from 'device' to 'edge'"),
        (no_link, "link 'device->edge': is not among links"),
        (late_exit, "exits: wrong order"),
        (no_threshold, "exit 1: threshold: goes with every exit but the last"),
        (outside, "file = '../model.onnx'"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(tmp_path: Path, change: Any, said: str) -> None:
    folder, _ = parts_of(tmp_path)
    changed(folder, change)
    with pytest.raises(InputError, match=said) as refused:
        load_manifest(folder)
    assert str(refused.value).startswith(f"{folder / MANIFEST}: ")


def test_a_changed_part_is_refused_by_name(tmp_path: Path) -> None:
    folder, _ = parts_of(tmp_path)
    (app,) = load_manifest(folder).applications
    file = folder / app.parts[1].file
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(InputError, match=f"^{file}: was changed: has sha256"):
        JointParts(folder, app)
    file.unlink()
    with pytest.raises(InputError, match=f"^{file}: cannot be read"):
        JointParts(folder, app)


def test_a_part_that_is_another_than_the_manifest_says_is_refused(tmp_path: Path) -> None:
    folder, _ = parts_of(tmp_path)

    def take_first(app: Any) -> None:
        app["parts"][1] |= {key: app["parts"][2][key] for key in ("sha256",)}

    (app,) = load_manifest(folder).applications
    shutil.copy(folder / app.parts[2].file, folder / app.parts[1].file)
    changed(folder, take_first)
    with pytest.raises(InputError, match=f"{app.parts[1].file}: lacks tensor 'out1'"):
        JointParts(folder, load_manifest(folder).applications[0])


def test_a_manifest_of_another_model_is_refused_by_name(tmp_path: Path) -> None:
    folder, _ = parts_of(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = made.imported(made.convolutions(2), tmp_path / "other", blocks=3)
    with pytest.raises(InputError, match=r"^.*manifest.json: application 'camera': was split from model 'model.onnx'"):
        differences(folder, load_manifest(folder), [read_model(other)], {})


def test_a_dnn_whose_model_is_not_given_is_refused_by_name(tmp_path: Path) -> None:
    _, dnn = made.imported(made.convolutions(1), tmp_path, blocks=3)
    instance = made.system(dnn)
    with pytest.raises(InputError, match=r"^instance 'system': dnn 'dnn': was read from model 'model.onnx' .*none$"):
        split(instance, made.placed(instance, PLACEMENT, 3), [])


def test_an_exit_without_a_threshold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="thresholds of exits: none known, 2 needed"):
        parts_of(tmp_path, None)
    with pytest.raises(InputError, match="thresholds of exits: 1 known, 2 needed"):
        parts_of(tmp_path, None, given={"dnn": (0.5,)})


def test_a_head_that_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "a"), node("GlobalAveragePool", "a", "y")]
    path, dnn = made.imported(model(nodes, [tensor("x", (1, 3, 8, 8))], ["y"]), tmp_path, (0.5,), exit_after=("a",))
    instance = made.system(dnn)
    with pytest.raises(InputError, match=r"^dnn 'dnn': exit 'a': the model does not have its head"):
        split(instance, made.placed(instance, ["edge"] * len(dnn.blocks), 2), [read_model(path)])


def test_a_deployment_that_is_none_is_refused(tmp_path: Path) -> None:
    path, dnn = made.imported(made.convolutions(1), tmp_path, (0.5, 0.5), blocks=3)
    instance = made.system(dnn)
    with pytest.raises(InputError, match=r"^deployment: .*relay"):
        split(instance, made.placed(instance, ["relay"] * 3, 3), [read_model(path)])


def test_samples_come_from_a_file_of_arrays(tmp_path: Path) -> None:
    folder, _ = parts_of(tmp_path)
    specs = load_manifest(folder).applications[0].sample
    values = np.random.default_rng(0).normal(size=(4, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=values)
    found = read_samples(tmp_path / "x.npz", specs)
    assert len(found) == 4
    np.testing.assert_array_equal(found[3]["x"], values[3:])
    for wrong in ({"y": values}, {"x": values[:, :2]}, {"x": values[:0]}, {"x": values.astype(complex)}):
        np.savez(tmp_path / "wrong.npz", **wrong)
        with pytest.raises(InputError, match=r"^.*wrong.npz: array"):
            read_samples(tmp_path / "wrong.npz", specs)
    np.savez(tmp_path / "wrong.npz", x=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"is no .npz file"):
        read_samples(tmp_path / "wrong.npz", specs)
    (tmp_path / "wrong.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"is no .npz file"):
        read_samples(tmp_path / "wrong.npz", specs)


def test_the_command_writes_parts_and_verifies_them(tmp_path: Path) -> None:
    output = tmp_path / "parts"
    came = CliRunner().invoke(commands, ["split", *made.command_files(tmp_path), "-o", str(output), "--verify"])
    assert came.exit_code == 0, came.output
    assert came.stdout.count("same") == 3
    assert isinstance(load_manifest(output), Manifest)
    assert {file.name for file in tmp_path.iterdir()} == {"instance.json", "plan.json", "model.onnx", "parts"}
    again = CliRunner().invoke(commands, ["split", *made.command_files(tmp_path), "-o", str(output)])
    assert (again.exit_code, again.stdout) == (2, "")
    assert "is there already" in again.stderr


def test_thresholds_on_the_command_line_come_first(tmp_path: Path) -> None:
    output = tmp_path / "parts"
    asked = ["split", *made.command_files(tmp_path), "-o", str(output)]
    for text in ("0.9,0.8", "dnn=0.9,0.8"):
        came = CliRunner().invoke(commands, [*asked, f"--thresholds={text}"])
        assert came.exit_code == 0, came.output
        assert [exit_.threshold for exit_ in load_manifest(output).applications[0].exits] == [0.9, 0.8, None]
        shutil.rmtree(output)
    for text in ("other=0.9,0.8", "0.9,x", "", "nan,0.5"):
        came = CliRunner().invoke(commands, [*asked, f"--thresholds={text}"])
        assert (came.exit_code, came.stderr.count("\n")) == (2, 1)
        assert not output.exists()
