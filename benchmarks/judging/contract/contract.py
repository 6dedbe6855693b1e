"""A method held to the contract: every case, with other seeds, limits and options, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args, get_origin

from finbench.benchmarks.judging.contract.cases import Case, cases
from finbench.benchmarks.judging.contract.checks import GRACE_S, Check, Finding, findings, lacks_proof
from finbench.benchmarks.judging.contract.trial import Trial, TrialSetup, change_of, tried
from finbench.benchmarks.judging.contract.truth import Truth, truth_of
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.methods import Method
from finbench.models.instance import Instance
from finbench.models.result import Status

ENOUGH_S = 30.0
"""Limit that is enough for the small cases [s]."""

SHORT_S = 0.5
"""Limit on the large ones [s]."""

LONGEST_REASON = 300
"""Characters of a refusal."""

Progress = Callable[[str, int, int], None]
"""Told the kind of the case that comes, its number and how many there are."""


@dataclass(frozen=True)
class Breach:
    """A check that fails on an instance."""

    check: Check
    kind: str
    """What is particular about the instance."""
    asked: TrialSetup
    message: str


@dataclass
class ContractReport:
    """What was checked, and what failed."""

    method: Method
    tried: Counter[Check] = field(default_factory=Counter)
    """How many runs each check looked at."""
    breaches: list[Breach] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Kinds of cases that the method refuses, with its reason."""
    answered: Counter[str] = field(default_factory=Counter)
    """Kinds of cases that it does not."""

    def failed(self, check: Check) -> int:
        """Return how many failures of a check there are."""
        return sum(breach.check is check for breach in self.breaches)


def examine(
    method: Method,
    *,
    quick: bool = False,
    chosen: Sequence[Case] | None = None,
    progress: Progress = lambda _kind, _number, _total: None,
) -> ContractReport:
    """Hold a method to the contract.

    Parameters
    ----------
    method : Method
    quick : bool
        Only the few cases that are marked so.
    chosen : sequence of Case, optional
        Other cases than those of `contract.cases`.
    progress : callable

    Returns
    -------
    ContractReport
    """
    here = [case for case in (cases() if chosen is None else chosen) if case.quick or not quick or chosen is not None]
    examination = _Examination(method)
    examination.look_at_options()
    for number, case in enumerate(here, start=1):
        progress(case.kind, number, len(here))
        examination.look_at(case)
    examination.look_at_choices(here)
    return examination.close(here)


