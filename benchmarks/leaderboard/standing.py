"""Where every method stands on every machine: what it solved, what it proved, how long it took.

A run is worth something on an instance only where none of its claims is refuted and it kept its limit. It *solved* the
instance where its exact objective meets the least that anybody has found, or where it says, and nobody refutes, that
nothing fits. Repeated runs count once, with the median time and the worst of everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from finbench.benchmarks.analysis.aggregate import OVERRUN
from finbench.benchmarks.analysis.statistics import (
    MITTELMANN_SHIFT_S,
    penalised_mean,
    shared_instances,
    shifted_geometric_mean,
)
from finbench.benchmarks.leaderboard.checked_run import OUTSIDE, CheckedRun
from finbench.benchmarks.leaderboard.refutation import Judgement
from finbench.benchmarks.library.entry import LibraryTier
from finbench.models.result import Status
from finbench.models.tolerances import ENERGY_TOLERANCE

CLOSE = 1e-3
"""How far above the least objective known a deployment is still close to it, relative."""

TIERS = (*(tier.value for tier in LibraryTier), OUTSIDE)
"""In the order of tables."""


@dataclass(frozen=True)
class InstanceOutcome:
    """What a method's runs on one instance came to."""

    solved: bool
    proven: bool
    """Solved, and claimed to be the optimum, or that nothing fits."""
    close: bool
    """At most `CLOSE` above the least objective known."""
    answered: bool
    """With a deployment, or a proof that there is none, in time and not refuted."""
    refuted: bool
    time_s: float
    """Not above the limit."""
    limit_s: float
    tier: str


@dataclass(frozen=True)
class Standing:
    """One variant of a method on one machine."""

    variant: str
    machine: str
    folders: tuple[str, ...]
    run: dict[str, int]
    """Instances that it ran on, by tier."""
    solved: dict[str, int]
    """Of them, those that it solved, by tier."""
    proven: int
    close: int
    unanswered: int
    refuted: int
    """Instances with a claim that cannot be true; they are unanswered too."""
    shared: int
    """Instances that all methods of this machine ran on: times and rank are over these."""
    shared_solved: int
    shared_proven: int
    limits_s: tuple[float, float] | None
    """The least and the greatest limit on the shared instances [s]."""
    par10_s: float | None
    """PAR10 over the shared instances [s]; None where there are none."""
    geometric_s: float | None
    """Geometric mean of times over them, shifted by 10 s; what is unanswered enters with its limit [s]."""
    rank: int | None = None
    """Among the methods of this machine: by what is solved, then proven, then PAR10; None where nothing is shared."""

    @property
    def instances(self) -> int:
        """How many instances it ran on."""
        return sum(self.run.values())

    @property
    def solved_in_all(self) -> int:
        """How many of them it solved."""
        return sum(self.solved.values())


MethodOutcomes = dict[str, InstanceOutcome]
"""By content hash of the instance."""

_Key = tuple[str, str]
"""Machine and variant."""


def standings(
    judgements: Mapping[str, Judgement], counts: Callable[[CheckedRun], bool] = lambda _: True
) -> dict[str, list[Standing]]:
    """Return the standings of every machine, the best first.

    Parameters
    ----------
    judgements : mapping
        By content hash of the instance.
    counts : callable
        Whether a run is ranked; what it found is known all the same.
    """
    outcomes, folders = _outcomes(judgements, counts)
    machines = dict.fromkeys(machine for machine, _ in outcomes)
    return {machine: _of_machine(machine, outcomes, folders) for machine in machines}


def _outcomes(
    judgements: Mapping[str, Judgement], counts: Callable[[CheckedRun], bool]
) -> tuple[dict[_Key, MethodOutcomes], dict[_Key, dict[str, None]]]:
    """Return the outcomes of every method on every machine, and the folders that they come from."""
    outcomes, folders = dict[_Key, MethodOutcomes](), dict[_Key, dict[str, None]]()
    for content_hash, judgement in judgements.items():
        single = dict[_Key, list[InstanceOutcome]]()
        for k, run in enumerate(judgement.runs):
            if not counts(run):
                continue
            key = (run.machine, run.variant)
            single.setdefault(key, []).append(outcome(run, judgement, refuted=k in judgement.refuted))
            folders.setdefault(key, {})[run.folder] = None
        for key, found in single.items():
            outcomes.setdefault(key, {})[content_hash] = together(found)
    return outcomes, folders


