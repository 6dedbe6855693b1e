"""Families from real data, and parameters of families that a user sets."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import finbench as fb
from finbench.benchmarks.campaigns.campaign import (
    FamilyEntry,
    SharedFamilyEntry,
    check_families,
    load_campaign,
    problems,
)
from finbench.benchmarks.cli.instances import parameter_rows
from finbench.benchmarks.families import FAMILIES, SHARED_FAMILIES, generate, generate_shared
from finbench.benchmarks.families.family import SharedSize
from finbench.benchmarks.families.melbourne import draw_network, places, radio_bit_per_s
from finbench.models.catalogue import entries
from finbench.models.instance import Instance
from finbench.models.io import InputError


@pytest.mark.parametrize("family", ["zoo", "melbourne"])
def test_equal_parameters_give_equal_instances_and_others_give_others(family: str) -> None:
    def drawn(seed: int, load: float = 0.7) -> Instance:
        return fb.generate(family, nodes=30, applications=12, load=load, seed=seed)

    assert drawn(1) == drawn(1)
    assert drawn(1).content_hash != drawn(2).content_hash
    fuller = drawn(1, 0.3)
    assert fuller.network == drawn(1).network
    assert [a.rate_per_s for a in fuller.applications] != [a.rate_per_s for a in drawn(1).applications]


@pytest.mark.parametrize("family", ["zoo", "melbourne"])
def test_up_to_load_1_there_is_a_deployment_and_the_load_is_reached(family: str) -> None:
    from finbench.benchmarks.families.campus import fill
    from finbench.benchmarks.families.melbourne import draw_network as melbourne_network
    from finbench.benchmarks.families.zoo import TIGHTNESSES
    from finbench.benchmarks.families.zoo import draw_network as zoo_network

    rng, network_of = np.random.default_rng(3), {"zoo": zoo_network, "melbourne": melbourne_network}[family]
    instance, balanced = fill(rng, network_of(rng, 30), SharedSize(30, 15, 0.8), TIGHTNESSES)
    evaluation = fb.evaluate(instance, balanced)
    assert evaluation.feasible
    assert fb.check(instance) == ()


def test_not_every_application_of_melbourne_stays_on_its_device() -> None:
    instance = fb.generate("melbourne", nodes=20, applications=10, load=0.7, seed=1)
    solution = fb.solve(instance, "column-generation")
    assert solution.deployment is not None
    source = {app.name: app.source for app in instance.applications}
    assert any({*each.placement} - {source[each.application]} for each in solution.deployment.deployments)


def test_users_send_to_the_nearest_station_at_the_rate_of_their_distance() -> None:
    network = draw_network(np.random.default_rng(5), 60)
    assert len(places().stations) == 125
    assert len(places().users) == 816
    up = [link for link in network.links if not link.source.startswith("station")]
    assert len(up) == sum(node.tier == "mobile" for node in network.nodes)
    rates = [radio_bit_per_s(d) for d in (1, 10, 50, 100, 500, 2000)]
    assert rates[0] == rates[1]
    assert all(near > far for near, far in combinations(rates[1:], 2))
    assert all(rates[-1] < link.bandwidth_bit_per_s <= rates[0] for link in up)
    assert "MIT" in network.provenance


def test_a_zoo_is_a_backbone_of_the_catalogue_with_its_licence() -> None:
    instance = fb.generate("zoo", nodes=30, applications=5, seed=2)
    assert "CC BY 4.0" in instance.network.provenance
    with pytest.raises(InputError, match="nodes = 15: must be at least 20"):
        fb.generate("zoo", nodes=15, applications=5)


RANGE = "edge.compute_ops_per_s=1e11..5e11"


def rates(instance: Instance, tier: str) -> list[float]:
    return [node.compute_ops_per_s or 0.0 for node in instance.network.nodes if node.tier == tier]


def test_a_parameter_is_drawn_from_its_range_and_all_else_stays() -> None:
    sizes = {"nodes": 12, "blocks": 5, "exits": 2}
    plain = fb.generate("tiered", **sizes, seed=4)  # type: ignore[arg-type]
    changed = fb.generate("tiered", **sizes, seed=4, settings=RANGE)  # type: ignore[arg-type]
    assert all(1e11 <= rate <= 5e11 for rate in rates(changed, "edge"))
    assert rates(changed, "mobile") == rates(plain, "mobile")
    assert changed.network.links == plain.network.links
    assert changed.dnns == plain.dnns
    assert changed == fb.generate("tiered", **sizes, seed=4, settings=(RANGE,))  # type: ignore[arg-type]
    assert changed.name != plain.name
    assert f"--set {'edge.compute_ops_per_s=1e+11..5e+11'}" in changed.provenance


@pytest.mark.parametrize("family", SHARED_FAMILIES)
def test_shared_families_place_loads_for_the_network_as_it_was_set(family: str) -> None:
    setting = "mobile.bandwidth_bit_per_s=100 Mbit/s"
    instance = generate_shared(family, nodes=24, applications=8, seed=1, settings=(setting,))
    tiers = {node.name: node.tier for node in instance.network.nodes}
    up = {link.bandwidth_bit_per_s for link in instance.network.links if tiers[link.source] == "mobile"}
    assert up == {1e8}


@pytest.mark.parametrize("family", [*FAMILIES.values(), *SHARED_FAMILIES.values()], ids=lambda family: family.name)
def test_the_tiers_of_a_family_are_those_of_its_nodes(family: object) -> None:
    name: str = family.name  # type: ignore[attr-defined]
    if name in FAMILIES:
        instance = generate(name, nodes=12, blocks=max(4, FAMILIES[name].fewest_blocks), exits=2, seed=1)
    else:
        instance = generate_shared(name, nodes=24, applications=5, seed=1)
    tiers: tuple[str, ...] = family.tiers  # type: ignore[attr-defined]
    assert {node.tier for node in instance.network.nodes if node.tier} <= set(tiers)
    assert (name in {row[0] for row in parameter_rows()}) == bool(tiers)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("edge.colour=3", "no such parameter; tiers: mobile, edge, cloud"),
        ("moon.power_w=3", "no such parameter"),
        ("edge.power_w", "must be PARAMETER=VALUE"),
        ("edge.power_w=5..1", "must be greater than 0, the least before the most"),
        ("edge.power_w=0..1", "must be greater than 0"),
        ("edge.power_w=nan", "must be a number, or a number and a unit"),
        ("edge.power_w=5 J", "measures something else"),
        ("edge.power_w=inf", "must be a number, or a number and a unit"),
    ],
)
def test_what_is_no_setting_is_refused_in_one_line(text: str, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        fb.generate("tiered", nodes=6, blocks=4, exits=2, settings=text)
    entry = FamilyEntry(group="g", family="tiered", nodes=(6,), blocks=(4,), exits=(2,), seeds=(1,), set=(text,))
    with pytest.raises(InputError, match=rule):
        check_families([entry], [])


def test_a_campaign_sets_parameters_and_its_rows_say_so() -> None:
    one = FamilyEntry(group="g", family="tiered", nodes=(6,), blocks=(4,), exits=(2,), seeds=(1,), set=(RANGE,))
    many = SharedFamilyEntry(
        group="g", family="campus", nodes=(12,), applications=(5,), load=(0.5,), seeds=(1,), set=(RANGE,)
    )
    check_families([one], [many])
    for entry in (one, many):
        (origin,) = entry.origins()
        assert origin.columns()["settings"] == RANGE
        assert all(1e11 <= rate <= 5e11 for rate in rates(origin.build(), "edge"))
    plain = one.model_copy(update={"set": ()})
    assert "settings" not in next(plain.origins()).columns()


@pytest.mark.parametrize("family", SHARED_FAMILIES)
def test_a_tightness_moves_targets_and_nothing_else(family: str) -> None:
    def drawn(tightness: float | None) -> Instance:
        return fb.generate(family, nodes=24, applications=8, load=0.5, seed=3, tightness=tightness)

    plain, tight, loose = drawn(None), drawn(0.2), drawn(1.5)
    assert plain.network.links == tight.network.links == loose.network.links
    assert [a.dnn for a in plain.applications] == [a.dnn for a in tight.applications]
    assert [a.source for a in plain.applications] == [a.source for a in loose.applications]
    pairs = list(zip(tight.applications, loose.applications, strict=True))
    assert all(one.max_latency_s <= other.max_latency_s for one, other in pairs)
    assert any(one.max_latency_s < other.max_latency_s for one, other in pairs)
    assert tight.name.endswith("-t0.2-s3")
    assert "--tightness 0.2" in tight.provenance
    with pytest.raises(InputError, match=r"tightness = -1\.0: must be greater than 0"):
        drawn(-1.0)


@pytest.mark.parametrize("family", ["zoo", "melbourne"])
def test_the_dnns_may_be_those_of_the_catalogue(family: str) -> None:
    instance = fb.generate(family, nodes=24, applications=12, load=0.6, seed=4, dnns="catalogue")
    assert {dnn.name for dnn in instance.dnns} == set(entries("dnns"))
    assert len({app.dnn for app in instance.applications}) > 3
    assert instance.network.links == fb.generate(family, nodes=24, applications=12, load=0.6, seed=4).network.links
    assert fb.check(instance) == ()


@pytest.mark.parametrize("family", ["zoo", "melbourne"])
def test_up_to_load_1_there_is_a_deployment_of_the_catalogues_dnns(family: str) -> None:
    from finbench.benchmarks.families.campus import fill
    from finbench.benchmarks.families.melbourne import draw_network as melbourne_network
    from finbench.benchmarks.families.zoo import TIGHTNESSES
    from finbench.benchmarks.families.zoo import draw_network as zoo_network

    rng, network_of = np.random.default_rng(6), {"zoo": zoo_network, "melbourne": melbourne_network}[family]
    instance, balanced = fill(rng, network_of(rng, 30), SharedSize(30, 15, 0.9, dnns="catalogue"), TIGHTNESSES)
    assert fb.evaluate(instance, balanced).feasible


def test_a_choice_of_dnns_that_a_family_does_not_offer_is_refused() -> None:
    with pytest.raises(InputError, match="dnns = catalogue: must be published"):
        fb.generate("campus", nodes=12, applications=4, dnns="catalogue")
    with pytest.raises(InputError, match="dnns = own: must be published or catalogue"):
        fb.generate("zoo", nodes=24, applications=4, dnns="own")
    with pytest.raises(InputError, match="dnns = catalogue: this family takes blocks"):
        fb.generate("tiered", nodes=4, blocks=3, exits=2, dnns="catalogue")


CAMPAIGN = """
name = "own"
time_limit_s = 5
methods = [{{ name = "single-node" }}]
[[families]]
group = "one"
family = "tiered"
nodes = [6]
blocks = [4]
exits = [2]
seeds = [1]
set = ["{setting}"]
[[shared_families]]
group = "many"
family = "zoo"
nodes = [24]
applications = [4]
load = [0.5]
seeds = [1]
tightness = [0.5, 1.2]
dnns = "catalogue"
set = ["edge.power_w=5 W..20 W"]
"""


def test_a_campaign_file_sets_parameters_tightness_and_dnns(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(CAMPAIGN.format(setting=RANGE))
    one, *many = [problem.origin for problem in problems(load_campaign(str(file)))]
    assert all(1e11 <= rate <= 5e11 for rate in rates(one.build(), "edge"))
    assert one.columns()["settings"] == RANGE
    assert [origin.columns()["tightness"] for origin in many] == [0.5, 1.2]
    for origin in many:
        instance = origin.build()
        assert (origin.columns()["dnns"], instance.dnns[0].name) == ("catalogue", "alexnet")
        assert all(5 <= node.power_w <= 20 for node in instance.network.nodes if node.tier == "edge")
    file.write_text(CAMPAIGN.format(setting="edge.colour=3"))
    with pytest.raises(InputError, match=r"own.toml: .*edge.colour'?: no such parameter"):
        load_campaign(str(file))
    file.write_text(CAMPAIGN.format(setting=RANGE).replace('"catalogue"', '"own"'))
    with pytest.raises(InputError, match="family 'zoo': dnns = 'own': must be one of published, catalogue"):
        load_campaign(str(file))


@pytest.mark.slow
def test_rows_of_a_campaign_say_what_was_set(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(CAMPAIGN.format(setting=RANGE))
    rows = fb.run(file, tmp_path / "results").to_frame()
    assert set(rows["settings"]) == {RANGE, "edge.power_w=5 W..20 W"}
    assert set(rows["tightness"]) == {0.5, 1.2}
