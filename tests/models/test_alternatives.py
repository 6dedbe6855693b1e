"""Applications that name several DNNs for one task (eq. 29): files, evaluator, enumeration."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from finbench.models import exhaustive
from finbench.models.deployment import ApplicationDeployment, Deployment
from finbench.models.evaluate import ViolationKind, evaluate
from finbench.models.instance import Instance
from finbench.models.io import dump_deployment, dump_instance, load_deployment, load_instance
from finbench.models.nowhere import block_without_node
from finbench.models.result import Status
from finbench.models.tolerances import equal_energy
from finbench.models.verify.rows import evaluate_exactly
from tests.extended_instances import copied_alternatives, extended_instance, extended_shared_instance
from tests.few_and_many import few_and_many
from tests.models.bad_inputs import SHORT, SOUND
from tests.models.enumeration import least_objective


def document(names: list[str] | None = None, **app: Any) -> dict[str, Any]:
    """`SOUND`, whose application may also run `short`."""
    data = copy.deepcopy(SOUND)
    data["dnns"].append(copy.deepcopy(SHORT))
    del data["applications"][0]["dnn"]
    data["applications"][0] |= {"dnns": names or ["dnn", "short"], **app}
    return data


def decision(**fields: Any) -> Deployment:
    given = {"application": "app", "last_exit": 1, "placement": ("device",), **fields}
    return Deployment(deployments=(ApplicationDeployment(**given),))


def test_the_costs_and_the_accuracy_are_those_of_the_alternative_that_is_named() -> None:
    instance = Instance.model_validate(document())
    short = evaluate(instance, decision(dnn="short"))
    assert short.violations == ()
    assert short.objective == pytest.approx(5 * 2e6 / 1e9, rel=1e-12)
    assert short.applications[0].accuracy == 0.9
    (violation,) = evaluate(instance, decision(dnn="dnn")).violations
    assert violation.kind is ViolationKind.ACCURACY


@pytest.mark.parametrize("named", [None, "moon"])
def test_a_deployment_names_one_of_the_alternatives(named: str | None) -> None:
    instance = Instance.model_validate(document())
    judged = evaluate(instance, decision(dnn=named))
    (violation,) = judged.violations
    assert violation.kind is ViolationKind.ALTERNATIVE
    assert judged.objective is None
    assert "must be one of 'dnn', 'short'" in violation.message
    assert not evaluate_exactly(instance, decision(dnn=named)).feasible


def test_where_there_is_one_dnn_it_may_be_named_and_no_other() -> None:
    instance, both = Instance.model_validate(SOUND), {"last_exit": 2, "placement": ("device", "edge")}
    named, plain = (evaluate(instance, decision(dnn=dnn, **both)) for dnn in ("dnn", None))
    assert named == plain
    (violation,) = evaluate(instance, decision(dnn="short", **both)).violations
    assert violation.kind is ViolationKind.ALTERNATIVE


def test_files_keep_the_alternatives_and_the_chosen_one(tmp_path: Path) -> None:
    instance = Instance.model_validate(document())
    (tmp_path / "a.json").write_text(dump_instance(instance))
    assert load_instance(tmp_path / "a.json") == instance
    found = exhaustive.solve(instance).deployment
    assert found is not None
    (tmp_path / "d.json").write_text(dump_deployment(found))
    assert load_deployment(tmp_path / "d.json") == found
    assert found.deployments[0].dnn == "dnn"


def test_what_has_no_alternatives_is_written_as_before() -> None:
    instance = Instance.model_validate(SOUND)
    assert "dnns" not in json.loads(dump_instance(instance))["applications"][0]
    found = exhaustive.solve(instance).deployment
    assert found is not None
    assert "dnn" not in json.loads(dump_deployment(found))["deployments"][0]


def test_of_an_application_with_alternatives_one_must_be_chosen_first() -> None:
    instance = Instance.model_validate(document())
    (app,) = instance.applications
    with pytest.raises(ValueError, match="choose one"):
        instance.dnn_of(app)
    assert [instance.dnn_of(choice).name for choice in app.choices] == ["dnn", "short"]


def test_a_block_that_can_run_nowhere_is_one_in_every_alternative() -> None:
    somewhere = document(pinned={}, allowed={"1": ["edge"]})
    nowhere = copy.deepcopy(somewhere)
    nowhere["network"]["nodes"][1]["compute_ops_per_s"] = None
    reasons = [
        block_without_node(instance, instance.applications[0])
        for instance in map(Instance.model_validate, (somewhere, nowhere))
    ]
    assert reasons[0] is None
    assert reasons[1] is not None
    assert reasons[1].startswith("alternative 'dnn': block 1 can run at no node")


@pytest.mark.parametrize("seed", few_and_many(range(60), 12))
def test_enumeration_of_alternatives_is_that_which_knows_the_evaluator_alone(seed: int) -> None:
    instance = extended_instance(seed, alternatives=True)
    if max(len(dnn.blocks) for dnn in instance.dnns) > 3 or len(instance.network.nodes) > 3:
        return
    truth, result = least_objective(instance), exhaustive.solve(instance)
    assert (result.claimed_objective is None) == (truth is None)
    assert truth is None or equal_energy(truth, result.claimed_objective or 0.0)


@pytest.mark.parametrize("seed", few_and_many(range(100), 12))
def test_the_optimum_is_the_least_of_the_alternatives(seed: int) -> None:
    instance = extended_instance(seed, alternatives=True)
    (app,) = instance.applications
    alone = (instance.model_copy(update={"applications": (choice,)}) for choice in app.choices)
    found = [result.claimed_objective for result in map(exhaustive.solve, alone)]
    least = min((one for one in found if one is not None), default=None)
    assert exhaustive.solve(instance).claimed_objective == least


@pytest.mark.parametrize("seed", few_and_many(range(60), 8))
def test_alternatives_that_are_copies_change_nothing(seed: int) -> None:
    plain = (extended_shared_instance if seed % 2 else extended_instance)(seed)
    one, other = exhaustive.solve(plain), exhaustive.solve(copied_alternatives(plain))
    assert one.status is other.status
    assert one.claimed_objective == other.claimed_objective


@pytest.mark.slow
def test_alternatives_decide_in_a_good_part_of_the_instances() -> None:
    """Without them the optimum is another one, or there is none."""
    decided = 0
    for seed in range(30):
        for draw in (extended_instance, extended_shared_instance):
            with_them, plain = (exhaustive.solve(draw(seed, only="", alternatives=given)) for given in (True, False))
            one, other = with_them.claimed_objective, plain.claimed_objective
            decided += not (one is other or (one and other and equal_energy(one, other)))
            assert plain.status is not Status.OPTIMAL or (one is not None and other is not None and one <= other)
    assert decided >= 12
