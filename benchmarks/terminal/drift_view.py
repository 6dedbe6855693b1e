"""A day of drift on a terminal: a row for each policy and planner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from finbench.benchmarks.replanning.policies import Course
from finbench.benchmarks.terminal.console import output, table
from finbench.models.day import Day
from finbench.models.instance import Instance


def print_drift(day: Day, instance: Instance, courses: Sequence[Course]) -> None:
    """Print what running and moving cost under every policy, and how long rules are broken."""
    unit = instance.inference_unit
    columns = (
        "policy",
        "plans by",
        f"running [{unit}]",
        f"moving [{unit}]",
        "blocks moved",
        "broken [s]",
        "violations",
    )
    rows = [
        (
            one.policy.value,
            one.method,
            f"{one.running:.6g}",
            f"{one.moving:.6g}",
            str(one.moved),
            f"{one.broken_s:g}",
            str(one.violations),
        )
        for one in courses
    ]
    whole = sum(period.duration_s for period in day.periods)
    title = f"{day.name}: {len(day.periods)} periods, {whole:g} s, of {instance.name}"
    output().print(table(title, columns, rows, text_columns=2))
    for message in dict.fromkeys(
        f"{one.policy.value} by {one.method}, {period.name or 'a period'}: {period.broken[0]}"
        for one in courses
        for period in one.periods
        if period.broken
    ):
        output().print(message)


def to_json(day: Day, instance: Instance, courses: Sequence[Course]) -> dict[str, Any]:
    """Return all numbers for `--json`."""
    return {
        "day": day.name,
        "instance": instance.name,
        "unit": instance.inference_unit,
        "courses": [
            {
                **asdict(one),
                "policy": one.policy.value,
                "planner": one.planner.value,
                "running": one.running,
                "moving": one.moving,
                "moved": one.moved,
                "broken_s": one.broken_s,
                "violations": one.violations,
            }
            for one in courses
        ],
    }
