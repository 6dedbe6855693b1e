"""The command line: what it prints, where, and the exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import highspy
import pytest
import typer
from typer.testing import CliRunner, Result

import finbench.benchmarks.families
from finbench.benchmarks.cli.app import GROUPS, app, every_command, main, program, program_for
from finbench.benchmarks.cli.exit_codes import FOUND, INFEASIBLE, NOTHING_FOUND
from finbench.benchmarks.families import FAMILIES, SHARED_FAMILIES
from finbench.benchmarks.methods import METHODS
from finbench.models.instance import Instance
from finbench.models.io import dump_deployment, dump_instance, load_instance, shipped
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.milp.solvers.registry import SOLVERS
from finbench.models.result import Status
from tests.benchmarks.conftest import BEST, OPTIMUM_J, TOO_SLOW, WORSE, AddMethod, answer
from tests.models.bad_inputs import BAD_DOCUMENTS, BAD_TEXTS, SOUND
from tests.random_instances import random_instance

ROOT = Path(__file__).resolve().parents[3]


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def process(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    code = "from finbench.benchmarks.cli.app import main; main()"
    command = [sys.executable, "-c", code, *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **more)


def refused(result: Result) -> str:
    """The one line on standard error of a command that was given bad input."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def test_solve_as_json_is_one_object_at_full_precision() -> None:
    result = called("solve", "balexnet-cifar10", "--method", "fin", "--gamma", "1000", "--json")
    shown = json.loads(result.stdout)
    assert result.exit_code == 0
    assert shown["energy_j"] == pytest.approx(OPTIMUM_J, rel=1e-15)
    assert (shown["instance"], shown["method"], shown["status"]) == ("balexnet-cifar10", "fin", "feasible")
    assert shown["options"]["gamma"] == 1000
    assert shown["deployments"][0]["placement"] == ["device", "device", "device", "cloud", "cloud"]
    assert shown["violations"] == []


def test_solve_prints_targets_energy_and_deployment() -> None:
    result = called("solve", "balexnet-cifar10")
    assert result.exit_code == 0
    for part in ("fin (gamma=100): feasible", "0.02139545744", "≤ 0.005", "≥ 0.8", "device → cloud", "last exit 3"):
        assert part in result.stdout


def test_what_solve_writes_evaluate_reads(tmp_path: Path) -> None:
    path = tmp_path / "deployment.json"
    solved = called("solve", "balexnet-cifar10", "-o", path, "--json")
    evaluated = called("evaluate", "balexnet-cifar10", path, "--json")
    assert evaluated.exit_code == 0
    one, two = json.loads(solved.stdout), json.loads(evaluated.stdout)
    assert {field: one[field] for field in ("energy_j", "latency_s", "accuracy", "deployments")} == {
        field: two[field] for field in ("energy_j", "latency_s", "accuracy", "deployments")
    }
    assert "feasible" in called("evaluate", "balexnet-cifar10", path).stdout


def test_evaluate_reports_violations_with_exit_code_5(tmp_path: Path) -> None:
    path = tmp_path / "slow.json"
    path.write_text(dump_deployment(TOO_SLOW))
    result = called("evaluate", "balexnet-cifar10", path)
    assert result.exit_code == 5
    assert "latency 0.00656364 s exceeds 0.005 s" in result.stdout
    assert called("evaluate", "balexnet-cifar10", path, "--max-latency", "0.01").exit_code == 0


@pytest.mark.parametrize(
    ("overrides", "energy"),
    [
        (["--max-latency", "0.007"], 0.01714),
        (["--max-latency", "0.006"], 0.01942),
        (["--max-latency", "0.0025"], 0.04551),
        (["--max-latency", "0.007", "--accounting", "full_depth"], 0.03938),
        (["--max-latency", "0.003", "--accounting", "full_depth"], 0.08991),
    ],
)
def test_overrides_reach_the_worked_optima(overrides: list[str], energy: float) -> None:
    result = called("solve", "balexnet-cifar10", "--gamma", "1000", "--json", *overrides)
    assert json.loads(result.stdout)["energy_j"] == pytest.approx(energy, abs=5.1e-6)


