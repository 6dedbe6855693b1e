"""The README's pictures are drawn from runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from finbench.benchmarks.campaigns.campaign import Campaign, load_campaign
from finbench.benchmarks.upkeep import readme_figures as figures

GRID = """
name = "grid"
time_limit_s = 5
[[instances]]
group = "small grid"
instances = ["blenet-mnist"]
max_latency_s = [16.5e-6, 20.5e-6]
methods = [{ name = "label-setting" }, { name = "fin", options = { gamma = [5, 10, 20, 50] } }]
"""


@pytest.mark.slow
def test_every_picture_of_the_readme_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(GRID)

    def small(_: str) -> Campaign:
        return load_campaign(str(file))

    monkeypatch.setattr(figures, "load_campaign", small)
    monkeypatch.setattr(figures, "SHARED_SIZE", 6)
    paths = figures.readme_figures(tmp_path / "figures")
    assert [path.name for path in paths] == [
        *("fin-graph.png", "gap-by-gamma.png", "wings.png", "frontier.png", "shared-system.png")
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
