"""Links of tiered networks: the default draws today's instances, typical ones make transfers count."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import pytest
from typer.testing import CliRunner

from finbench.benchmarks.analysis.transfers import parts_of, transfer_share
from finbench.benchmarks.campaigns.campaign import load_campaign, problems
from finbench.benchmarks.cli.app import app
from finbench.benchmarks.families import FAMILIES, generate
from finbench.benchmarks.families.tiered_links import BACKHAUL, FAST, LINK_CHOICES, RADIO, TYPICAL
from finbench.fin_graph.label_setting import solve
from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.shortest import least_energy_path, least_latency_path
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.result import Status

FIRST_HASHES = {
    ("tiered", 25, 6, 1, 0.5): "fd2edbdbdf3d547704ff39a9b4cfd09679b3a672c2a5029f04908065922b0a0d",
    ("tiered", 3, 8, 2, 0.5): "ff200d63525b01a8c26e540b693667d85a02b6cf8901dedcd5c2745ee0426867",
    ("tiered", 48, 8, 1, 0.2): "f5d0bc74740c1076afdacd45261895055071c9ca198e88fb8ce507929ae20caa",
    ("deep", 8, 50, 1, 0.5): "e3e1762e0eb807c664ee9b3ad466a0e508ba2245b25b7e9129ada2d97097180c",
}
"""Contents of instances drawn before there was a choice of links."""


def typical(seed: int, nodes: int = 24, **sizes: int) -> Instance:
    given: dict[str, Any] = {"blocks": 8, "exits": 3, **sizes}
    return generate("tiered", nodes=nodes, **given, seed=seed, links=TYPICAL)


@pytest.mark.parametrize("sizes", FIRST_HASHES)
@pytest.mark.parametrize("links", [None, FAST])
def test_without_a_choice_the_instances_are_those_of_before(
    sizes: tuple[str, int, int, int, float], links: str | None
) -> None:
    family, nodes, blocks, seed, tightness = sizes
    made = generate(family, nodes=nodes, blocks=blocks, exits=3, seed=seed, tightness=tightness, links=links)
    assert made.content_hash == FIRST_HASHES[sizes]
    assert "links" not in made.name + made.provenance


def test_typical_links_lie_within_their_media() -> None:
    instance = typical(1, nodes=60)
    tier = {node.name: node.tier for node in instance.network.nodes}
    for link in instance.network.links:
        medium = RADIO if tier[link.source] == "mobile" else BACKHAUL
        most = medium.most_bit_per_s * (1 + 1e-5)
        assert medium.least_bit_per_s * (1 - 1e-5) <= link.bandwidth_bit_per_s <= most
        assert link.delay_s >= medium.delay_s / 2
        power = link.tx_energy_j_per_bit * link.bandwidth_bit_per_s
        assert power <= 2 * medium.send_w * (1 + 1e-5), "a sender takes its medium's power"
    assert instance.name.endswith("-typical-s1")
    assert "--links typical (generation" in instance.provenance


def test_typical_instances_are_neither_trivial_nor_infeasible() -> None:
    for seed in range(8):
        instance = typical(seed, nodes=12)
        result, problem = solve(instance), path_problem(instance, instance.applications[0])
        assert problem is not None
        cheapest, quickest = least_energy_path(problem), least_latency_path(problem)
        assert result.status is Status.OPTIMAL
        assert cheapest is not None
        assert quickest is not None
        assert quickest.latency <= problem.max_latency_s < cheapest.latency
        assert result.claimed_objective is not None
        assert result.claimed_objective > cheapest.energy


def test_transfers_count_over_typical_links_and_hardly_over_fast_ones() -> None:
    shares = {}
    for links in LINK_CHOICES:
        made = [generate("tiered", nodes=24, blocks=8, exits=3, seed=seed, links=links) for seed in range(10)]
        found = [(instance, solve(instance).deployment) for instance in made]
        parts = [part for instance, deployment in found if deployment for part in parts_of(instance, deployment)]
        shares[links] = transfer_share(parts)
    assert shares[FAST].hardly_counts
    assert shares[FAST].most_latency < 0.05
    assert shares[TYPICAL].latency > 0.2
    assert min(share.moving for share in shares.values()) >= 5


def test_typical_optima_leave_the_device() -> None:
    used = []
    for seed in range(10):
        instance = typical(seed)
        deployment = solve(instance).deployment
        assert deployment is not None
        nodes = instance.network.node_by_name
        used.append({nodes[name].tier for name in deployment.deployments[0].placement})
    assert median(len(tiers) for tiers in used) >= 1.5
    assert sum(tiers != {"mobile"} for tiers in used) >= 5


@pytest.mark.parametrize(
    ("family", "links", "rule"),
    [
        ("tiered", "slow", "links = slow: must be one of fast, typical"),
        ("mesh", "fast", "links = fast: family 'mesh' has no choice"),
    ],
)
def test_a_choice_that_a_family_does_not_have_is_refused(family: str, links: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        generate(family, nodes=5, blocks=4, exits=2, seed=0, links=links)
    sizes = ["--nodes", "5", "--blocks", "4", "--exits", "2", "--links", links, "-o", "never.json"]
    refused = CliRunner().invoke(app, ["generate", family, *sizes])
    assert refused.exit_code == 2
    assert rule in refused.stderr


def test_the_titles_of_families_name_the_bandwidths_that_they_draw() -> None:
    assert "33.3 to 13,500 Gbit/s" in FAMILIES["tiered"].title
    assert "0.005 to 10 Gbit/s" in FAMILIES["tiered"].title


def test_the_command_says_what_the_links_of_its_instance_carry(tmp_path: Path) -> None:
    sizes = ["--nodes", "8", "--blocks", "4", "--exits", "2", "--links", "typical"]
    made = CliRunner().invoke(app, ["generate", "tiered", *sizes, "-o", str(tmp_path / "i.json")])
    assert made.exit_code == 0
    assert "links of " in made.stdout
    assert "Mbit/s to " in made.stdout
    assert "its source computes all" in " ".join(made.stdout.split())


CAMPAIGN = """
name = "c"
time_limit_s = 5
methods = [{ name = "mcp" }]
[[families]]
group = "g"
family = "FAMILY"
links = "LINKS"
nodes = [5]
blocks = [4]
exits = [2]
seeds = [1]
"""


def test_a_campaign_chooses_links_and_its_rows_say_so(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(CAMPAIGN.replace("FAMILY", "tiered").replace("LINKS", "typical"))
    (problem,) = problems(load_campaign(str(file)))
    assert problem.origin.build() == generate("tiered", nodes=5, blocks=4, exits=2, seed=1, links="typical")
    assert problem.origin.columns()["links"] == "typical"
    assert problem.origin.name == "tiered, 5 nodes, typical links, seed 1"


@pytest.mark.parametrize(("family", "links"), [("tiered", "slow"), ("dense", "typical")])
def test_a_campaign_with_a_choice_that_is_none_is_refused(tmp_path: Path, family: str, links: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(CAMPAIGN.replace("FAMILY", family).replace("LINKS", links))
    with pytest.raises(InputError, match=f"family '{family}': links = '{links}'"):
        load_campaign(str(file))
