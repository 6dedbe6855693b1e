"""Whether a deployment and its certificate prove what they claim: one verdict, and the numbers that decide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.verify.bound import Recomputed, Unusable, recompute
from finbench.models.verify.certificate import Certificate, CertificateKind
from finbench.models.verify.rows import ExactEvaluation, evaluate_exactly

EQUAL = Fraction(1, 10**6)
"""Relative gap up to which an objective counts as optimal."""


class Ruling(StrEnum):
    """What is known after checking."""

    PROVEN = "proven"
    """What is claimed holds."""
    NOT_PROVEN = "not proven"
    """It may hold; the certificate does not show it."""
    REFUTED = "refuted"
    """It does not hold."""


@dataclass(frozen=True)
class Verification:
    """The verdict and its numbers."""

    verdict: Ruling
    sentence: str
    """One line for people, with the number that decides."""
    evaluation: ExactEvaluation | None = None
    """The deployment in exact arithmetic, where there is one."""
    bound: Fraction | None = None
    """The recomputed bound, where one was asked for."""
    cut_short: tuple[str, ...] = ()
    """Applications whose paths were too many to look at."""

    @property
    def gap(self) -> Fraction | None:
        """(objective − bound)/bound; None where one of the two is missing or the bound is not positive."""
        objective = None if self.evaluation is None else self.evaluation.objective
        if objective is None or self.bound is None or self.bound <= 0:
            return None
        return (objective - self.bound) / self.bound


def verify(
    instance: Instance,
    deployment: Deployment | None,
    certificate: Certificate | None = None,
    *,
    claimed: float | None = None,
) -> Verification:
    """Check a deployment, and the proof that none is better or that there is none, in exact arithmetic.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment or None
        None only where the certificate claims that there is none.
    certificate : Certificate, optional
        Left out: feasibility and objective alone are checked.
    claimed : float, optional
        The objective that somebody claims; it must be the exact one within 1e-6.

    Returns
    -------
    Verification
        `proven` where the deployment is feasible and, with a certificate, within 1e-6 of the recomputed bound;
        `refuted` where the deployment is not feasible, a claimed number is wrong, or the certificate claims that there
        is no deployment beside a feasible one.
    """
    evaluation = None if deployment is None else evaluate_exactly(instance, deployment)
    if evaluation is not None:
        refuted = _refuted(evaluation, claimed)
        if refuted is not None:
            return Verification(Ruling.REFUTED, refuted, evaluation)
    if certificate is None:
        if evaluation is None:
            return Verification(Ruling.NOT_PROVEN, "there is neither a deployment nor a certificate")
        return Verification(Ruling.PROVEN, _feasible_sentence(evaluation), evaluation)
    try:
        found = recompute(instance, certificate, None if evaluation is None else evaluation.objective)
    except Unusable as error:
        return Verification(Ruling.NOT_PROVEN, str(error), evaluation)
    if certificate.claim is CertificateKind.INFEASIBLE:
        return _of_infeasibility(found, evaluation)
    return _of_bound(found, evaluation, certificate)


def _refuted(evaluation: ExactEvaluation, claimed: float | None) -> str | None:
    """Return why the deployment itself, or what is claimed of it, is wrong; None where it is right."""
    if evaluation.broken:
        return evaluation.broken[0]
    for row in evaluation.rows:
        if not row.holds:
            return (
                f"({row.equation}) {row.subject}: {shown(row.value)} against {shown(row.limit)}, "
                f"off by {shown(abs(row.slack))}"
            )
    objective = evaluation.objective
    assert objective is not None
    if claimed is not None and abs(objective - Fraction(claimed)) > EQUAL * max(abs(objective), abs(Fraction(claimed))):
        return f"the objective is {shown(objective)}, not {claimed!r}"
    return None


def _feasible_sentence(evaluation: ExactEvaluation) -> str:
    assert evaluation.objective is not None
    within = "" if evaluation.strictly_feasible else " within the tolerance of 1e-6"
    return f"feasible{within}, objective {shown(evaluation.objective)}"


def _of_infeasibility(found: Recomputed, evaluation: ExactEvaluation | None) -> Verification:
    if evaluation is not None:
        return Verification(Ruling.REFUTED, "there is a feasible deployment, and the claim that none is", evaluation)
    if found.bound is not None:
        return Verification(Ruling.NOT_PROVEN, "the prices do not show that nothing fits", cut_short=found.cut_short)
    if found.unservable is not None:
        return Verification(Ruling.PROVEN, f"no path of application '{found.unservable}' meets its targets")
    return Verification(Ruling.PROVEN, "all applications together ask for more than there is")


def _of_bound(found: Recomputed, evaluation: ExactEvaluation | None, certificate: Certificate) -> Verification:
    if found.bound is None:
        sentence = f"no path of application '{found.unservable}' meets its targets"
        verdict = Ruling.REFUTED if evaluation is not None else Ruling.PROVEN
        return Verification(verdict, sentence, evaluation)
    bound = found.bound

    def said(verdict: Ruling, sentence: str) -> Verification:
        return Verification(verdict, sentence, evaluation, bound, found.cut_short)

    claimed = certificate.lower_bound
    if claimed is not None and Fraction(claimed) - bound > EQUAL * abs(Fraction(claimed)):
        return said(Ruling.NOT_PROVEN, f"the certificate proves a bound of {shown(bound)}, not {claimed!r}")
    if evaluation is None or evaluation.objective is None:
        return said(Ruling.PROVEN, f"no objective lies below {shown(bound)}")
    objective = evaluation.objective
    if objective - bound <= EQUAL * abs(objective):
        return said(Ruling.PROVEN, f"optimal: objective {shown(objective)}, bound {shown(bound)}")
    gap = f", a gap of {shown(100 * (objective - bound) / bound)} %" if bound > 0 else ""
    return said(Ruling.NOT_PROVEN, f"objective {shown(objective)}, proven bound {shown(bound)}{gap}")


def shown(value: Fraction) -> str:
    """Return a rational number for people, with ten significant digits."""
    try:
        return f"{float(value):.10g}"
    except OverflowError:
        return f"about 10^{len(str(abs(value.numerator) // value.denominator)) - 1}"