def test_expected_latency_is_shorter() -> None:
    command = ("solve", "balexnet-cifar10", "--gamma", "1000", "--json", "--latency-kind")
    full, expected = (json.loads(called(*command, kind).stdout) for kind in ("full_depth", "expected"))
    assert expected["energy_j"] < full["energy_j"]


@pytest.mark.parametrize(
    ("status", "deployment", "code"),
    [
        (Status.OPTIMAL, BEST, 0),
        (Status.FEASIBLE, BEST, 0),
        (Status.TIME_LIMIT, BEST, 0),
        (Status.INFEASIBLE, None, 3),
        (Status.NO_SOLUTION, None, 4),
        (Status.NO_SOLUTION, TOO_SLOW, 4),
        (Status.TIME_LIMIT, None, 4),
        (Status.MEMORY_LIMIT, None, 4),
        (Status.FEASIBLE, TOO_SLOW, 5),
        (Status.INFEASIBLE, BEST, 5),
        (Status.OPTIMAL, None, 5),
        (Status.ERROR, None, 1),
    ],
)
def test_the_exit_code_of_solve_follows_the_status(
    add_method: AddMethod, status: Status, deployment: Any, code: int
) -> None:
    add_method("made-up", answer(deployment, status, None, reason="because"))
    result = called("solve", "balexnet-cifar10", "--method", "made-up")
    assert result.exit_code == code
    assert "because" in result.stdout


@pytest.mark.parametrize("several", [False, True])
def test_a_wrong_claim_is_exit_code_5_and_said(add_method: AddMethod, several: bool, tmp_path: Path) -> None:
    problem = load_instance("balexnet-cifar10")
    deployment = BEST
    if several:
        app = problem.applications[0].model_copy(update={"rate_per_s": 1.0})
        apps = tuple(app.model_copy(update={"name": name}) for name in ("one", "two"))
        problem = problem.model_copy(update={"applications": apps})
        decisions = tuple(BEST.deployments[0].model_copy(update={"application": name}) for name in ("one", "two"))
        deployment = BEST.model_copy(update={"deployments": decisions})
    path = tmp_path / "instance.json"
    path.write_text(dump_instance(problem))
    add_method("boastful", answer(deployment, Status.FEASIBLE, OPTIMUM_J / 2))
    result = called("solve", path, "--method", "boastful")
    assert result.exit_code == 5
    assert "contradiction: boastful claims" in " ".join(result.stdout.split())
    shown = json.loads(called("solve", path, "--method", "boastful", "--json").stdout)
    assert [line[:15] for line in shown["contradictions"]] == ["boastful claims"]


@pytest.mark.parametrize("method", ["fin", "cp-sat", "milp-flow", "label-setting"])
@pytest.mark.parametrize("limit", ["1e9", "1e300"])
def test_a_time_limit_of_any_positive_finite_length_works(method: str, limit: str) -> None:
    result = called("solve", "blenet-mnist", "--method", method, "--time-limit", limit)
    assert (result.exit_code, result.stderr) == (0, "")


def test_violations_are_listed_in_the_order_of_the_applications(tmp_path: Path) -> None:
    problem = load_instance("balexnet-cifar10")
    app = problem.applications[0].model_copy(update={"rate_per_s": 1.0})
    names = [f"user{k}" for k in range(9)]
    apps = tuple(app.model_copy(update={"name": name}) for name in names)
    instance, deployment = tmp_path / "instance.json", tmp_path / "deployment.json"
    instance.write_text(dump_instance(problem.model_copy(update={"applications": apps})))
    nobody = {"application": "nobody", "last_exit": 1, "placement": ["device"]}
    deployment.write_text(json.dumps({"deployments": [nobody]}))
    shown = json.loads(called("evaluate", instance, deployment, "--json").stdout)
    assert [violation["subject"] for violation in shown["violations"]] == ["nobody", *names]


