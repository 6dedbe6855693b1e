"""Figures over the runs of a campaign: gaps against what all methods together know; no average counts a failure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from finbench.benchmarks.judging.contradictions import relative_gap
from finbench.benchmarks.rows.environment import Environment
from finbench.benchmarks.rows.reading import load_rows
from finbench.benchmarks.rows.row import Row
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE

NESTED = ("options", "times_s", "info", "deployments", "environment", "violations", "exit")
"""Columns that hold tables; what of them is not flattened stays in the journal."""

COLUMNS = (
    *("objective", "lower_bound", "gap", "energy_j", "latency_s", "accuracy", "content_hash", "time_s"),
    *("applications", "network_nodes", "load", "total_power_w", "rejected", "objective_unit"),
)
"""Columns that every frame has, whatever its runs are."""


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one row for each run, with what is known about its instance from all runs.

    Returns
    -------
    DataFrame
        The rows' flat columns, `objective_unit` filled in where a row does not say it; phases as `time_<phase>_s`;
        `gamma` where the method has one; and, over all runs on the same instance (by content), `best_bound`,
        `best_objective`, `proven` (the two meet), `gap_to_best_bound` and `gap_to_best_known` (None where there is no
        feasible deployment or nothing to compare with).
    """
    runs = pd.DataFrame([_flat(row) for row in rows])
    for column in COLUMNS:
        if column not in runs:
            runs[column] = None
    runs["objective_unit"] = _objective_units(runs)
    feasible = runs["objective"].where(runs["found"].astype(bool)).astype(float)
    instance = runs["content_hash"].fillna("")
    runs["best_bound"] = runs["lower_bound"].astype(float).groupby(instance).transform("max")
    runs["best_objective"] = feasible.groupby(instance).transform("min")
    runs["gap_to_best_bound"] = _gaps(feasible, runs["best_bound"])
    runs["gap_to_best_known"] = _gaps(feasible, runs["best_objective"])
    runs["proven"] = [
        gap is not None and gap <= ENERGY_TOLERANCE
        for gap in map(relative_gap, _optional(runs["best_objective"]), _optional(runs["best_bound"]))
    ]
    return runs


def _objective_units(runs: pd.DataFrame) -> pd.Series[str]:
    """Return the unit of each run's objective; rows of before there were several are of energies or powers."""
    powers = runs["total_power_w"].notna() | (runs["applications"].fillna(1) > 1)
    return runs["objective_unit"].fillna(powers.map({True: "W", False: "J"}))


def instance_of(runs: pd.DataFrame) -> pd.Series[str]:
    """Return what tells each run's instance: its content, or its name where it could not be made."""
    return runs["content_hash"].fillna(runs["instance"])


def refuted(runs: pd.DataFrame) -> pd.Series[bool]:
    """Return which runs prove that their instance has no feasible deployment, no run having found one."""
    return (runs["status"] == Status.INFEASIBLE) & runs["best_objective"].isna()


def load_frame(results: Path) -> pd.DataFrame:
    """Return the frame of a folder of results; raises InputError as `rows.reading.load_rows` does."""
    return frame(load_rows(results))


def _flat(row: Row) -> Row:
    flat = {name: value for name, value in row.items() if name not in NESTED}
    phases = {f"time_{phase}_s": seconds for phase, seconds in row.get("times_s", {}).items()}
    ended = row.get("exit", {})
    return {
        **flat,
        "options": json.dumps(row["options"], ensure_ascii=False),
        "gamma": row["options"].get("gamma"),
        "violations": "; ".join(row["violations"]),
        **phases,
        **{f"exit_{name}": ended.get(name) for name in ("kind", "code", "signal", "ended_survivors")},
        **_flat_environment(row["environment"]),
    }


def _flat_environment(environment: Environment) -> Row:
    git = environment.get("git") or {}
    return {
        **{name: environment.get(name) for name in ("cpu", "cores", "ram_bytes", "os", "python")},
        "git_commit": git.get("commit"),
        "git_clean": git.get("clean"),
        **{f"version_{name}": number for name, number in environment["versions"].items()},
        **{f"solver_{name}": number for name, number in environment.get("solvers", {}).items()},
        **{name.lower(): number for name, number in environment.get("threads", {}).items()},
    }


def _gaps(energies: pd.Series[float], bounds: pd.Series[float]) -> list[float | None]:
    return [relative_gap(energy, bound) for energy, bound in zip(_optional(energies), _optional(bounds), strict=True)]


def _optional(values: pd.Series[float]) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in values]
