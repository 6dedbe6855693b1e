"""One row for each run: what ran, on what, and how it ended. A failure is a row, never a missing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.methods import variant
from finbench.benchmarks.rows.plan_columns import plan_columns
from finbench.fin_graph.paths.support import layered_arcs
from finbench.models.instance import Instance
from finbench.models.result import Status

Row = dict[str, Any]
"""A row or some of its columns, JSON-compatible.

Energies: `objective`, `lower_bound`, `claimed_objective` in the objective's unit (eq. 3).
"""


SCHEMA_VERSION = 3
"""Version of the rows."""

OLDEST_VERSION = 2
"""Oldest version that is still read."""

MAX_REASON = 2000
"""Characters of an error message that a row keeps; the log has all of it."""


_IDENTITY = ("key", "variant", "seed", "repetition", "status", "objective", "time_s")


def run_identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what rows of one and the same run agree in: groups that ask for one run get a row each."""
    return tuple(row.get(name) for name in _IDENTITY)


def run_columns(method: str, options: Mapping[str, Any], seed: int) -> Row:
    """Return the columns that say what ran."""
    return {
        "schema_version": SCHEMA_VERSION,
        "method": method,
        "variant": variant(method, options),
        "options": dict(options),
        "seed": seed,
    }


def instance_columns(instance: Instance) -> Row:
    """Return the columns that say what it ran on."""
    app = instance.applications[0]
    single = len(instance.applications) == 1
    return {
        "instance": instance.name,
        "content_hash": instance.content_hash,
        "applications": len(instance.applications),
        "network_nodes": len(instance.network.nodes),
        "network_links": len(instance.network.links),
        "dnn_blocks": max(len(dnn.blocks) for dnn in instance.dnns),
        "dnn_exits": max(len(dnn.exits) for dnn in instance.dnns),
        "arcs": layered_arcs(instance) if single else None,
        "accounting": instance.accounting.value,
        "latency_kind": instance.latency_kind.value,
        "latency_quantile": instance.latency_quantile,
        "objective_unit": instance.objective_unit,
        "max_latency_s": app.max_latency_s if single else None,
        "min_accuracy": app.min_accuracy if single else None,
    }


_COSTS = ("energy_j", "compute_energy_j", "transfer_energy_j", "latency_s", "accuracy")


def result_columns(judged: Judged, wall_s: float) -> Row:
    """Return the columns of a run that returned a result.

    Parameters
    ----------
    judged : Judged
    wall_s : float
        Wall-clock time of the whole call [s]; the phases are in `times_s`.

    Returns
    -------
    Row
    """
    shown, deployment = judged.to_json(), judged.result.deployment
    return {
        "status": judged.status,
        "reason": judged.result.reason,
        "found": judged.found,
        "dnn": judged.chosen_dnn,
        "objective": judged.objective,
        "claimed_objective": judged.result.claimed_objective,
        "lower_bound": judged.result.lower_bound,
        "gap": judged.gap,
        **{name: shown[name] for name in _COSTS},
        **_shared_columns(shown),
        "violations": [violation["message"] for violation in shown["violations"]],
        "time_s": judged.time_s,
        "wall_s": wall_s,
        "times_s": shown["times_s"],
        "info": shown["info"],
        "deployments": shown["deployments"],
        "plan": plan_columns(judged.instance, deployment) if judged.found and deployment is not None else None,
        "exit": {"kind": "returned"},
    }


def failure_columns(status: Status, reason: str, wall_s: float, kind: str, **ended: Any) -> Row:
    """Return the columns of a run that gave no result.

    Parameters
    ----------
    status : Status
    reason : str
        One line for people.
    wall_s : float
        How long it took [s].
    kind : str
        How it ended: `raised`, `exited` (its process, with `code`), `signalled` (with `signal`), `killed` (at its
        limit), `garbage` (instead of a result), `worker-died` (under it, twice), `not-made` (its instance, or itself).
    **ended
        Further fields of the column `exit`.
    """
    reason = reason.encode(errors="replace").decode()
    nothing = ("objective", "claimed_objective", "lower_bound", "gap", *_COSTS)
    return {
        "status": status.value,
        "reason": reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]}…",
        "found": False,
        "dnn": None,
        **dict.fromkeys(nothing),
        "violations": [],
        "time_s": wall_s,
        "wall_s": wall_s,
        "times_s": {},
        "info": {},
        "deployments": [],
        "peak_bytes": None,
        "exit": {"kind": kind, **ended},
    }


def _shared_columns(shown: Row) -> Row:
    """Return the columns that several applications add: total power and its penalties [W], number of rejections."""
    if "total_power_w" not in shown:
        return {}
    deployed = shown["total_power_w"] is not None
    return {
        "total_power_w": shown["total_power_w"],
        "penalty_w": shown["penalty_w"],
        "rejected": len(shown["rejected"]) if deployed else None,
    }


LIMITS = (Status.TIME_LIMIT, Status.MEMORY_LIMIT)
"""Statuses of a run that met its limit."""
