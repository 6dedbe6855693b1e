"""Targets of branch-price-and-cut, beside `milp-flow` with HiGHS, measured by `finbench bench`.

Everything runs on instances of the `campus` family, on seeds that nothing was tuned on, one thread
each, and every run is shown. Both methods prove to the same relative gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from finbench.benchmarks.analysis.statistics import MITTELMANN_SHIFT_S, shifted_geometric_mean
from finbench.benchmarks.families import generate_shared
from finbench.benchmarks.judging.contradictions import contradictions, relative_gap
from finbench.benchmarks.judging.judged import Judged, judge
from finbench.benchmarks.methods import check_options, run_method
from finbench.benchmarks.upkeep.measurement import Measurement
from finbench.models.instance import Instance
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE

SEEDS = range(100, 110)
LOADS = (0.3, 0.7, 1.2)
PENALTY = 5.0
"""Penalty of a rejection beyond load 1, where hardly all can be served, in least powers."""

LIMIT_S, LARGE_LIMIT_S, LARGEST_LIMIT_S = 60.0, 300.0, 600.0
_PROVEN = (Status.OPTIMAL, Status.INFEASIBLE)


def branching() -> Iterator[Measurement]:
    """Measure all targets, the quick ones first."""
    for part in (_medium, _large, _largest):
        yield from part()


def _medium() -> Iterator[Measurement]:
    """Measure proofs on 50 nodes, and their times against milp-flow's."""
    pairs: list[tuple[Judged, Judged]] = []
    for load in LOADS:
        for seed in SEEDS:
            instance = _instance(50, 50, load, seed)
            pairs.append(
                (_judged(instance, LIMIT_S), _judged(instance, LIMIT_S, "milp-flow", mip_gap=ENERGY_TOLERANCE))
            )
            assert not contradictions(pairs[-1]), contradictions(pairs[-1])
            other = f"milp-flow {_told(pairs[-1][1])}"
            yield _one("campus, 50 nodes, 50 applications", load, seed, pairs[-1][0], other)
    ours, flows = ([_time(one, LIMIT_S) for one in each] for each in zip(*pairs, strict=True))
    subject = f"campus, 50 nodes, 50 applications, {len(pairs)} instances"
    proven, others = (sum(one.result.status in _PROVEN for one in each) for each in zip(*pairs, strict=True))
    note = f"milp-flow: {others}; median {median(ours):.3g} s, worst {max(ours):.3g} s"
    yield Measurement("branch-price-and-cut proves in 60 s", subject, proven, "instances", at_least=27, note=note)
    mean, beside = (shifted_geometric_mean(times, MITTELMANN_SHIFT_S) for times in (ours, flows))
    note = f"{mean:.3g} s and {beside:.3g} s, shift {MITTELMANN_SHIFT_S:g} s"
    yield Measurement("its mean time over milp-flow's", subject, mean / beside, "×", at_most=1, note=note)


def _large() -> Iterator[Measurement]:
    """Measure proofs on 100 nodes."""
    proven, runs = 0, 0
    for load in (0.3, 0.7):
        for seed in SEEDS:
            instance = _instance(100, 200, load, seed)
            judged = _judged(instance, LARGE_LIMIT_S)
            runs, proven = runs + 1, proven + (judged.result.status in _PROVEN)
            yield _one("campus, 100 nodes, 200 applications", load, seed, judged, "")
    subject = f"campus, 100 nodes, 200 applications, {runs} instances"
    yield Measurement("branch-price-and-cut proves in 300 s", subject, proven, "instances", at_least=14)


def _largest() -> Iterator[Measurement]:
    """Measure the gap that is left on 500 nodes."""
    instance = _instance(500, 1000, 0.7, SEEDS[0])
    judged, subject = _judged(instance, LARGEST_LIMIT_S), "campus at load 0.7, 500 nodes, 1000 applications"
    gap = _gap(judged)
    value = None if gap is None else 100 * gap
    yield Measurement("branch-price-and-cut's gap", subject, value, "%", at_most=0.05, note=_told(judged))


def _instance(nodes: int, applications: int, load: float, seed: int) -> Instance:
    penalty = PENALTY if load > 1 else None
    return generate_shared("campus", nodes=nodes, applications=applications, load=load, seed=seed, penalty=penalty)


def _gap(judged: Judged) -> float | None:
    """Return the relative gap that a run has proven; None where it has no deployment or no bound."""
    bound = judged.result.lower_bound
    return None if judged.objective is None or bound is None else relative_gap(judged.objective, bound)


def _one(size: str, load: float, seed: int, judged: Judged, note: str) -> Measurement:
    told = "; ".join(filter(None, (_told(judged), note)))
    return Measurement(
        "branch-price-and-cut's time", f"{size}, load {load}, seed {seed}", judged.time_s, "s", note=told
    )


def _time(judged: Judged, limit_s: float) -> float:
    return judged.time_s if judged.result.status in _PROVEN else limit_s


def _told(judged: Judged) -> str:
    gap = _gap(judged)
    left = "" if gap is None or judged.result.status in _PROVEN else f", gap {gap:.2g}"
    return f"{judged.status} after {judged.time_s:.3g} s{left}"


def _judged(instance: Instance, limit_s: float, method: str = "branch-price-and-cut", **options: float) -> Judged:
    checked = check_options(method, options)
    return judge(instance, method, checked, run_method(instance, method, time_limit_s=limit_s, **checked))