def test_a_refusal_is_exit_code_4(add_method: AddMethod) -> None:
    add_method("picky", answer(), refusal="takes nothing")
    result = called("solve", "balexnet-cifar10", "--method", "picky")
    assert (result.exit_code, "takes nothing" in result.stdout) == (4, True)


def test_infeasible_targets_are_proven_so() -> None:
    command = ("solve", "balexnet-cifar10", "--method", "label-setting", "--max-latency", "0.0001")
    assert called(*command).exit_code == 3


def test_options_of_every_method_reach_it(add_method: AddMethod) -> None:
    add_method("made-up", answer(), options=MilpFlowOptions)
    given = ("--plain", "--mip-gap", "0.5", "--threads", "2", "--solver", "glpk")
    shown = json.loads(called("solve", "balexnet-cifar10", "--method", "made-up", *given, "--json").stdout)
    own = {"strengthen": False, "warm_start": "none"}
    assert shown["options"] == {**own, "mip_gap": 0.5, "threads": 2, "solver": "glpk"}


def test_every_option_of_a_method_is_an_option_of_solve() -> None:
    offered = {parameter.replace("--", "") for parameter in called("solve", "--help").stdout.split()}
    for method in METHODS.values():
        for name in method.options.model_fields:
            assert name.rstrip("_").replace("_", "-") in offered, name


def test_compare_prints_a_table_for_each_instance() -> None:
    result = called(
        "compare", "balexnet-cifar10", "blenet-mnist", "--methods", "label-setting,fin", "--gamma", "10,100"
    )
    assert result.exit_code == 0
    for part in ("balexnet-cifar10: latency ≤ 0.005 s", "blenet-mnist: latency", "fin (gamma=10)", "fin (gamma=100)"):
        assert part in result.stdout
    assert "38.0642" in result.stdout


def test_compare_as_json_carries_the_gap_to_the_best_bound() -> None:
    result = called("compare", "balexnet-cifar10", "--methods", "label-setting,fin", "--gamma", "10", "--json")
    exact, fin = json.loads(result.stdout)[0]["runs"]
    assert exact["gap_to_best_bound"] == 0
    assert fin["gap_to_best_bound"] == pytest.approx(0.380642, abs=1e-6)


