"""Campaign files: what they expand to, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import finbench.benchmarks.families
from finbench.benchmarks.analysis.claims_of_grids import grid_points
from finbench.benchmarks.campaigns.campaign import Campaign, load_campaign, problems
from finbench.benchmarks.campaigns.conditions import Conditions
from finbench.benchmarks.campaigns.ladder import load_ladder_campaign
from finbench.benchmarks.campaigns.origins import Member, SharedMember, TargetPoint
from finbench.benchmarks.execution.plan import count_runs
from finbench.models.instance import Accounting, Instance
from finbench.models.io import InputError, shipped
from tests.random_instances import random_instance


@pytest.fixture(autouse=True)
def _made_up_family(monkeypatch: pytest.MonkeyPatch) -> None:
    def generate(family: str, *, seed: int, **sizes: Any) -> Instance:
        return random_instance(seed)

    monkeypatch.setattr(finbench.benchmarks.families, "generate", generate)


def load(tmp_path: Path, text: str) -> Campaign:
    path = tmp_path / "campaign.toml"
    path.write_text(f'name = "test"\ntime_limit_s = 1.0\n{text}')
    return load_campaign(str(path))


METHODS = """
[[methods]]
name = "fin"
options = { gamma = [10, 100], lambda_ = [1, 2], engine = "arrays" }
[[methods]]
name = "mcp"
"""
INSTANCES = """
[[instances]]
group = "grid"
instances = ["blenet-mnist", "balexnet-cifar10"]
max_latency_s = [0.001, 0.002]
min_accuracy = [0.5]
accounting = ["expected", "full_depth"]
"""
FAMILIES = """
[[families]]
group = "ladder"
family = "tiered"
nodes = [3, 6]
blocks = [4]
exits = [2]
seeds = [1, 2]
time_limit_s = 9.0
methods = [{ name = "label-setting" }]
"""
SHARED = """
[[shared_families]]
group = "campus"
family = "campus"
nodes = [4]
applications = [3]
load = [0.5, 1.2]
penalty = 5.0
shares = [0.5, 1.0]
seeds = [1, 2]
methods = [{ name = "milp-flow" }]
"""


@pytest.mark.parametrize("name", shipped("campaigns"))
def test_shipped_campaigns_are_sound_and_say_where_they_come_from(name: str) -> None:
    campaign = load_campaign(name)
    assert campaign.name == name
    assert campaign.provenance
    assert count_runs(campaign) > 10


def test_published_grids_are_those_of_the_scripts() -> None:
    grids = [entry for entry in load_campaign("published").instances if len(entry.max_latency_s) > 3]
    cifar10 = next(entry for entry in grids if "balexnet-cifar10" in entry.instances[0])
    assert cifar10.max_latency_s == pytest.approx([k / 1000 for k in range(3, 16)])
    assert cifar10.min_accuracy == pytest.approx([k / 100 for k in range(10, 90, 5)])
    assert len({name for entry in grids for name in entry.instances}) == 5
    assert all(set(entry.accounting) == set(Accounting) for entry in grids)


def test_definitions_expand_to_a_grid_and_quantiles_belong_to_their_kind(tmp_path: Path) -> None:
    lists = 'latency_kind = ["expected", "quantile"]\nlatency_quantile = [0.5, 1.0]\nobjective = ["energy", "carbon"]\n'
    entry = '\n[[instances]]\ngroup = "g"\ninstances = ["measured-camera"]\n'
    campaign = load(tmp_path, METHODS + entry + lists)
    built = [problem.origin.build() for problem in problems(campaign)]
    points = [(str(one.latency_kind), one.latency_quantile, str(one.objective)) for one in built]
    kinds = (("expected", None), ("quantile", 0.5), ("quantile", 1.0))
    assert points == [(*kind, objective) for kind in kinds for objective in ("energy", "carbon")]
    assert campaign.instances[0].size == len(built) == 6
    alone = load(tmp_path, METHODS + entry + "latency_quantile = [0.5]\n")
    assert [p.origin.build().latency_quantile for p in problems(alone)] == [0.5]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("latency_quantile = [0.0]", "latency_quantile[1] = 0.0: must be greater than 0"),
        ("latency_quantile = [1.5]", "latency_quantile[1] = 1.5: must be less than or equal to 1"),
        ('objective = ["fame"]', "objective[1] = 'fame': must be 'energy', 'carbon' or 'money'"),
        ('latency_kind = ["quantile"]', "latency_quantile = None: goes with latency_kind 'quantile'"),
    ],
)
def test_bad_definitions_are_refused_in_one_line(line: str, named: str, tmp_path: Path) -> None:
    entry = '\n[[instances]]\ngroup = "g"\ninstances = ["measured-camera"]\n'
    with pytest.raises(InputError) as caught:
        load(tmp_path, METHODS + entry + line + "\n")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_target_of_the_published_grids_is_within_reach() -> None:
    for problem in problems(load_campaign("published")):
        if isinstance(problem.origin, TargetPoint):
            instance = problem.origin.build()
            assert instance.applications[0].min_accuracy <= max(exit_.accuracy for exit_ in instance.dnns[0].exits)


def test_lists_of_options_expand_to_a_product(tmp_path: Path) -> None:
    problem = next(problems(load(tmp_path, METHODS + INSTANCES)))
    names = [name for name, _ in problem.methods]
    chosen = [(options["gamma"], options["band"], options["engine"]) for _, options in problem.methods[:-1]]
    assert names == ["fin"] * 4 + ["mcp"]
    assert chosen == [(10, 1, "arrays"), (10, 2, "arrays"), (100, 1, "arrays"), (100, 2, "arrays")]


def test_target_lists_expand_to_a_grid(tmp_path: Path) -> None:
    campaign = load(tmp_path, METHODS + INSTANCES)
    built = [problem.origin.build() for problem in problems(campaign)]
    assert count_runs(campaign) == 8 * 5
    assert [instance.name for instance in built] == ["blenet-mnist"] * 4 + ["balexnet-cifar10"] * 4
    assert len({instance.content_hash for instance in built}) == 8
    assert [instance.applications[0].max_latency_s for instance in built[:4]] == [0.001, 0.001, 0.002, 0.002]
    assert {instance.applications[0].min_accuracy for instance in built} == {0.5}
    assert [instance.accounting for instance in built[:2]] == [Accounting.EXPECTED, Accounting.FULL_DEPTH]


def test_without_target_lists_instances_keep_their_own(tmp_path: Path) -> None:
    text = METHODS + '[[instances]]\ngroup = "own"\ninstances = ["blenet-mnist"]'
    (problem,) = problems(load(tmp_path, text))
    assert problem.origin.build().applications[0].max_latency_s == 2e-5
    assert (problem.group, problem.time_limit_s) == ("own", 1.0)


def test_families_expand_to_every_size_and_seed(tmp_path: Path) -> None:
    found = list(problems(load(tmp_path, METHODS + FAMILIES)))
    sizes = [(3, 1), (3, 2), (6, 1), (6, 2)]
    assert [problem.origin for problem in found] == [Member("tiered", n, 4, 2, 0.5, seed) for n, seed in sizes]
    assert found[0].origin.build() == random_instance(1)
    assert found[0].origin.columns()["instance_seed"] == 1
    assert [name for name, _ in found[0].methods] == ["label-setting"]
    assert found[0].time_limit_s == 9.0


def test_shared_families_expand_to_every_size_load_and_seed(tmp_path: Path) -> None:
    found = list(problems(load(tmp_path, METHODS + SHARED)))
    origins = [problem.origin for problem in found]
    expected = [
        SharedMember("campus", 4, 3, fill, seed, penalty=5.0, shares=(0.5, 1.0))
        for fill in (0.5, 1.2)
        for seed in (1, 2)
    ]
    assert origins == expected
    built = origins[0].build()
    assert built.name == "campus-n4-a3-u0.5-p5.0-r0.5,1-s1"
    assert {key: origins[2].columns()[key] for key in ("load", "applications", "penalty", "instance_seed")} == {
        "load": 1.2,
        "applications": 3,
        "penalty": 5.0,
        "instance_seed": 1,
    }
    assert [name for name, _ in found[0].methods] == ["milp-flow"]


def conditions(campaign: Campaign) -> list[tuple[Any, ...]]:
    """Limits, repetitions and warm-up of every problem."""
    words = ("time_limit_s", "memory_limit_gib", "repetitions", "warm_up")
    return [tuple(getattr(problem, word) for word in words) for problem in problems(campaign)]


def test_conditions_are_the_entrys_else_the_campaigns_else_none(tmp_path: Path) -> None:
    own = '[[instances]]\ngroup = "own"\ninstances = ["blenet-mnist"]\nrepetitions = 5\nwarm_up = true\n'
    campaign = load(tmp_path, "memory_limit_gib = 2.0\nwarm_up = false\n" + METHODS + own + FAMILIES)
    assert conditions(campaign) == [(1.0, 2.0, 5, True), *[(9.0, 2.0, 1, False)] * 4]
    assert conditions(load(tmp_path, METHODS + own)) == [(1.0, None, 5, True)]
    assert count_runs(campaign) == 5 * 5 + 4


def test_the_command_line_wins_over_campaign_and_entries(tmp_path: Path) -> None:
    own = '[[instances]]\ngroup = "own"\ninstances = ["blenet-mnist"]\nrepetitions = 5\n'
    campaign = load(tmp_path, METHODS + own + FAMILIES)
    words = Conditions(time_limit_s=3.0, repetitions=2, warm_up=False)
    assert conditions(campaign.under(words)) == [(3.0, None, 2, False)] * 5
    assert conditions(campaign.under(Conditions())) == conditions(campaign)


def test_threads_reach_the_methods_that_have_them_and_do_not_say(tmp_path: Path) -> None:
    text = (
        'threads = 2\n[[methods]]\nname = "milp-flow"\n[[methods]]\nname = "milp-assignment"\n'
        'options = { threads = [1, 4] }\n[[methods]]\nname = "larac"\n'
        '[[instances]]\ngroup = "own"\ninstances = ["blenet-mnist"]'
    )
    campaign = load(tmp_path, text)
    for chosen, expected in ((campaign, [2, 1, 4, None]), (campaign.under(Conditions(threads=3)), [3, 1, 4, None])):
        (problem,) = problems(chosen)
        assert [options.get("threads") for _, options in problem.methods] == expected


def test_paths_are_relative_to_the_campaigns_file(tmp_path: Path) -> None:
    from finbench.models.io import dump_instance, write_text

    write_text(tmp_path / "mine.json", dump_instance(random_instance(5)))
    text = METHODS + '[[instances]]\ngroup = "own"\ninstances = ["mine.json"]'
    (problem,) = problems(load(tmp_path, text))
    assert problem.origin.build() == random_instance(5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["instances", "families", "required"]),
        (INSTANCES, ["group 'grid'", "methods", "required"]),
        ("colour = 1\n" + METHODS + INSTANCES, ["colour = 1", "unknown field"]),
        ('[[methods]]\nname = "magic"' + INSTANCES, ["method 'magic'", "no such method"]),
        ('[[methods]]\nname = "mcp"\noptions = { gamma = 5 }' + INSTANCES, ["method 'mcp'", "gamma"]),
        ('[[methods]]\nname = "fin"\noptions = { gamma = [5, 0] }' + INSTANCES, ["method 'fin'", "gamma = 0"]),
        (METHODS + INSTANCES.replace("blenet", "blennet"), ["blennet-mnist", "did you mean"]),
        (METHODS + INSTANCES.replace("[0.5]", "[50.0]"), ["instance 1", "min_accuracy", "50.0"]),
        (METHODS + INSTANCES.replace("0.001", "-1.0"), ["instance 1", "max_latency_s", "-1.0"]),
        (METHODS + INSTANCES.replace("full_depth", "weekly"), ["accounting", "weekly"]),
        (METHODS + FAMILIES.replace("tiered", "mystery"), ["family = 'mystery'", "tiered"]),
        (METHODS + SHARED.replace('"campus"\nnodes', '"tiered"\nnodes'), ["family = 'tiered'", "campus"]),
        (METHODS + SHARED.replace("[0.5, 1.2]", "[0.0]"), ["load", "0.0"]),
        (METHODS + SHARED.replace("nodes =", "blocks = [3]\nnodes ="), ["blocks", "unknown field"]),
        (METHODS + FAMILIES.replace("[3, 6]", "[]"), ["nodes"]),
        (METHODS + FAMILIES.replace("[3, 6]", "[0]"), ["nodes", "0"]),
        (METHODS + FAMILIES.replace('family = "tiered"', ""), ["family", "missing"]),
        (METHODS + FAMILIES.replace("[1, 2]", "[-1]"), ["seeds", "-1"]),
        (METHODS + FAMILIES.replace("[3, 6]", "[3, 1000000000]"), ["family 'tiered'", "nodes = 1000000000", "at most"]),
        (METHODS + FAMILIES.replace("[1, 2]", "[18446744073709551616]"), ["seeds", "18446744073709551616"]),
        (
            METHODS + SHARED.replace("nodes = [4]", "nodes = [9999999]"),
            ["family 'campus'", "nodes = 9999999", "at most"],
        ),
        (
            METHODS + SHARED.replace("= [3]", "= [1000000000]"),
            ["family 'campus'", "applications = 1000000000", "at most"],
        ),
        ("repetitions = 0" + METHODS + INSTANCES, ["repetitions = 0"]),
        (
            "repetitions = 18446744073709551616" + METHODS + INSTANCES,
            ["repetitions = 18446744073709551616", "less than"],
        ),
        ("repetitions = 100000" + METHODS + INSTANCES, ["campaign 'test'", "runs: must be at most 1000000"]),
        ("threads = 100000" + METHODS + INSTANCES, ["threads = 100000", "less than or equal"]),
        ("seed = 18446744073709551616" + METHODS + INSTANCES, ["seed = 18446744073709551616", "less than"]),
        ("memory_limit_gib = 0.0" + METHODS + INSTANCES, ["memory_limit_gib = 0.0"]),
        (METHODS + FAMILIES.replace("time_limit_s = 9.0", "threads = 0"), ["threads = 0"]),
    ],
)
def test_a_broken_campaign_is_one_line(text: str, named: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    line = str(caught.value)
    assert "\n" not in line
    assert [part for part in ["campaign.toml", *named] if part not in line] == [], line


@pytest.mark.parametrize("special", ["fifo", "device"])
def test_only_regular_files_are_campaigns(special: str, tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    if special == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    for load_file in (load_campaign, load_ladder_campaign):
        with pytest.raises(InputError, match=r"campaign\.toml: is not a regular file"):
            load_file(str(path))


def test_too_many_runs_asked_for_on_the_command_line_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be at most 1000000"):
        load(tmp_path, METHODS + INSTANCES).under(Conditions(repetitions=100_000))


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b"])
def test_a_name_that_is_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(f'name = "{name}"\ntime_limit_s = 1.0\n{METHODS}{INSTANCES}')
    with pytest.raises(InputError, match="name = "):
        load_campaign(str(path))


def test_targets_for_several_applications_are_refused_before_anything_runs(tmp_path: Path) -> None:
    data = random_instance(5).model_dump(mode="json")
    app = data["applications"][0] | {"rate_per_s": 1e-3}
    data["applications"] = [app, app | {"name": "other"}]
    (tmp_path / "two.json").write_text(json.dumps(data))
    text = METHODS + '[[instances]]\ngroup = "two"\ninstances = ["two.json"]\n'
    assert count_runs(load(tmp_path, text)) == 5
    with pytest.raises(InputError, match="single application"):
        load(tmp_path, text + "min_accuracy = [0.5]")


def test_a_point_of_two_target_grids_counts_once(tmp_path: Path) -> None:
    twice = METHODS + INSTANCES + INSTANCES.replace('"grid"', '"again"').replace("[0.001, 0.002]", "[0.002, 0.003]")
    points = list(grid_points(load(tmp_path, twice)))
    assert len(points) == 3 * 4
    assert len({point.content_hash for point in points}) == 12
    assert len(list(grid_points(load_campaign("published")))) == 1660
