"""Instances of the library in campaigns: by name, by tier, over a grid, and in rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.campaigns.campaign import load_campaign, problems
from finbench.benchmarks.campaigns.origins import LibraryMember
from finbench.benchmarks.campaigns.overrides import Overrides
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.execution.plan import count_runs
from finbench.benchmarks.library.entry import LibraryTier
from finbench.benchmarks.library.library import shipped_library
from finbench.benchmarks.methods import METHODS
from finbench.models.io import InputError

LIBRARY = shipped_library()


def campaign(folder: Path, names: str, more: str = "") -> Path:
    file = folder / "mine.toml"
    entry = f'[[instances]]\ngroup = "g"\ninstances = [{names}]\n{more}'
    file.write_text(f'name = "mine"\ntime_limit_s = 5.0\n[[methods]]\nname = "fin"\n{entry}')
    return file


def test_a_tier_stands_for_its_instances(tmp_path: Path) -> None:
    asked = load_campaign(
        str(campaign(tmp_path, '"library:tiny", "library:campus-n30-a40-u120-p5-s1", "blenet-mnist"'))
    )
    found = [problem.origin for problem in problems(asked)]
    tiny = [entry.name for entry in LIBRARY.chosen(tier=LibraryTier.TINY)]
    assert [origin.name for origin in found] == [*tiny, "campus-n30-a40-u120-p5-s1", "blenet-mnist"]
    assert asked.entries[0].size == len(found)


def test_targets_may_be_changed(tmp_path: Path) -> None:
    asked = load_campaign(str(campaign(tmp_path, '"library:blenet-mnist-own"', "max_latency_s = [1e-5, 3e-5]")))
    built = [problem.origin.build() for problem in problems(asked)]
    assert [instance.applications[0].max_latency_s for instance in built] == [1e-5, 3e-5]


def test_an_unknown_name_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such instance, and no such tier"):
        load_campaign(str(campaign(tmp_path, '"library:nowhere"')))


def test_rows_say_which_family_made_the_instance() -> None:
    entry = next(entry for entry in LIBRARY.entries.values() if entry.family == "tiered")
    columns = LibraryMember(entry.name, Overrides()).columns()
    assert columns["family"] == "tiered"
    assert columns["instance_seed"] == entry.seed
    assert LibraryMember("blenet-mnist-own", Overrides()).columns() == {}


def test_the_shipped_campaign_asks_every_method_about_every_instance() -> None:
    asked = load_campaign("library")
    found = list(problems(asked))
    assert [problem.origin.name for problem in found] == list(LIBRARY.entries)
    assert {name for name, _ in found[0].methods} == METHODS.keys() - {"exhaustive"}
    assert count_runs(asked) == len(found) * len(found[0].methods)


def test_a_campaign_over_the_library_runs(tmp_path: Path) -> None:
    file = campaign(tmp_path, '"library:blenet-mnist-own"')
    came = CliRunner().invoke(app, ["run", str(file), "--dry-run", "-o", str(tmp_path)])
    assert came.exit_code == 0, came.output
    assert "fin" in came.stdout
