"""Every recorded deployment judged again, so that a page shows nothing that the evaluator does not say now."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.judging.contradictions import contradictions
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.rows.decisions import as_deployment, recorded_decisions
from finbench.benchmarks.rows.row import Row
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, evaluate
from finbench.models.instance import Instance
from finbench.models.result import Result, Status
from finbench.models.tolerances import equal_energy


def judge_again(rows: Sequence[Row], instances: Mapping[str, Instance]) -> list[Judged | None]:
    """Evaluate the deployment of each row again.

    Parameters
    ----------
    rows : sequence of Row
    instances : mapping
        By content hash.

    Returns
    -------
    list of Judged or None
        One for each row; None where its instance, method or status is not known here.

    Raises
    ------
    InputError
        If a row's deployment breaks the format.
    """
    known: dict[tuple[str, str], tuple[Deployment, Evaluation]] = {}
    judged: list[Judged | None] = []
    for row in rows:
        instance = instances.get(row.get("content_hash") or "")
        if instance is None or row["method"] not in METHODS or row["status"] not in set(Status):
            judged.append(None)
            continue
        deployment, evaluation = _evaluated(row, instance, known)
        claimed, bound = row.get("claimed_objective"), row.get("lower_bound")
        result = Result(Status(row["status"]), deployment, claimed, bound, row.get("reason"))
        judged.append(Judged(instance, row["method"], row["options"], result, evaluation))
    return judged


def _evaluated(
    row: Row, instance: Instance, known: dict[tuple[str, str], tuple[Deployment, Evaluation]]
) -> tuple[Deployment | None, Evaluation | None]:
    """Return a row's deployment and its evaluation; equal decisions on one instance are evaluated once."""
    decisions = recorded_decisions(row, instance)
    if decisions is None:
        return None, None
    key = (row["content_hash"], json.dumps(decisions, sort_keys=True))
    if key not in known:
        deployment = as_deployment(decisions, f"run of {row['variant']} on '{row['instance']}'")
        known[key] = (deployment, evaluate(instance, deployment))
    return known[key]


def all_contradictions(judged: Sequence[Judged | None]) -> list[str]:
    """Return what cannot all be true, instance by instance, one line each."""
    by_instance: defaultdict[str, list[Judged]] = defaultdict(list)
    for run in judged:
        if run is not None:
            by_instance[run.instance.content_hash].append(run)
    return [f"{_named(runs[0].instance)}: {line}" for runs in by_instance.values() for line in contradictions(runs)]


def altered(rows: Sequence[Row], judged: Sequence[Judged | None]) -> list[str]:
    """Return what rows record and their instances or the evaluator do not bear out, one line for each such row."""
    both = ((row, run, _altered(row, run)) for row, run in zip(rows, judged, strict=True) if run is not None)
    return [f"{_named(run.instance)}: {row['variant']} {why}" for row, run, why in both if why is not None]


def _altered(row: Row, run: Judged) -> str | None:
    if row["instance"] != run.instance.name:
        return f"is recorded on '{row['instance']}', but its content hash is that of '{run.instance.name}'"
    foreign = _foreign(row, run.instance)
    if foreign is not None:
        return f"is recorded with a deployment of another instance: {foreign}"
    if run.objective is not None and not _same(run.objective, row["objective"]):
        return f"is recorded with {row['objective']!r}, the evaluator finds {run.objective!r}"
    return None


def _foreign(row: Row, instance: Instance) -> str | None:
    """Return what a row's deployment names and its instance does not have, in words; None where it has all."""
    applications = {app.name for app in instance.applications}
    for one in row.get("deployments") or []:
        if one["application"] not in applications:
            return f"there is no application '{one['application']}'"
        for node in one.get("placement", ()):
            if node not in instance.network.node_by_name:
                return f"there is no node '{node}'"
    return None


def _named(instance: Instance) -> str:
    """Return an instance's name and, of a single application, what tells it from other points of a target grid."""
    if len(instance.applications) > 1:
        return instance.name
    app = instance.applications[0]
    targets = f"δ = {number(app.max_latency_s)} s, α = {number(app.min_accuracy)}"
    share = "" if instance.latency_quantile is None else f" {number(instance.latency_quantile)}"
    latency = f"{instance.latency_kind.value}{share}"
    definitions = f"{instance.accounting.value} accounting, {latency} latency".replace("_", " ")
    return f"{instance.name} ({targets}, {definitions})"


def _same(evaluated: float, recorded: float | None) -> bool:
    return recorded is not None and equal_energy(evaluated, recorded)