def test_a_contradiction_between_methods_is_exit_code_5(add_method: AddMethod) -> None:
    add_method("wrong", answer(WORSE, Status.OPTIMAL, None))
    result = called("compare", "balexnet-cifar10", "--methods", "wrong,fin", "--gamma", "1000")
    assert result.exit_code == 5
    assert "contradiction: wrong says" in result.stdout


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_a_broken_rule_is_one_line_and_exit_code_2(case: str, tmp_path: Path) -> None:
    document, named = BAD_DOCUMENTS[case]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    line = refused(called("solve", path))
    assert [part for part in [str(path), *named] if part not in line] == [], line


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_a_file_that_cannot_be_parsed_is_one_line_and_exit_code_2(case: str, tmp_path: Path) -> None:
    name, content, named = BAD_TEXTS[case]
    path = tmp_path / name
    path.write_bytes(content)
    line = refused(called("evaluate", "blenet-mnist", path)) if case == "deep JSON" else refused(called("solve", path))
    assert [part for part in [str(path), *named] if part not in line] == [], line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["solve", "nowhere.json"], ["nowhere.json", "no such file"]),
        (["solve", "balexnet"], ["did you mean"]),
        (["solve", "."], ["."]),
        (["solve", "blenet-mnist", "--method", "magic"], ["method 'magic'", "fin"]),
        (["solve", "blenet-mnist", "--gamma", "0"], ["method 'fin'", "gamma = 0"]),
        (
            ["solve", "blenet-mnist", "--method", "label-setting", "--gamma", "5"],
            ["method 'label-setting'", "gamma = 5"],
        ),
        (["solve", "blenet-mnist", "--max-latency", "-1"], ["command line", "max_latency_s = -1.0"]),
        (["solve", "blenet-mnist", "--max-latency", "nan"], ["command line", "max_latency_s = nan"]),
        (["solve", "blenet-mnist", "--min-accuracy", "99"], ["command line", "min_accuracy = 99.0"]),
        (["solve", "blenet-mnist", "--time-limit", "inf"], ["--time-limit", "inf", "finite"]),
        (["compare", "blenet-mnist", "--time-limit", "inf"], ["--time-limit", "inf", "finite"]),
        (["explain", "blenet-mnist", "--time-limit", "inf"], ["--time-limit", "inf", "finite"]),
        (["solve", "blenet-mnist", "--method", "label-setting", "--k", str(10**30)], ["k = "]),
        (["solve", "blenet-mnist", "--method", "milp-flow", "--threads", str(10**5)], ["threads = 100000"]),
        (["solve", "blenet-mnist", "--method", "cp-sat", "--threads", str(10**5)], ["threads = 100000"]),
        (["frontier", "blenet-mnist", "--horizon", "-1"], ["horizon_s = -1.0", "positive"]),
        (["frontier", "blenet-mnist", "--horizon", "0"], ["horizon_s = 0.0", "positive"]),
        (["frontier", "blenet-mnist", "--horizon", "nan"], ["horizon_s = nan", "positive"]),
        (["frontier", "blenet-mnist", "--horizon", "inf"], ["horizon_s = inf", "finite"]),
        (["frontier", "blenet-mnist", "--gamma", str(10**13)], ["gamma = 10000000000000", "GiB of memory"]),
        (["frontier", "blenet-mnist", "--gamma", str(10**30)], ["gamma = 1", "GiB of memory"]),
        (["evaluate", "blenet-mnist", "nowhere.json"], ["nowhere.json", "cannot be read"]),
        (["compare", "blenet-mnist", "--methods", "fin,magic"], ["method 'magic'"]),
        (["compare", "blenet-mnist", "--gamma", "10,x"], ["--gamma", "'x'"]),
        (["compare", "blenet-mnist", "--max-latency", "1,x"], ["--max-latency", "'x'", "number"]),
        (["compare", "blenet-mnist", "--accounting", "weekly"], ["command line", "accounting", "weekly"]),
        (["compare", "blenet-mnist", "--gamma", "10,0"], ["gamma = 0"]),
        (["compare", "blenet-mnist", "nowhere.json"], ["nowhere.json"]),
        (["run", "nowhere.toml"], ["nowhere.toml", "shipped campaigns"]),
        (
            ["generate", "mystery", "--nodes", "3", "--blocks", "3", "--exits", "1", "-o", "x.json"],
            ["family = 'mystery'", "campus"],
        ),
        (
            ["generate", "tiered", "--nodes", "3", "--exits", "1", "-o", "x.json"],
            ["family 'tiered'", "--blocks: required"],
        ),
        (["generate", "campus", "--nodes", "3", "-o", "x.json"], ["family 'campus'", "--applications: required"]),
        (
            ["generate", "campus", "--nodes", "9", "--applications", "3", "--exits", "1", "-o", "x.json"],
            ["family 'campus'", "--exits: not an option of this family, which takes --nodes, --applications, --load"],
        ),
        (
            ["generate", "tiered", "--nodes", "9", "--blocks", "3", "--exits", "1", "--load", "1", "-o", "x.json"],
            ["family 'tiered'", "--load: not an option of this family, which takes --nodes, --blocks, --exits"],
        ),
        (
            ["generate", "campus", "--nodes", "9", "--applications", "3", "--shares", "0.1;1", "-o", "x.json"],
            ["--shares", "'0.1;1'"],
        ),
        (
            ["generate", "campus", "--nodes", "9", "--applications", "3", "--load", "-1", "-o", "x.json"],
            ["family 'campus'", "load = -1.0: must be greater than 0"],
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finbench.benchmarks.families, "FAMILIES", {"tiered": None}, raising=False)
    monkeypatch.setattr(finbench.benchmarks.families, "generate", None, raising=False)
    line = refused(called(*arguments))
    assert [part for part in named if part not in line] == [], line


