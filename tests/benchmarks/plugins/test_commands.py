"""The command line takes plugins anywhere, with their flags; lists say where they come from; methods are tested."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import finbench as fb
from finbench.benchmarks.campaigns.campaign import load_campaign, problems
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.plugins.plugin import load_file
from tests.benchmarks.plugins.conftest import EXAMPLES, IDLE, WritePlugin

LIAR = '''
import finbench as fb

@fb.method("liar")
def liar(instance, options, *, time_limit_s, seed):
    """Says that there is nothing."""
    return fb.Result(fb.Status.INFEASIBLE, reason="there is nothing")
'''


def called(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_plugins_are_named_anywhere_and_bring_flags(write_plugin: WritePlugin) -> None:
    file = write_plugin()
    solve = ["solve", "blenet-mnist", "--method", "idle", "--depth", "7"]
    for words in ([*solve, "--plugin", file], ["--plugin", file, *solve], [*solve, f"--plugin={file}"]):
        ran = called(*words)
        assert ran.exit_code == 4, ran.output
        assert "sleeps 7 deep" in ran.output
    assert "How deep it sleeps." in " ".join(called("--plugin", file, "solve", "--help").output.split())


def test_flags_of_plugins_are_checked(write_plugin: WritePlugin) -> None:
    ran = called("solve", "blenet-mnist", "--method", "idle", "--gamma", "3", "--plugin", write_plugin())
    assert ran.exit_code == 2
    assert "method 'idle'" in ran.output
    assert called("solve", "blenet-mnist", "--no-such-flag", "7").exit_code == 2


@pytest.mark.parametrize(("words", "said"), [(["--plugin", "nowhere.py"], "no such file"), (["--plugin"], "needs")])
def test_a_plugin_that_is_not_there_is_one_line_and_exit_code_2(words: list[str], said: str) -> None:
    ran = called("methods", *words)
    assert ran.exit_code == 2
    assert said in ran.output
    assert len(ran.output.strip().splitlines()) == 1


def test_lists_say_where_plugins_come_from(write_plugin: WritePlugin) -> None:
    file = write_plugin(file="i.py")
    for command in ("methods", "plugins"):
        ran = called(command, "--plugin", file)
        assert ran.exit_code == 0
        shown = "".join(ran.output.split())
        assert "idle" in shown
        assert str(file) in shown
    assert "no plugins" in CliRunner().invoke(app, ["plugins"]).output or "idle" in called("plugins").output


def test_a_method_that_breaks_the_contract_is_told_with_an_instance_to_run_again(
    write_plugin: WritePlugin, tmp_path: Path
) -> None:
    file, folder = write_plugin(LIAR), tmp_path / "failed"
    ran = called("test-method", "liar", "--plugin", file, "--quick", "-o", folder)
    assert ran.exit_code == 1
    assert "infeasibility" in ran.output
    command = next(line.strip() for line in ran.output.splitlines() if line.strip().startswith("finbench --plugin"))
    again = called(*shlex.split(command)[1:], "--json")
    assert json.loads(again.output)["status"] == "infeasible"
    assert [fb.load(path) for path in folder.glob("*.json")]


def test_a_method_that_keeps_the_contract_is_exit_code_0(tmp_path: Path) -> None:
    ran = called("test-method", "one-cut", "--plugin", EXAMPLES / "one_cut.py", "--quick", "-o", tmp_path / "failed")
    assert ran.exit_code == 0, ran.output
    assert "keeps the contract on" in ran.output
    assert not (tmp_path / "failed").exists()
    assert called("test-method", "magic").exit_code == 2


def test_the_example_solves_compares_and_draws() -> None:
    load_file(EXAMPLES / "one_cut.py")
    instance = fb.generate("ring", nodes=5, blocks=4, exits=2, seed=1)
    assert len(instance.network.links) == 10
    table = fb.compare([instance, fb.load("balexnet-cifar10")], ["exhaustive", "one-cut", ("one-cut", {"cuts": "any"})])
    assert table.attrs["contradictions"] == []
    assert table["feasible"].all()
    assert table["gap"][4] == pytest.approx(0.0), "the published scenario is best cut once"


def test_a_campaign_names_plugins_beside_itself(write_plugin: WritePlugin, tmp_path: Path) -> None:
    write_plugin()
    entry = '[[methods]]\nname = "idle"\noptions = { depth = [1, 2] }\n'
    entry += '[[instances]]\ngroup = "g"\ninstances = ["blenet-mnist"]\n'
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\ntime_limit_s = 5\nplugins = ["idle.py"]\n{entry}')
    (problem,) = problems(load_campaign(str(file)))
    assert [options["depth"] for _, options in problem.methods] == [1, 2]
    file.write_text(f'name = "mine"\ntime_limit_s = 5\nplugins = ["gone.py"]\n{entry}')
    with pytest.raises(fb.InputError, match=r"gone\.py: no such file"):
        load_campaign(str(file))


def statuses(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (folder / "runs.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.setdefault(row["method"], set()).add(row["status"])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["local", "dask"])
def test_workers_run_the_methods_and_families_of_plugins(backend: str, tmp_path: Path) -> None:
    if backend == "dask":
        pytest.importorskip("distributed")
    folder = tmp_path / "campaign"
    folder.mkdir()
    for name in ("one_cut.py", "one_cut.toml"):
        (folder / name).write_text((EXAMPLES / name).read_text(encoding="utf-8"), encoding="utf-8")
    made = fb.run(folder / "one_cut.toml", tmp_path / "results", backend=backend)
    found = statuses(tmp_path / "results" / "one-cut")
    assert found["label-setting"] == {"optimal"}
    assert found["one-cut"] == {"feasible", "no-solution"}, "all or nothing is too little for the published targets"
    assert {row["status"] for row in made.rows if row["options"].get("cuts") == "any"} == {"feasible"}
    assert made.contradictions == []
    assert {row["family"] for row in made.rows if row["group"] == "rings"} == {"ring"}


@pytest.mark.slow
def test_workers_draw_instances_of_a_plugins_family_for_the_suites_own_methods(tmp_path: Path) -> None:
    family = '[[families]]\ngroup = "r"\nfamily = "ring"\nnodes = [4]\nblocks = [3]\nexits = [2]\nseeds = [1]\n'
    conditions = f'name = "rings"\ntime_limit_s = 5\nplugins = ["{EXAMPLES / "one_cut.py"}"]\n'
    (tmp_path / "rings.toml").write_text(f'{conditions}[[methods]]\nname = "label-setting"\n{family}')
    (row,) = fb.run(tmp_path / "rings.toml", tmp_path / "results").rows
    assert row["status"] == "optimal"


@pytest.mark.slow
def test_a_row_of_a_plugin_counts_until_its_code_changes(write_plugin: WritePlugin, tmp_path: Path) -> None:
    def keys() -> list[str]:
        load_file(write_plugin(IDLE, depth=3) if not changed else write_plugin(IDLE, depth=4))
        made = fb.run(fb.campaign("mine", ["blenet-mnist"], [("idle", {"depth": 1})], time_limit_s=5), tmp_path)
        return [row["key"] for row in made.rows]

    changed = False
    first = keys()
    assert keys() == first
    changed = True
    assert keys() != first