def outcome(run: CheckedRun, judgement: Judgement, *, refuted: bool) -> InstanceOutcome:
    """Return what one run came to."""
    status, limit = run.row["status"], float(run.row["limit_s"])
    spent = run.row.get("time_s")
    time = limit if spent is None else float(spent)
    counts = not refuted and time <= limit * (1 + OVERRUN)
    says_empty = status == Status.INFEASIBLE
    empty = says_empty and judgement.is_empty
    gap = _above_best(run, judgement)
    solved = counts and (empty or (gap is not None and gap <= ENERGY_TOLERANCE))
    return InstanceOutcome(
        solved=solved,
        proven=solved and status in (Status.OPTIMAL, Status.INFEASIBLE),
        close=counts and (empty or (gap is not None and gap <= CLOSE)),
        answered=counts and (says_empty or run.objective is not None),
        refuted=refuted,
        time_s=min(time, limit),
        limit_s=limit,
        tier=run.tier,
    )


def _above_best(run: CheckedRun, judgement: Judgement) -> float | None:
    """Return how far a run's objective lies above the least one, relative; None where it has none."""
    if run.objective is None or judgement.best is None:
        return None
    scale = abs(judgement.best.objective)
    above = run.objective - judgement.best.objective
    return above / scale if scale else float(above > 0)


def together(outcomes: Sequence[InstanceOutcome]) -> InstanceOutcome:
    """Return what repeated runs count: the median time, and the worst of everything else."""
    return InstanceOutcome(
        solved=all(one.solved for one in outcomes),
        proven=all(one.proven for one in outcomes),
        close=all(one.close for one in outcomes),
        answered=all(one.answered for one in outcomes),
        refuted=any(one.refuted for one in outcomes),
        time_s=median(one.time_s for one in outcomes),
        limit_s=max(one.limit_s for one in outcomes),
        tier=outcomes[0].tier,
    )


def _of_machine(
    machine: str, outcomes: Mapping[_Key, MethodOutcomes], folders: Mapping[_Key, Iterable[str]]
) -> list[Standing]:
    here = {variant: found for (where, variant), found in outcomes.items() if where == machine}
    shared = shared_instances(here)
    made = [_standing(machine, variant, found, shared, folders[machine, variant]) for variant, found in here.items()]
    return ranked(made)


def _standing(
    machine: str, variant: str, outcomes: MethodOutcomes, shared: Sequence[str], folders: Iterable[str]
) -> Standing:
    every, common = list(outcomes.values()), [outcomes[name] for name in shared]
    here = [tier for tier in TIERS if any(one.tier == tier for one in every)]
    return Standing(
        variant=variant,
        machine=machine,
        folders=tuple(folders),
        run={tier: sum(one.tier == tier for one in every) for tier in here},
        solved={tier: sum(one.solved and one.tier == tier for one in every) for tier in here},
        proven=sum(one.proven for one in every),
        close=sum(one.close for one in every),
        unanswered=sum(not one.answered for one in every),
        refuted=sum(one.refuted for one in every),
        shared=len(common),
        shared_solved=sum(one.solved for one in common),
        shared_proven=sum(one.proven for one in common),
        limits_s=(min(one.limit_s for one in common), max(one.limit_s for one in common)) if common else None,
        par10_s=_par10(common) if common else None,
        geometric_s=_geometric(common) if common else None,
    )


def _par10(outcomes: Sequence[InstanceOutcome]) -> float:
    return penalised_mean(
        [one.time_s for one in outcomes],
        [one.solved for one in outcomes],
        [one.limit_s for one in outcomes],
    )


def _geometric(outcomes: Sequence[InstanceOutcome]) -> float:
    times = [one.time_s if one.answered else one.limit_s for one in outcomes]
    return shifted_geometric_mean(times, MITTELMANN_SHIFT_S)


def ranked(found: Iterable[Standing]) -> list[Standing]:
    """Return standings of one machine with their ranks, the best first; equal ones share a rank."""
    ordered = sorted(found, key=lambda one: (*_merit(one), -one.solved_in_all, one.variant))
    ranks, made = dict[tuple[float, ...], int](), list[Standing]()
    for place, one in enumerate(ordered, start=1):
        rank = ranks.setdefault(_merit(one), place) if one.shared else None
        made.append(replace(one, rank=rank))
    return made


def _merit(one: Standing) -> tuple[float, ...]:
    return -one.shared_solved, -one.shared_proven, one.par10_s or 0.0
