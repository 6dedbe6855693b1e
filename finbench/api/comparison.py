"""Methods side by side on one or several instances, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.campaigns.campaign import MethodEntry
from finbench.benchmarks.judging.comparison import Comparison, compare_methods
from finbench.benchmarks.methods import Choice
from finbench.models.instance import Instance
from finbench.models.io import InputError, validate

if TYPE_CHECKING:
    import pandas as pd

MethodChoice = str | tuple[str, Mapping[str, Any]]
"""A method by its name, or with its options; a list of values of an option stands for one run with each."""


def choices(methods: Iterable[MethodChoice]) -> list[Choice]:
    """Return methods with each combination of their options, checked; raise InputError as `fb.solve` does."""
    entries = (named_entry(method) for method in methods)
    return [choice for entry in entries for choice in entry.expanded()]


def named_entry(method: MethodChoice) -> MethodEntry:
    """Return a method as a campaign has it."""
    name, options = (method, {}) if isinstance(method, str) else method
    return validate({"name": name, "options": dict(options)}, MethodEntry, "methods")


def compare(
    instances: Instance | Iterable[Instance],
    methods: Iterable[MethodChoice] = ("milp-flow", ("fin", {"gamma": [10, 100, 1000]}), "mcp"),
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Run several methods on one or more instances, and judge them side by side.

    Parameters
    ----------
    instances : Instance or iterable of Instance
    methods : iterable of str or (str, dict)
        Names, or names with options: `("fin", {"gamma": [10, 100]})` is two runs.
    time_limit_s : float or None
        Limit for each run [s]; None: no limit.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row for each run: `instance`, `method`, `variant`, `status`, `feasible`, `objective`, `unit`, `lower_bound`,
        `gap` (against the best bound that any of them proved), `energy_j`, `latency_s`, `accuracy`, `time_s` and
        `reason`. `frame.attrs["contradictions"]` lists what cannot all be true; it is empty where everything agrees.

    Raises
    ------
    InputError
        If there is no such method or option, or a value breaks its rule; nothing runs then.

    Examples
    --------
    >>> import finbench as fb
    >>> table = fb.compare(fb.load("blenet-mnist"), ["exhaustive", ("fin", {"gamma": 50})])
    >>> list(table["variant"])
    ['exhaustive', 'fin (gamma=50)']
    """
    import pandas as pd

    chosen = choices(methods)
    if not chosen:
        raise InputError("methods", "at least one is required")
    given: Sequence[Instance] = [instances] if isinstance(instances, Instance) else list(instances)
    compared = [compare_methods(instance, chosen, time_limit_s=time_limit_s, seed=seed) for instance in given]
    frame = pd.DataFrame([row for comparison in compared for row in _rows(comparison)])
    frame.attrs["contradictions"] = [line for comparison in compared for line in comparison.contradictions]
    return frame


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    rows = []
    for run in comparison.runs:
        shown = run.to_json()
        rows.append(
            {
                "instance": comparison.instance.name,
                "method": run.method,
                "variant": run.variant,
                "status": run.status,
                "feasible": run.found,
                "objective": run.objective,
                "unit": comparison.instance.objective_unit,
                "lower_bound": run.lower_bound,
                "gap": comparison.gap(run),
                **{name: shown[name] for name in ("energy_j", "latency_s", "accuracy")},
                "time_s": run.time_s,
                "reason": run.result.reason,
            }
        )
    return rows
