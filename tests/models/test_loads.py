"""Loads, utilisations and tiers on a system small enough to reckon by hand."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from finbench.models.deployment import ApplicationDeployment
from finbench.models.instance import Instance, Objective
from finbench.models.loads import Loads, Resource, Use, loads_of, tier_objective, uses
from finbench.models.step_costs import step_costs

DEVICE = {"name": "device", "tier": "mobile", "compute_ops_per_s": 100.0, "power_w": 2.0, "memory_bytes": 8.0}
EDGE = {"name": "edge", "tier": "edge", "compute_ops_per_s": 1000.0, "power_w": 50.0}


def link(source: str, target: str) -> dict[str, Any]:
    return {
        "source": source,
        "target": target,
        "bandwidth_bit_per_s": 40.0,
        "tx_energy_j_per_bit": 0.01,
        "rx_energy_j_per_bit": 0.03,
    }


def system(**edge: Any) -> Instance:
    """Two blocks of 10 and 20 operations; 0.75 of all samples leave after the first. Two users, 4/s and 2/s."""
    app = {"dnn": "dnn", "source": "device", "max_latency_s": 100.0, "min_accuracy": 0.0}
    return Instance.model_validate(
        {
            "name": "by hand",
            "network": {
                "name": "pair",
                "nodes": [DEVICE, EDGE | edge],
                "links": [link("device", "edge"), link("edge", "device")],
            },
            "dnns": [
                {
                    "name": "dnn",
                    "input_bits": 5.0,
                    "blocks": [
                        {"ops": 10.0, "output_bits": 8.0, "parameter_bytes": 3.0},
                        {"ops": 20.0, "output_bits": 1.0, "parameter_bytes": 4.0},
                    ],
                    "exits": [
                        {"after_block": 1, "exit_fraction": 0.75, "accuracy": 0.5},
                        {"after_block": 2, "exit_fraction": 0.25, "accuracy": 0.9},
                    ],
                }
            ],
            "applications": [app | {"name": "one", "rate_per_s": 4.0}, app | {"name": "two", "rate_per_s": 2.0}],
        }
    )


def served(instance: Instance, **shares: tuple[float, ...]) -> list[Any]:
    """`one` splits between device and edge, `two` goes there and back."""
    placements = {"one": ("device", "edge"), "two": ("edge", "device")}

    def decision(name: str) -> ApplicationDeployment:
        return ApplicationDeployment(application=name, last_exit=2, placement=placements[name], shares=shares.get(name))

    return [(app, list(step_costs(instance, app, decision(app.name)))) for app in instance.applications]


def test_loads_match_a_count_by_hand() -> None:
    instance = system()
    assert loads_of(served(instance)) == Loads(
        executions={"device": (4 * 10 + 2 * 0.25 * 20) / 100, "edge": (4 * 0.25 * 20 + 2 * 10) / 1000},
        memory_bytes={"device": 3 + 4, "edge": 4 + 3},
        bandwidth_bit_per_s={("device", "edge"): 4 * 0.25 * 8 + 2 * 5, ("edge", "device"): 2 * 0.25 * 8},
        reserved_share={},
    )


def test_reservations_count_where_a_node_reserves() -> None:
    instance = system(compute_shares=(0.25, 0.5))
    loads = loads_of(served(instance, one=(1.0, 0.25), two=(0.5, 1.0)))
    assert loads.reserved_share == {"edge": 0.75}
    assert loads.executions["edge"] == 40 / 1000


def test_nothing_served_loads_nothing() -> None:
    assert loads_of([]) == Loads()
    assert uses(system(), Loads()) == []
    assert tier_objective(Objective.ENERGY, []) == {}


def test_uses_are_listed_from_the_fullest() -> None:
    instance = system(compute_shares=(0.25, 0.5))
    found = uses(instance, loads_of(served(instance, one=(1.0, 0.25), two=(0.5, 1.0))))
    assert [(use.resource.value, use.subject, use.load, use.limit) for use in found] == [
        ("memory", "device", 7.0, 8.0),
        ("reservation", "edge", 0.75, 1.0),
        ("compute", "device", 0.5, 1.0),
        ("bandwidth", "device->edge", 18.0, 40.0),
        ("bandwidth", "edge->device", 4.0, 40.0),
        ("compute", "edge", 0.04, 1.0),
    ]


def test_using_a_resource_of_capacity_zero_is_infinite_utilisation() -> None:
    assert Use(Resource.MEMORY, "n", 1.0, 4.0).utilisation == 0.25
    assert Use(Resource.MEMORY, "n", 1.0, 0.0).utilisation == inf
    assert Use(Resource.MEMORY, "n", 0.0, 0.0).utilisation == 0


def test_power_by_tier_matches_a_count_by_hand() -> None:
    """Computing and receiving are spent at a node, sending from it."""
    instance = system()
    to_edge, to_device = 4 * 0.25 * 8 + 2 * 5, 2 * 0.25 * 8
    assert tier_objective(instance.objective, served(instance)) == pytest.approx(
        {
            "mobile": 50 * 2 / 100 + 0.01 * to_edge + 0.03 * to_device,
            "edge": 40 * 50 / 1000 + 0.03 * to_edge + 0.01 * to_device,
        },
        rel=1e-12,
    )
