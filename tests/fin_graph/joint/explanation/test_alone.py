"""One application whose capacities bind, or that has alternatives: what is told of upgrades and targets is exact."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from finbench.fin_graph import label_setting
from finbench.fin_graph.joint.explanation.explain import Explanation, explain
from finbench.fin_graph.joint.explanation.upgrades import FACTORS, Saving
from finbench.fin_graph.paths.support import may_bind
from finbench.models.evaluate import evaluate
from finbench.models.instance import Instance
from tests.few_and_many import few_and_many
from tests.fin_graph.joint.explanation.test_upgrades import assert_exact, changed, least
from tests.loaded_instances import loaded_instance


def with_alternative(instance: Instance, seed: int) -> Instance:
    """The instance with a second DNN for the same task: other sizes, other accuracies."""
    rng, document = np.random.default_rng([seed, 9]), instance.model_dump(mode="json")
    other = {**document["dnns"][0], "name": "other"}
    other["blocks"] = [
        {**block, "ops": block["ops"] * rng.uniform(0.3, 2), "parameter_bytes": round(block["parameter_bytes"] * 1.5)}
        for block in other["blocks"]
    ]
    other["exits"] = [{**exit_, "accuracy": 0.98 * exit_["accuracy"]} for exit_ in other["exits"]]
    document["dnns"].append(other)
    app = document["applications"][0]
    document["applications"][0] = {**{k: v for k, v in app.items() if k != "dnn"}, "dnns": [app["dnn"], "other"]}
    return Instance.model_validate(document)


def drawn(seed: int) -> Instance:
    """A loaded instance in some haste, every other one with an alternative, every third for a late exit."""
    instance = loaded_instance(seed, max_nodes=3, max_blocks=4)
    if seed % 3 == 0:
        instance = instance.with_overrides(min_accuracy=instance.dnns[0].exits[-1].accuracy)
    instance = with_alternative(instance, seed) if seed % 2 else instance
    found = label_setting.solve(instance).deployment
    if found is None:
        return instance
    (metrics,) = evaluate(instance, found).applications
    return instance.with_overrides(max_latency_s=metrics.latency_s * np.random.default_rng(seed).uniform(0.6, 1))


@pytest.fixture(scope="module", params=few_and_many(range(4), 1))
def explained(request: pytest.FixtureRequest) -> list[tuple[int, Instance, Explanation]]:
    seeds = range(25 * request.param, 25 * (request.param + 1))
    drawn_ones = [(seed, drawn(seed)) for seed in seeds]
    found = [(seed, instance, explain(instance)) for seed, instance in drawn_ones if may_bind(instance) or seed % 2]
    return [one for one in found if one[2].fits]


def test_savings_by_faster_parts_are_those_of_a_fresh_solve(explained: list[tuple[int, Instance, Explanation]]) -> None:
    seen: Counter[bool] = Counter()
    for seed, instance, explanation in explained:
        network, before = instance.network, least(instance, 1)
        assert explanation.result.claimed_objective == pytest.approx(before, rel=1e-6)
        assert len(explanation.upgrades.ranked) == len(network.nodes) + len(network.links)
        for upgrade in explanation.upgrades.ranked:
            assert tuple(saving.factor for saving in upgrade.savings) == FACTORS
            for saving in upgrade.savings:
                after = least(changed(instance, {upgrade.subject: saving.factor}), 1)
                assert_exact(saving, before, after, (seed, upgrade.subject))
                seen[saving.saving > 0] += 1
    assert min(seen[True], seen[False]) >= 3, seen


def test_savings_by_looser_targets_are_those_of_a_fresh_solve(
    explained: list[tuple[int, Instance, Explanation]],
) -> None:
    seen: Counter[str] = Counter()
    for seed, instance, explanation in explained:
        (app,), before = instance.applications, least(instance, 1)
        assert explanation.relief is not None
        for saving in explanation.relief.latency:
            looser = instance.with_overrides(max_latency_s=app.max_latency_s * saving.factor)
            assert_exact(saving, before, least(looser, 1), (seed, "latency"))
            seen["latency"] += saving.saving > 0
        for step in explanation.relief.exits:
            lower = instance.with_overrides(min_accuracy=step.min_accuracy)
            assert_exact(Saving(1.0, step.saving, step.at_most), before, least(lower, 1), (seed, "accuracy"))
            assert (step.dnn is not None) is bool(app.dnns)
            seen["exit"] += step.saving > 0
    assert min(seen["latency"], seen["exit"]) >= 1, seen