@pytest.mark.parametrize(
    "arguments",
    [
        ["solve"],
        ["solve", "blenet-mnist", "--colour", "red"],
        ["solve", "blenet-mnist", "--gamma", "many"],
        ["solve", "blenet-mnist", "--accounting", "weekly"],
        ["solve", "blenet-mnist", "--time-limit", "-1"],
        ["generate", "tiered", "--nodes", "0", "--blocks", "1", "--exits", "1", "-o", "x"],
        ["fly"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    result = called(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr


def test_generate_writes_what_the_family_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []

    def generate(family: str, **sizes: Any) -> Instance:
        made.append({"family": family, **sizes})
        if sizes["exits"] > sizes["blocks"]:
            raise ValueError("exits = 9: must be at most blocks")
        return random_instance(3)

    monkeypatch.setattr(finbench.benchmarks.families, "FAMILIES", {"tiered": None}, raising=False)
    monkeypatch.setattr(finbench.benchmarks.families, "generate", generate, raising=False)
    path = tmp_path / "made.json"
    sizes = ("--nodes", "9", "--blocks", "4", "--seed", "7", "-o", path)
    assert called("generate", "tiered", *sizes, "--exits", "2", "--tightness", "0.3").exit_code == 0
    assert load_instance(path) == random_instance(3)
    assert made[0] == {"family": "tiered", "nodes": 9, "blocks": 4, "exits": 2, "seed": 7, "tightness": 0.3}
    assert "exits = 9: must be at most blocks" in refused(called("generate", "tiered", *sizes, "--exits", "9"))


def test_methods_instances_and_schema_list_everything() -> None:
    methods, instances = called("methods").stdout, called("instances").stdout
    assert all(name in methods for name in METHODS)
    assert all(name in instances for name in (*shipped("instances"), *shipped("devices")))
    assert "gamma=100" in methods
    assert set(json.loads(called("schema").stdout)["properties"]) == set(Instance.model_fields)


def test_families_and_campaigns_are_listed_with_a_line_each() -> None:
    listed, taught = called("families").stdout, called("generate", "--help").stdout
    titles = {family.name: family.title for family in FAMILIES.values()}
    titles |= {family.name: family.title for family in SHARED_FAMILIES.values()}
    for name, title in titles.items():
        assert f"{name}\t" in listed
        assert title in listed
        assert f"{name}: {title[:30]}" in taught
    campaigns = called("campaigns").stdout
    for name in shipped("campaigns"):
        assert f"{name}\tfinbench run {name}\t" in campaigns
    for name in shipped("ladders"):
        assert f"{name}\tfinbench scale {name}\t" in campaigns


def test_lists_solvers_with_the_command_that_installs_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    lines = called("methods").stdout.splitlines()
    row = {name: next(line for line in lines if line.split()[:1] == [name]) for name in SOLVERS}
    assert metadata.version("highspy") in row["highs"]
    assert "\tno\t" in row["cbc"]
    assert all(solver.install in row[name] for name, solver in SOLVERS.items())


def test_a_solver_that_is_not_there_is_unsupported_and_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    result = called("solve", "balexnet-cifar10", "--method", "milp-flow", "--solver", "cbc", "--json")
    shown = json.loads(result.stdout)
    assert result.exit_code == 4
    assert (shown["status"], shown["options"]["solver"]) == ("unsupported", "cbc")
    assert "apt-get install coinor-cbc" in shown["reason"]


def test_an_unknown_solver_is_bad_input() -> None:
    message = refused(called("solve", "balexnet-cifar10", "--method", "milp-flow", "--solver", "magic"))
    assert "solver" in message
    assert "highs" in message


@pytest.mark.parametrize("method", ["milp-flow", "milp-assignment"])
@pytest.mark.parametrize("file_format", ["mps", "lp"])
@pytest.mark.parametrize("plain", [[], ["--plain"]])
def test_export_reads_back_to_the_optimum(method: str, file_format: str, plain: list[str], tmp_path: Path) -> None:
    path = tmp_path / f"model.{file_format}"
    given = ("--method", method, "--format", file_format, "-o", str(path), *plain)
    assert called("export", "balexnet-cifar10", *given).exit_code == 0
    unit = float(re.findall(r"an objective of 1 is (\S+) J", path.read_text())[0])
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    assert unit * highs.getObjectiveValue() == pytest.approx(OPTIMUM_J, rel=1e-9)
    assert "eq8_latency(balexnet_cifar10)" in path.read_text()


def test_export_of_what_has_no_program_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "model.mps"
    assert "--plain" in refused(called("export", "balexnet-cifar10", "--max-latency", "1e-9", "-o", path))
    assert not path.exists()


def test_the_version_is_that_of_the_installation() -> None:
    result = called("--version")
    assert (result.exit_code, result.stdout) == (0, f"finbench {metadata.version('finbench')}\n")


def test_every_command_stands_under_a_heading_and_help_fits_80_columns() -> None:
    groups: list[str] = [name.split()[0] for name in every_command() if " " in name]
    for name in ("", *groups, *every_command()):
        shown = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": "80"}).stdout
        assert max(map(len, shown.splitlines())) <= 80, name
        assert name in groups or "Commands ─" not in shown, "every command names its panel"


@pytest.mark.parametrize(
    ("old", "present"),
    [
        (
            ["solve", "blenet-mnist", "--max-latency-s=1", "--time-limit-s", "9"],
            ["--max-latency=1", "--time-limit", "9"],
        ),
        (["solve", "blenet-mnist", "--lambda", "3"], ["--band", "3"]),
        (["frontier", "blenet-mnist", "--horizon-s", "1"], ["--horizon", "1"]),
        (["run", "smoke", "--dry-run", "--time-limit-s", "9"], ["--time-limit", "9"]),
        (["run", "smoke", "--dry-run", "--memory-limit-gib", "9"], ["--memory-limit", "9"]),
    ],
)
def test_old_names_of_options_are_understood_and_not_shown(old: list[str], present: list[str]) -> None:
    given = [*old[: len(old) - len(present)], *present]
    times = re.compile(r"time: .*")
    assert times.sub("", called(*old).stdout) == times.sub("", called(*given).stdout)
    shown = called(old[0], "--help").stdout
    assert present[0].split("=")[0] in shown
    assert not re.search(r"--(max-latency-s|time-limit-s|lambda|horizon-s|memory-limit-gib)\b", shown)


def test_labels_name_the_solver_where_several_are_compared() -> None:
    several = ["milp-flow", "milp-flow solver=scip"]
    given = [word for each in several for word in ("--method", each)]
    result = called("compare", "blenet-mnist", *given)
    assert [line.split("\t")[0] for line in result.stdout.splitlines() if line.startswith("milp")] == [
        "milp-flow (solver=highs)", "milp-flow (solver=scip)",
    ]  # fmt: skip
    assert "\nmilp-flow\t" in called("compare", "blenet-mnist", "--methods", "milp-flow").stdout


@pytest.mark.parametrize(
    ("methods", "latency", "code"),
    [
        ("label-setting,mcp", "0.003,1e-9", FOUND),
        ("label-setting,fin", "1e-9", INFEASIBLE),
        ("single-node", "1e-9", NOTHING_FOUND),
    ],
)
def test_compare_succeeds_where_a_deployment_is_found(methods: str, latency: str, code: int) -> None:
    given = ("--methods", methods, "--gamma", "10", "--max-latency", latency)
    assert called("compare", "balexnet-cifar10", *given).exit_code == code


def test_compare_over_a_grid_tells_its_tables_apart() -> None:
    given = ("--methods", "label-setting", "--max-latency", "0.004, 0.006", "--accounting", "expected,full_depth")
    titles = [line for line in called("compare", "balexnet-cifar10", *given).stdout.splitlines() if line[:2] == "# "]
    assert len(set(titles)) == 4
    shown = json.loads(called("compare", "balexnet-cifar10", *given, "--json").stdout)
    points = [(one["targets"][0]["max_latency_s"], one["accounting"]) for one in shown]
    assert points == [(time, kind) for time in (0.004, 0.006) for kind in ("expected", "full_depth")]
    energies = [one["runs"][0]["energy_j"] for one in shown]
    for (time, kind), energy in zip(points, energies, strict=True):
        given = ("--method", "label-setting", "--max-latency", str(time), "--accounting", kind)
        assert json.loads(called("solve", "balexnet-cifar10", *given, "--json").stdout)["energy_j"] == energy


def test_compare_as_json_tells_instances_of_one_name_apart() -> None:
    shown = json.loads(called("compare", "blenet-mnist", "--methods", "mcp", "--max-latency", "0.5", "--json").stdout)
    assert shown[0]["targets"] == [{"application": "blenet-mnist", "max_latency_s": 0.5, "min_accuracy": 0.95}]


@pytest.mark.parametrize(
    "command", ["solve", "export", "evaluate", "compare", "generate", "run", "claims", "methods", "instances", "schema"]
)
def test_help_teaches_by_example(command: str) -> None:
    result = called(command, "--help")
    assert result.exit_code == 0
    assert f"Example: finbench {command}" in result.stdout


def test_an_unexpected_failure_is_a_short_line_and_exit_code_1(
    add_method: AddMethod, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def solve(instance: Instance, options: Any, **given: Any) -> Any:
        raise ZeroDivisionError("inside")

    add_method("clumsy", solve)
    arguments = ["finbench", "solve", "blenet-mnist", "--method", "clumsy"]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setenv("FINBENCH_DEBUG", "")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == ("finbench: unexpected ZeroDivisionError: inside (--debug shows the traceback)\n")
    monkeypatch.setattr(sys, "argv", [arguments[0], "--debug", *arguments[1:]])
    with pytest.raises(ZeroDivisionError):
        main()


def test_exact_and_heuristic_agree_in_a_process_of_their_own() -> None:
    run = process("compare", "blenet-mnist", "--methods", "milp-flow,fin", "--gamma", "1000", "--json")
    exact, fin = json.loads(run.stdout)[0]["runs"]
    assert (run.returncode, run.stderr) == (0, "")
    assert exact["status"] == "optimal"
    assert fin["energy_j"] == pytest.approx(exact["energy_j"], rel=1e-6)


def test_bad_input_ends_a_process_with_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(SOUND | {"name": ""}))
    run = process("solve", path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"finbench: {path}: name = ''")


@pytest.mark.parametrize("group", GROUPS)
def test_every_module_has_the_commands_that_it_is_said_to_have(group: str) -> None:
    made: Any = typer.main.get_command(program([group]))
    assert tuple(made.commands) == GROUPS[group]


def test_a_command_is_run_without_the_modules_of_others() -> None:
    known: Any = typer.main.get_command(program_for(["solve", "x"]))
    assert set(known.commands) == set(GROUPS["solving"])
    for args in ([], ["slove"], ["--help"], ["--plugin", "file.py", "solve"]):
        whole: Any = typer.main.get_command(program_for(args))
        assert set(whole.commands) == {name for names in GROUPS.values() for name in names}
