"""One method on one instance, judged."""

from __future__ import annotations

from typing import Any

from finbench.api.solution import Solution
from finbench.benchmarks.judging.judged import judge
from finbench.benchmarks.methods import check_options, run_method
from finbench.models.instance import Instance


def solved(instance: Instance, method: str, *, time_limit_s: float | None, seed: int, **options: Any) -> Solution:
    """Run a method and judge what it returns; parameters and errors as of `fb.solve`."""
    checked = check_options(method, options)
    result = run_method(instance, method, time_limit_s=time_limit_s, seed=seed, **options)
    return Solution(judge(instance, method, checked, result))
