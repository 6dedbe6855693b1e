"""The text of a campaign's file is kept with its results, as it is."""

from __future__ import annotations

from pathlib import Path

from finbench.benchmarks.campaigns.campaign import load_campaign
from finbench.benchmarks.campaigns.campaign_file import kept_text
from finbench.benchmarks.campaigns.conditions import Conditions
from finbench.benchmarks.campaigns.ladder import load_ladder_campaign

TEXT = """# as typed
name = "c"
time_limit_s = 5
methods = [{ name = "mcp" }]
[[families]]
group = "g"
family = "tiered"
nodes = [5]
blocks = [4]
exits = [2]
seeds = [1]
"""


def test_the_text_is_kept_as_typed_whatever_the_command_line_changes(tmp_path: Path) -> None:
    file = tmp_path / "some.toml"
    file.write_text(TEXT)
    assert kept_text(tmp_path) is None
    load_campaign(str(file)).under(Conditions(time_limit_s=1.0)).keep_in(tmp_path)
    assert kept_text(tmp_path) == TEXT
    load_ladder_campaign(str(file)).keep_in(tmp_path)
    assert kept_text(tmp_path) == TEXT


def test_a_later_file_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "campaign.json").write_text("{}")
    file = tmp_path / "some.toml"
    file.write_text(TEXT)
    load_campaign(str(file)).keep_in(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["campaign.toml", "some.toml"]


def test_a_campaign_without_a_file_keeps_nothing(tmp_path: Path) -> None:
    campaign = load_campaign("smoke")
    type(campaign)(**{name: getattr(campaign, name) for name in type(campaign).model_fields}).keep_in(tmp_path)
    assert list(tmp_path.iterdir()) == []
