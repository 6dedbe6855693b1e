"""What runs claim and cannot be true: each claim held against the exact checker, the library and all other runs.

A deployment that the checker has found feasible is a fact; bounds, optima and proofs that nothing fits are words. A
claim that such a deployment contradicts is refuted, whoever made it: it is always known which of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from finbench.benchmarks.judging.contradictions import CLAIMS_FEASIBLE
from finbench.benchmarks.leaderboard.checked_run import CheckedRun, as_float
from finbench.benchmarks.library.known_value import KnownAs, KnownValue
from finbench.models.result import Status
from finbench.models.tolerances import CLAIM_TOLERANCE, ENERGY_TOLERANCE, equal_energy
from finbench.models.verify.rows import ExactEvaluation

LIBRARY = "library"
"""Who claims the values of the library."""


class Fault(StrEnum):
    """Why a claim cannot be true."""

    OTHER_INSTANCE = "other instance"
    """The name of the instance is not that of the instance with this content hash."""
    NO_DEPLOYMENT = "no deployment"
    """A deployment is claimed, and none is recorded."""
    BROKEN_RULE = "broken rule"
    """The deployment breaks a rule: what it comes to, and the limit."""
    OTHER_OBJECTIVE = "other objective"
    """The deployment's objective is not the one that is claimed: the claim, and the exact one."""
    OWN_BOUND = "own bound"
    """An optimum above the run's own bound: the objective, and the bound."""
    BOUND = "bound"
    """A bound above a feasible objective: the bound, and the objective."""
    OPTIMUM = "optimum"
    """An optimum above a feasible objective: the optimum, and the objective."""
    INFEASIBLE = "infeasible"
    """A proof that nothing fits, and a deployment: its objective is the second number."""


@dataclass(frozen=True)
class Refutation:
    """A claim that cannot be true, and the number that it fails on."""

    folder: str
    """Where it was found; `library` for a value of the library."""
    variant: str
    instance: str
    fault: Fault
    claimed: float | None
    """The number that is claimed; None where there is none."""
    found: float | None
    """The number that it is held against."""
    sentence: str
    """Both in words, and who has the second number."""

    @property
    def line(self) -> str:
        """All of it on one line."""
        return f"{self.folder}: {self.variant} on {self.instance}: {self.sentence}"


@dataclass(frozen=True)
class BestFound:
    """The least objective of any deployment of an instance that keeps every rule."""

    objective: float
    who: str


@dataclass(frozen=True)
class Judgement:
    """What is true of the runs on one instance."""

    runs: tuple[CheckedRun, ...]
    known: KnownValue | None
    """The library's value; None where it has none."""
    best: BestFound | None
    """Of the runs' deployments and the library's; None where there is none."""
    refutations: tuple[Refutation, ...]
    refuted: frozenset[int]
    """Places in `runs` of those that claim what cannot be true."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing fits, as the library knows, or as a run proves that nobody has refuted."""
        if self.best is not None:
            return False
        claims = any(run.row["status"] == Status.INFEASIBLE for k, run in enumerate(self.runs) if k not in self.refuted)
        return claims or (self.known is not None and self.known.known_as is KnownAs.INFEASIBLE)


def judged_by_instance(runs: Iterable[CheckedRun], values: Mapping[str, KnownValue]) -> dict[str, Judgement]:
    """Return the judgement of every instance, by its content hash.

    Parameters
    ----------
    runs : iterable of CheckedRun
    values : mapping
        What the library knows, by the name of the instance there.
    """
    by_instance = dict[str, list[CheckedRun]]()
    for run in runs:
        by_instance.setdefault(run.instance.content_hash, []).append(run)
    return {name: judged_together(here, values.get(here[0].name)) for name, here in by_instance.items()}


def judged_together(runs: Sequence[CheckedRun], known: KnownValue | None) -> Judgement:
    """Return what is true of runs on one and the same instance, which the library may know."""
    best = best_found(runs, known)
    faults = [(*own_faults(run), *_against(run, best)) for run in runs]
    refuted = frozenset(k for k, found in enumerate(faults) if found)
    return Judgement(tuple(runs), known, best, (*chain(*faults), *_library_faults(runs, known, best)), refuted)


def best_found(runs: Sequence[CheckedRun], known: KnownValue | None) -> BestFound | None:
    """Return the least objective that is known to be feasible; the library's where a run's is equal."""
    found = [BestFound(run.objective, run.who) for run in runs if run.objective is not None]
    best = min(found, key=lambda one: one.objective, default=None)
    if known is None or known.objective is None:
        return best
    if best is not None and _below(best.objective, known.objective):
        return best
    return BestFound(known.objective, LIBRARY)


