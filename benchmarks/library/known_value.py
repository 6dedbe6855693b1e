"""What is known of an instance since a date: an objective, a bound, who found them, and the files that prove them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from finbench.benchmarks.library.entry import NAME
from finbench.benchmarks.library.proofs import CERTIFICATE, checked_proof, independent_pair
from finbench.models.tolerances import ENERGY_TOLERANCE

SEPARATOR = "; "
"""Between the proofs of a row."""

FILE = r"[a-z]+/[A-Za-z0-9._-]+\.json"


class KnownAs(StrEnum):
    """How much is known of an instance."""

    OPTIMAL = "optimal"
    """The objective is proven to be the least: by two methods that share no code, the checker being one of these."""
    BEST = "best"
    """The objective is that of the best deployment known."""
    INFEASIBLE = "infeasible"
    """It is proven that there is no deployment."""


class KnownValue(BaseModel):
    """A row of `values.csv`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    """The instance's name in the library."""
    known_as: KnownAs
    """How much is known."""
    objective: float | None = None
    """Objective of the deployment [unit of the objective]; None where there is none."""
    bound: float | None = None
    """What the checker recomputes from the certificate: no deployment's objective lies below it."""
    method: str
    """Who found it."""
    proofs: str = ""
    """Who proves it: variants of methods, and `certificate` for the exact checker, separated by `; `."""
    version: str
    """Version of finbench that it was found with."""
    date: date
    """Day on which it came into the library."""
    deployment: Annotated[str | None, Field(pattern=f"^{FILE}$")] = None
    """File of the deployment; None where it is too large for the repository."""
    certificate: Annotated[str | None, Field(pattern=f"^{FILE}$")] = None
    """File of the certificate."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.objective is None) != (self.known_as is KnownAs.INFEASIBLE):
            raise ValueError(f"objective = {self.objective}: required unless nothing fits, and only then left out")
        if self.objective is not None and self.bound is not None and not self.meets(self.bound):
            raise ValueError(f"bound = {self.bound!r}: must not lie above the objective, {self.objective!r}")
        for proof in self.proven_by:
            checked_proof(proof, "proofs")
        if self.known_as is not KnownAs.BEST and independent_pair(self.proven_by) is None:
            raise ValueError(f"proofs = {self.proofs!r}: {self.known_as} needs two that share no code")
        if CERTIFICATE in self.proven_by and self.certificate is None:
            raise ValueError("certificate: required, for it is among the proofs")
        return self

    @property
    def proven_by(self) -> tuple[str, ...]:
        """The proofs, one by one."""
        return tuple(self.proofs.split(SEPARATOR)) if self.proofs else ()

    @property
    def gap(self) -> float | None:
        """(objective − bound)/bound: 0 where the optimum is proven, None without a positive bound."""
        if self.known_as is KnownAs.OPTIMAL:
            return 0.0
        if self.objective is None or self.bound is None or self.bound <= 0:
            return None
        return max(0.0, (self.objective - self.bound) / self.bound)

    def meets(self, bound: float) -> bool:
        """Return whether the objective is no lower than a bound, within the tolerance of energies."""
        assert self.objective is not None
        return self.objective >= bound - ENERGY_TOLERANCE * abs(bound)

    def follows(self, before: KnownValue) -> str | None:
        """Return why this may not come after `before`; None where it says more and nothing worse."""
        if self.date < before.date:
            return f"date = {self.date}: must not lie before {before.date}, that of the row before"
        return worse_than(before, self) or (None if better_than(before, self) else "says no more than is known")


def worse_than(known: KnownValue, new: KnownValue) -> str | None:
    """Return what of a new value is worse than what is known, or contradicts it; None where nothing is."""
    wrong = _worse_objective(known, new)
    if wrong is not None:
        return wrong
    if known.bound is not None and (new.bound is None or not _at_most(known.bound, new.bound)):
        return f"bound {new.bound!r} is worse than {known.bound!r}"
    if known.known_as is KnownAs.OPTIMAL and new.known_as is not KnownAs.OPTIMAL:
        return f"is {new.known_as}, and it is known to be {known.known_as}"
    return None


def _worse_objective(known: KnownValue, new: KnownValue) -> str | None:
    """Return why one objective may not follow another; either is None where nothing fits."""
    if known.objective is None or new.objective is None:
        contradicted = "the proof that nothing fits" if known.objective is None else "the deployment that is known"
        return None if known.objective == new.objective else f"objective {new.objective!r} contradicts {contradicted}"
    if not _at_most(new.objective, known.objective):
        return f"objective {new.objective!r} is worse than {known.objective!r}"
    if known.known_as is KnownAs.OPTIMAL and not _at_most(known.objective, new.objective):
        return f"objective {new.objective!r} contradicts the proven optimum {known.objective!r}"
    return None


def better_than(known: KnownValue, new: KnownValue) -> bool:
    """Return whether a new value says more: a lower objective, a higher bound, a proof or another prover."""
    if new.known_as is not known.known_as or set(new.proven_by) - set(known.proven_by):
        return True
    lower = known.objective is not None and new.objective is not None and not _at_most(known.objective, new.objective)
    higher = new.bound is not None and (known.bound is None or not _at_most(new.bound, known.bound))
    return lower or higher


def _at_most(one: float, other: float) -> bool:
    """Return one ≤ other, within the tolerance of energies."""
    return one <= other + ENERGY_TOLERANCE * max(abs(one), abs(other))
