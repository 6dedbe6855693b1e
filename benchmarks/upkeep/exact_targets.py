"""Targets of the exact methods: label setting, the same graphs in cspy, and the mixed-integer program."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median
from time import perf_counter

from finbench.benchmarks.upkeep.measurement import Measurement, seconds
from finbench.benchmarks.upkeep.microcontroller import microcontroller_instance
from finbench.benchmarks.upkeep.subjects import linked_instance, problem_of, with_alternatives
from finbench.fin_graph import fin, label_setting
from finbench.fin_graph.options import FinOptions
from finbench.models.instance import Instance
from finbench.models.milp import flow
from finbench.models.milp.options import MilpFlowOptions
from finbench.models.result import Result, Status
from finbench.models.tolerances import equal_energy

MILP_LIMIT_S = 600.0
CSPY_LIMIT_S = 100.0


def labels() -> Iterator[Measurement]:
    """Measure exact label setting at the sizes that were promised."""
    for family, nodes, blocks, limit in (
        ("dense", 50, 10, 0.005),
        ("correlated", 50, 10, 0.5),
        ("tiered", 10_000, 20, 1.0),
        ("mesh", 10_000, 20, 1.0),
    ):
        times, labels = [], []
        for seed in range(3):
            instance = linked_instance(family, nodes, blocks, seed)
            result = label_setting.solve(instance)
            assert result.status is Status.OPTIMAL
            labels.append(result.info["labels"])
            times.append(seconds(partial(label_setting.solve, instance), 5))
        subject = f"{family}, {nodes} nodes, {blocks} blocks, worst of 3 seeds"
        note = f"{max(labels)} labels at most"
        yield Measurement("exact label setting", subject, max(times), "s", at_most=limit, note=note)


def alternatives() -> Iterator[Measurement]:
    """Measure label setting with ten alternatives against one of them: much alike, they leave the most to search."""
    for spread in (0.3, 0.001):
        ratios = []
        for seed in range(7):
            one = linked_instance("dense", 50, 10, seed)
            ten = with_alternatives(one, 10, spread, seed)
            ratios.append(seconds(partial(label_setting.solve, ten)) / seconds(partial(label_setting.solve, one)))
        subject = f"dense, 50 nodes, 10 blocks, within {100 * spread:.1f} % of one DNN, median of 7 seeds"
        yield Measurement("label setting with ten alternatives over one", subject, median(ratios), "×", at_most=4)


def capacities() -> Iterator[Measurement]:
    """Measure label setting where memories bind along the path: ResNet-50 from a microcontroller, ten drawn systems."""
    times, notes = [], []
    for seed in range(10):
        instance = microcontroller_instance(seed)
        result, program = label_setting.solve(instance), flow.solve(instance, time_limit_s=MILP_LIMIT_S)
        times.append(seconds(partial(label_setting.solve, instance), 5))
        notes.append(f"{1000 * times[-1]:.0f} ms{'' if _agreement(result, program) == 'same energy' else ' DIFFERS'}")
    subject = "ResNet-50 in 18 blocks, 34 nodes, a device of 0.5 MB, median of 10 seeds"
    note = "each, its optimum compared with milp-flow's: " + ", ".join(notes)
    yield Measurement("label setting where memory binds", subject, median(times), "s", at_most=0.05, note=note)


def cspy() -> Iterator[Measurement]:
    """Measure label setting against cspy's bidirectional labelling on the same graphs."""
    try:
        import cspy  # noqa: F401
    except ImportError:
        why = "not measured: cspy is not installed: pip install 'finbench[bench]'"
        yield Measurement("label setting against cspy", "dense and correlated", None, "×", at_least=100, note=why)
        return
    from finbench.benchmarks.upkeep.cspy import cspy_run

    for family, nodes, blocks in (("dense", 20, 10), ("dense", 50, 10), ("correlated", 6, 4), ("correlated", 10, 6)):
        instance = linked_instance(family, nodes, blocks)
        mine = label_setting.solve(instance)
        time = median(_search_time(instance) for _ in range(9))
        run = cspy_run(problem_of(instance), CSPY_LIMIT_S)
        subject = f"{family}, {nodes} nodes, {blocks} blocks"
        if run.energy is None:
            note = f"cspy {run.reason}: a lower bound of the ratio"
        else:
            same = mine.claimed_objective is not None and equal_energy(run.energy, mine.claimed_objective)
            note = "same optimum" if same else f"OPTIMA DIFFER: {mine.claimed_objective}, cspy {run.energy}"
        yield Measurement("label setting against cspy", subject, run.time_s / time, "×", at_least=100, note=note)


def _search_time(instance: Instance) -> float:
    """Return the time of label setting's search alone, bounds included and graph not, as cspy's is taken [s]."""
    times = label_setting.solve(instance).times_s
    return times["bounds"] + times["labels"]


def handover() -> Iterator[Measurement]:
    """Measure building milp-flow and handing it to HiGHS, without the reductions that would make it small."""
    instance = linked_instance("dense", 100, 20)
    result = flow.solve(instance, MilpFlowOptions(strengthen=False), time_limit_s=5.0)
    spent = result.times_s["build"] + result.times_s["handover"]
    subject = f"dense, 100 nodes, 20 blocks, {result.info['columns']} columns"
    note = f"build {result.times_s['build']:.2f} s, hand-over {result.times_s['handover']:.2f} s"
    yield Measurement("building and handing over milp-flow", subject, spent, "s", at_most=2, note=note)


def proofs() -> Iterator[Measurement]:
    """Measure certified optima at 100 nodes × 20 blocks: label setting, milp-flow and FIN."""
    for family in ("dense", "correlated"):
        instance = linked_instance(family, 100, 20)
        optimum = label_setting.solve(instance)
        time = seconds(partial(label_setting.solve, instance), 3)
        subject = f"{family}, 100 nodes, 20 blocks"
        start = perf_counter()
        program = flow.solve(instance, time_limit_s=MILP_LIMIT_S)
        proof = perf_counter() - start
        yield Measurement(
            "milp-flow's time to proof over label setting's",
            subject,
            proof / time,
            "×",
            at_least=100,
            note=f"{_agreement(optimum, program)}; milp-flow {proof:.1f} s, label setting {time:.4f} s",
        )
        rounded = fin.solve(instance, FinOptions(gamma=1000, engine="arrays")).claimed_objective
        assert rounded is not None
        assert optimum.claimed_objective is not None
        gap = rounded / optimum.claimed_objective - 1
        yield Measurement("FIN's gap at γ = 1000", subject, 100 * gap, "%", at_most=0.5)


def _agreement(optimum: Result, program: Result) -> str:
    if program.status is not Status.OPTIMAL:
        return "no proof within the limit: a lower bound of the ratio"
    assert optimum.claimed_objective is not None
    assert program.claimed_objective is not None
    same = equal_energy(optimum.claimed_objective, program.claimed_objective)
    return "same energy" if same else f"ENERGIES DIFFER: {optimum.claimed_objective}, {program.claimed_objective}"
