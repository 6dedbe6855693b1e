"""What is said to be enough by itself is enough, a little less is not, and nothing else would be."""

from __future__ import annotations

import pytest

from finbench.fin_graph.joint.explanation.explain import Explanation, explain
from finbench.models.instance import Instance
from tests.fin_graph.joint.explanation.test_explain import crowded, feasible, grown, without_memory

VAST = 1e6


@pytest.fixture(scope="module")
def overloaded() -> list[tuple[int, Instance, Explanation]]:
    found = [(seed, crowded(seed), explain(crowded(seed), time_limit_s=20)) for seed in range(40, 70)]
    return [one for one in found if one[2].fix is not None]


def test_a_sole_growth_is_enough_and_a_little_less_is_not(overloaded: list[tuple[int, Instance, Explanation]]) -> None:
    single = together = 0
    for seed, instance, explanation in overloaded:
        assert explanation.sole_left_out == 0
        for sole in explanation.sole:
            for times, works in ((1 + 1e-4, True), (1 - 1e-3, False)):
                factors = {(n.resource, n.subject): 1 + times * n.missing / n.capacity for n in sole.needs}
                assert feasible(grown(instance, factors)) is works, (seed, sole, times)
            assert sole.growth.value == pytest.approx(sole.growth.lower_bound, rel=1e-6)
            assert sum(need.relative or 0.0 for need in sole.needs) == pytest.approx(sole.growth.value)
            single += len(sole.needs) == 1
            together += len(sole.needs) == 2
    assert single >= 3
    assert single + together >= 5


def test_nothing_else_would_do_by_growing_alone(overloaded: list[tuple[int, Instance, Explanation]]) -> None:
    seen = 0
    for seed, instance, explanation in overloaded:
        named = {(need.resource, need.subject) for sole in explanation.sole for need in sole.needs}
        network = instance.network
        subjects = [(kind, node.name) for node in network.nodes for kind in ("compute", "memory")]
        subjects += [("bandwidth", f"{link.source}->{link.target}") for link in network.links]
        for subject in subjects if any(len(sole.needs) == 1 for sole in explanation.sole) else ():
            if subject not in named:
                assert not feasible(grown(instance, {subject: VAST})), (seed, subject)
                seen += 1
        if not explanation.sole:
            for node in network.nodes:
                factors = {("compute", node.name): VAST, ("memory", node.name): VAST}
                assert not feasible(grown(instance, factors)), (seed, node.name)
                seen += 1
    assert seen >= 5


def test_a_memory_of_nothing_may_be_all_that_is_missing() -> None:
    named = 0
    for seed in range(20):
        explanation = explain(without_memory(seed), time_limit_s=10)
        for sole in explanation.sole:
            named += any(need.capacity == 0 and need.missing > 0 for need in sole.needs)
    assert named >= 3