class _Examination:
    """A method under examination, and what is known of it so far."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._report = ContractReport(method)
        self._warm = False
        self._barren: list[Case] = []
        self._fruitful = False

    def look_at_options(self) -> None:
        """Check that every option has a default and a line of help."""
        nothing = cases()[0]
        for name, option in self._method.options.model_fields.items():
            self._note(Check.OPTIONS, nothing, TrialSetup(nothing.instance), self._faults_of(name, option))

    def look_at(self, case: Case) -> None:
        """Run a method on a case in every way that the contract asks for."""
        if not self._is_supported(case):
            return
        self._report.answered[case.kind] += 1
        truth = truth_of(case, self._method.name)
        asked = TrialSetup(case.instance, time_limit_s=ENOUGH_S if case.solvable else SHORT_S)
        if not self._warm:
            self._warm = True
            tried(self._method, replace(asked, time_limit_s=ENOUGH_S))  # loads libraries and compiled code
        first = self._run(case, asked, truth)
        if not case.solvable:
            self._check_limit(case, first)
            return
        if truth.optimum is not None:
            self._barren.append(case)
            self._fruitful |= first.judged is not None and (first.judged.found or first.judged.lower_bound is not None)
        if self._method.exact and first.judged is not None:
            self._note(Check.PROOFS, case, asked, lacks_proof(first.judged, truth))
        if first.judged is not None:
            again = self._run(case, asked, truth)
            self._note(Check.DETERMINISM, case, asked, _differences(first, again))
        self._run(case, replace(asked, seed=1), truth)
        self._check_limit(case, self._run(case, replace(asked, time_limit_s=0.0), truth))

    def look_at_choices(self, here: Iterable[Case]) -> None:
        """Run each word that an option allows, on the first two small cases that the method takes."""
        taken = [case for case in here if case.solvable and case.kind not in self._report.refused][:2]
        for option, value in _choices(self._method):
            for case in taken:
                asked = TrialSetup(case.instance, {option: value}, time_limit_s=ENOUGH_S)
                if self._refusal(asked) is None:
                    self._run(case, asked, truth_of(case, self._method.name))

    def close(self, here: Sequence[Case]) -> ContractReport:
        """Return the report; a method that refuses everything, or never finds anything, does not keep the contract."""
        report = self._report
        if here and not report.answered and not report.breaches:
            refused = f"refuses everything: {next(iter(report.refused.values()))}"
            self._note(Check.REFUSALS, here[0], TrialSetup(here[0].instance), [(Check.REFUSALS, refused)])
        if self._barren and not self._fruitful:
            nothing = f"finds neither deployment nor bound on any of {len(self._barren)} instances that have one"
            self._note(Check.ANSWERS, self._barren[0], TrialSetup(self._barren[0].instance), [(Check.ANSWERS, nothing)])
        return report

    def _faults_of(self, name: str, option: Any) -> Iterator[Finding]:
        if option.is_required():
            yield Check.OPTIONS, f"option '{name}' has no default"
        if not option.description:
            yield Check.OPTIONS, f"option '{name}' has no line of help: write it below the field, as a docstring"

    def _is_supported(self, case: Case) -> bool:
        asked = TrialSetup(case.instance)
        try:
            reason, again = self._refusal(asked), self._refusal(asked)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is told)
            raised = f"`supports` raises {type(error).__name__}: {error}"
            self._note(Check.REFUSALS, case, asked, [(Check.REFUSALS, raised)])
            return False
        self._note(Check.REFUSALS, case, asked, _faults_of_refusal(reason, again))
        if reason is not None:
            self._report.refused.setdefault(case.kind, str(reason))
        return reason is None

    def _refusal(self, asked: TrialSetup) -> object:
        instance = Instance.model_validate(asked.instance.model_dump(mode="json"))
        reason: object = self._method.module().supports(instance, self._method.checked(asked.options))
        if change_of(instance, asked.instance):
            raise RuntimeError("it changes the instance")
        return reason

    def _run(self, case: Case, asked: TrialSetup, truth: Truth) -> Trial:
        trial = tried(self._method, asked)
        found = list(findings(trial, truth))
        looked_at = {Check.ANSWERS, Check.INSTANCE}
        if trial.judged is not None:
            looked_at |= _looked_at(trial.judged, truth)
            if trial.judged.result.status is Status.UNSUPPORTED:
                found += _faults_of_refusal(trial.judged.result.reason, trial.judged.result.reason)
        self._report.tried.update(looked_at | {check for check, _ in found})
        self._report.breaches += [Breach(check, case.kind, asked, message) for check, message in found]
        return trial

    def _check_limit(self, case: Case, trial: Trial) -> None:
        """Check that a run kept its limit; a busy machine is given another chance."""
        limit = trial.asked.time_limit_s
        allowed = limit + max(GRACE_S, 0.1 * limit)
        seconds = trial.seconds
        if seconds > allowed:
            seconds = min(seconds, tried(self._method, trial.asked).seconds)
        message = f"took {seconds:.2f} s at a limit of {limit:g} s"
        self._note(Check.LIMITS, case, trial.asked, [(Check.LIMITS, message)] if seconds > allowed else [])

    def _note(self, check: Check, case: Case, asked: TrialSetup, found: Iterable[Finding]) -> None:
        self._report.tried[check] += 1
        self._report.breaches += [Breach(each, case.kind, asked, message) for each, message in found]


def _looked_at(judged: Judged, truth: Truth) -> set[Check]:
    """Return the checks that look at what a run returned."""
    status, result = judged.result.status, judged.result
    looked = {Check.RECORDS}
    looked |= {Check.DEPLOYMENTS, Check.OBJECTIVES} if result.deployment is not None else set()
    if truth.known:
        looked |= {Check.OPTIMALITY} if status is Status.OPTIMAL else set()
        looked |= {Check.INFEASIBILITY} if status is Status.INFEASIBLE else set()
        looked |= {Check.BOUNDS} if result.lower_bound is not None else set()
    return looked


def _faults_of_refusal(reason: object, again: object) -> Iterator[Finding]:
    if reason != again:
        yield Check.REFUSALS, f"says {reason!r}, and then {again!r}"
    if reason is None:
        return
    words = reason.split() if isinstance(reason, str) else []
    if len(words) < 2 or not str(reason).isprintable() or len(str(reason)) > LONGEST_REASON:
        yield Check.REFUSALS, f"refuses by {str(reason)[:LONGEST_REASON]!r}: must be one line of words"


def _differences(first: Trial, again: Trial) -> Iterator[Finding]:
    told, told_again = _told(first), _told(again)
    for name, value in told.items():
        if told_again.get(name) != value:
            yield Check.DETERMINISM, f"with the same seed, {name} is {value!r} and then {told_again.get(name)!r}"
            return


def _told(trial: Trial) -> dict[str, object]:
    if trial.judged is None:
        return {}
    result = trial.judged.result
    return {
        "status": result.status.value,
        "claimed_objective": result.claimed_objective,
        "lower_bound": result.lower_bound,
        "reason": result.reason,
        "deployment": None if result.deployment is None else result.deployment.model_dump_json(),
    }


def _choices(method: Method) -> Iterator[tuple[str, object]]:
    """Yield every word, and on and off, that an option allows beside its default."""
    for name, option in method.options.model_fields.items():
        annotation = option.annotation
        words = get_args(annotation) if get_origin(annotation) is Literal else ()
        words = (True, False) if annotation is bool else words
        yield from ((name, word) for word in words if word != option.default)