def own_faults(run: CheckedRun) -> Iterator[Refutation]:
    """Yield what of a run's claims its own deployment and its own bound refute."""
    row, said = run.row, run.row["status"]
    if row["instance"] != run.instance.name:
        sentence = f"is recorded on '{row['instance']}', its content hash is that of '{run.instance.name}'"
        yield _refutation(run, Fault.OTHER_INSTANCE, sentence)
    if run.exact is None:
        if row["found"] or said in (Status.OPTIMAL, Status.FEASIBLE):
            yield _refutation(run, Fault.NO_DEPLOYMENT, f"says {said}, and records no deployment", row.get("objective"))
        return
    if not run.exact.feasible:
        if row["found"] or said in CLAIMS_FEASIBLE:
            yield _broken(run, run.exact)
        return
    yield from _numbers(run)


def _broken(run: CheckedRun, exact: ExactEvaluation) -> Refutation:
    """Return the refutation by the first rule that a deployment breaks."""
    said = run.row["status"]
    if exact.broken:
        return _refutation(run, Fault.BROKEN_RULE, f"says {said}, but {exact.broken[0]}")
    row = next(row for row in exact.rows if not row.holds)
    value, limit = as_float(row.value), as_float(row.limit)
    sentence = f"says {said}, but {row.subject} has {value!r} against {limit!r} (eq. {row.equation})"
    return _refutation(run, Fault.BROKEN_RULE, sentence, value, limit)


def _numbers(run: CheckedRun) -> Iterator[Refutation]:
    """Yield which of the numbers beside a feasible deployment are wrong."""
    objective, bound = run.objective, run.bound
    assert objective is not None
    for column, word in (("objective", "records"), ("claimed_objective", "claims")):
        claimed = run.row.get(column)
        if claimed is not None and not equal_energy(claimed, objective):
            sentence = f"{word} {claimed!r}, its deployment has {objective!r}"
            yield _refutation(run, Fault.OTHER_OBJECTIVE, sentence, claimed, objective)
    if bound is not None and run.row["status"] == Status.OPTIMAL and bound < objective * (1 - CLAIM_TOLERANCE):
        sentence = f"says that {objective!r} is optimal, its own bound is {bound!r}"
        yield _refutation(run, Fault.OWN_BOUND, sentence, objective, bound)


def _against(run: CheckedRun, best: BestFound | None) -> Iterator[Refutation]:
    """Yield what of a run's claims the best deployment of all refutes."""
    if best is None:
        return
    least, has = best.objective, f"{best.who} has {best.objective!r}"
    if run.row["status"] == Status.INFEASIBLE:
        yield _refutation(run, Fault.INFEASIBLE, f"says that nothing fits, {has}", None, least)
    if run.bound is not None and _below(least, run.bound):
        yield _refutation(run, Fault.BOUND, f"claims a bound of {run.bound!r}, {has}", run.bound, least)
    if run.row["status"] == Status.OPTIMAL and run.objective is not None and _below(least, run.objective):
        sentence = f"says that {run.objective!r} is optimal, {has}"
        yield _refutation(run, Fault.OPTIMUM, sentence, run.objective, least)


def _library_faults(
    runs: Sequence[CheckedRun], known: KnownValue | None, best: BestFound | None
) -> Iterator[Refutation]:
    """Yield what of the library's value a run's deployment refutes."""
    if known is None or best is None or best.who == LIBRARY:
        return
    name, least, has = runs[0].name, best.objective, f"{best.who} has {best.objective!r}"
    if known.known_as is KnownAs.INFEASIBLE:
        sentence = f"says that nothing fits, {has}"
        yield Refutation(LIBRARY, known.method, name, Fault.INFEASIBLE, None, least, sentence)
    if known.known_as is KnownAs.OPTIMAL:
        sentence = f"says that {known.objective!r} is optimal, {has}"
        yield Refutation(LIBRARY, known.method, name, Fault.OPTIMUM, known.objective, least, sentence)
    elif known.bound is not None and _below(least, known.bound):
        sentence = f"claims a bound of {known.bound!r}, {has}"
        yield Refutation(LIBRARY, known.method, name, Fault.BOUND, known.bound, least, sentence)


def _refutation(
    run: CheckedRun, fault: Fault, sentence: str, claimed: float | None = None, found: float | None = None
) -> Refutation:
    return Refutation(run.folder, run.variant, run.name, fault, claimed, found, sentence)


def _below(objective: float, bound: float) -> bool:
    return objective < bound - ENERGY_TOLERANCE * abs(bound)
