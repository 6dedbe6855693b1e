"""What `finbench solve --robust` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, INFEASIBLE, NOTHING_FOUND, UNEXPECTED
from finbench.benchmarks.cli.origin import origin_of
from finbench.benchmarks.replanning.robust import RobustPlan, solve_robust
from finbench.benchmarks.terminal import console
from finbench.models.instance import Instance
from finbench.models.io import dump_deployment, write_text
from finbench.models.result import Status
from finbench.models.uncertainty import Uncertainty


@dataclass(frozen=True)
class RobustQuestion:
    """What the command line asks for."""

    instance: Instance
    method: str
    uncertainty: Uncertainty
    time_limit_s: float | None
    seed: int
    options: Mapping[str, Any]


def solve_robustly(asked: RobustQuestion, output: Path | None, *, as_json: bool) -> int:
    """Make the plan, write it, show it, and return the exit code."""
    from finbench.benchmarks.terminal import robust_view as view

    plan = solve_robust(
        asked.instance,
        asked.uncertainty,
        asked.method,
        time_limit_s=asked.time_limit_s,
        seed=asked.seed,
        options=asked.options,
    )
    if output is not None and plan.deployment is not None:
        made_by = f"{asked.method} (robust={asked.uncertainty.budget}, deviation={asked.uncertainty.deviation:g})"
        write_text(output, dump_deployment(plan.deployment, origin_of(asked.instance, made_by)))
        console.print_written(output)
    if as_json:
        console.print_json(view.to_json(asked.instance, asked.method, plan))
    else:
        view.print_robust(asked.instance, asked.method, plan)
    if output is not None and plan.deployment is None:
        console.print_unwritten(output, "there is no deployment")
    return _exit_code(plan)


def _exit_code(plan: RobustPlan) -> int:
    if plan.result.status is Status.ERROR:
        return UNEXPECTED
    if plan.contradiction is not None:
        return CONTRADICTED
    if plan.result.status is Status.INFEASIBLE:
        return INFEASIBLE
    return NOTHING_FOUND if plan.deployment is None else FOUND
