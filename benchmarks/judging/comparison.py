"""Several methods on one instance, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from finbench.benchmarks.judging.contradictions import contradictions, relative_gap
from finbench.benchmarks.judging.judged import Judged, judge
from finbench.benchmarks.methods import run_method
from finbench.models.instance import Instance


@dataclass(frozen=True)
class Comparison:
    """Judged runs on one instance."""

    instance: Instance
    runs: tuple[Judged, ...]

    @cached_property
    def contradictions(self) -> list[str]:
        """Statements that cannot all be true, one line each."""
        return contradictions(self.runs)

    @property
    def best_bound(self) -> float | None:
        """Best proven lower bound on the objective over all methods."""
        return max((run.result.lower_bound for run in self.runs if run.result.lower_bound is not None), default=None)

    def gap(self, run: Judged) -> float | None:
        """Return (E − LB)/LB with LB the best proven bound over all methods; None where it says nothing."""
        return relative_gap(run.objective, self.best_bound) if run.found else None

    def to_json(self) -> dict[str, Any]:
        """Return all runs, each with its gap to the best proven bound, and the contradictions.

        Targets and definitions tell apart instances of one name.
        """
        return {
            "instance": self.instance.name,
            "accounting": self.instance.accounting.value,
            "latency_kind": self.instance.latency_kind.value,
            "targets": [
                {"application": app.name, "max_latency_s": app.max_latency_s, "min_accuracy": app.min_accuracy}
                for app in self.instance.applications
            ],
            "runs": [{**run.to_json(), "gap_to_best_bound": self.gap(run)} for run in self.runs],
            "contradictions": self.contradictions,
        }


def compare_methods(
    instance: Instance,
    methods: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> Comparison:
    """Run each method and judge it.

    Parameters
    ----------
    instance : Instance
    methods : sequence of (name, options)
    time_limit_s : float or None
        Limit for each run [s].
    seed : int

    Returns
    -------
    Comparison
    """
    named = ("solver",) if len({options["solver"] for _, options in methods if "solver" in options}) > 1 else ()
    runs = []
    for name, options in methods:
        result = run_method(instance, name, time_limit_s=time_limit_s, seed=seed, **options)
        runs.append(judge(instance, name, options, result, named))
    return Comparison(instance, tuple(runs))
