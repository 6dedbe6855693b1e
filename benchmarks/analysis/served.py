"""Plans beside what samples met at them: the lines of `served.jsonl`, joined to the runs that found the plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finbench.benchmarks.rows.row import Row
from finbench.benchmarks.rows.served import plan_id

ServedLine = Mapping[str, Any]
"""As `rows.served.load_served` returns it."""


@dataclass(frozen=True)
class ServedPlan:
    """A deployment, the runs that found it, and what was met at it."""

    instance: str
    variants: tuple[str, ...]
    """Methods that found it, each once."""
    lines: tuple[ServedLine, ...]
    """By simulation or measurement; of several of a kind the last."""

    @property
    def method(self) -> str:
        """The methods, in words."""
        return ", ".join(self.variants)


@dataclass(frozen=True)
class ExitLatency:
    """The latency of one exit of a served plan, planned and met [s]."""

    plan: ServedPlan
    application: str
    exit: int
    planned_s: float
    met_s: Mapping[str, float]
    """Mean latency by `simulated` and `measured`, where there is one."""

    @property
    def off(self) -> float:
        """The largest difference to the plan, relative to it; inf where the plan is 0."""
        worst = max(abs(met - self.planned_s) for met in self.met_s.values())
        return worst / self.planned_s if self.planned_s > 0 else float("inf") if worst else 0.0


@dataclass(frozen=True)
class PartOff:
    """A node, link or block of a served plan, and what it takes beyond the plan [s]."""

    plan: ServedPlan
    by: str
    subject: str
    added_s: float


def served_plans(rows: Sequence[Row], lines: Iterable[ServedLine]) -> list[ServedPlan]:
    """Return the plans of some runs that were served, in the runs' order, each once."""
    of_plan: dict[tuple[str, str], dict[str, ServedLine]] = {}
    for line in lines:
        of_plan.setdefault((line["content_hash"], line["plan_id"]), {})[line["by"]] = line
    found: dict[tuple[str, str], tuple[str, dict[str, None]]] = {}
    for row in rows if of_plan else ():
        if row["found"] and row.get("deployments"):
            key = (row["content_hash"], plan_id(row["deployments"]))
            if key in of_plan:
                found.setdefault(key, (row["instance"], {}))[1][row["variant"]] = None
    return [ServedPlan(name, tuple(variants), tuple(of_plan[key].values())) for key, (name, variants) in found.items()]


def loads_by_method(plans: Sequence[ServedPlan]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return what applications met, by method and by how it is known (`simulated`, `measured`)."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for plan in plans:
        for variant in plan.variants:
            for line in plan.lines:
                found.setdefault((variant, line["by"]), []).extend(line["applications"])
    return found


def exit_latencies(plans: Sequence[ServedPlan]) -> list[ExitLatency]:
    """Return the latency of every exit of every served plan, the farthest off first."""
    return sorted((each for plan in plans for each in _exits_of(plan)), key=lambda each: -each.off)


def _exits_of(plan: ServedPlan) -> Iterator[ExitLatency]:
    planned: dict[tuple[str, int], float] = {}
    met: dict[tuple[str, int], dict[str, float]] = {}
    for line in plan.lines:
        for load in line["applications"]:
            for each in load["exits"]:
                key = (load["application"], each["exit"])
                planned[key] = each["planned_latency_s"]
                met.setdefault(key, {})[line["by"]] = each["latency_s"]
    yield from (ExitLatency(plan, name, exit_, planned[name, exit_], found) for (name, exit_), found in met.items())


def parts_off(plans: Sequence[ServedPlan]) -> list[PartOff]:
    """Return what parts of the served plans take beyond them, the farthest off first."""
    found = (
        PartOff(plan, line["by"], part["subject"], part["added_s"])
        for plan in plans
        for line in plan.lines
        for part in line["parts"]
    )
    return sorted((each for each in found if each.added_s), key=lambda each: -abs(each.added_s))
