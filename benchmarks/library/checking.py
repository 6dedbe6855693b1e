"""The library checked: every instance made again, every value and every proof recomputed in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from finbench.benchmarks.library.entry import LibraryEntry
from finbench.benchmarks.library.known_value import KnownAs, KnownValue
from finbench.benchmarks.library.library import SOLU, Library
from finbench.benchmarks.library.proofs import CERTIFICATE
from finbench.benchmarks.library.tables import text_of
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.tolerances import FLOAT_NOISE
from finbench.models.verify.certificate import Certificate
from finbench.models.verify.files import load_deployment_or_certificate
from finbench.models.verify.verdict import Ruling, Verification, verify


@dataclass(frozen=True)
class LibraryFinding:
    """What the check of one instance came to."""

    name: str
    values: int
    """Values that were checked."""
    files: int
    """Deployments and certificates that were checked."""
    proven: bool = False
    """Whether the checker itself proves the newest value."""
    fault: str | None = None
    """What does not hold, in one line; None where everything does."""


def check_library(
    library: Library, entries: Sequence[LibraryEntry], told: Callable[[int, int], None] = lambda *_: None
) -> Iterator[LibraryFinding]:
    """Yield what the check of each instance comes to; `told` hears how many of how many are done.

    Raises
    ------
    InputError
        If `library.solu` does not say what the values say.
    """
    check_solu(library)
    for k, entry in enumerate(entries):
        told(k, len(entries))
        yield check_entry(library, entry)
    told(len(entries), len(entries))


def check_solu(library: Library) -> None:
    """Raise InputError where `library.solu` has a line that the values do not give."""
    file = library.folder / SOLU
    there, due = text_of(file).splitlines(), library.solu().splitlines()
    for k, (one, other) in enumerate(zip(there, due, strict=False), start=1):
        if one != other:
            raise InputError(file, f"line {k}: '{one[:100]}': must be '{other}', as the values say")
    if len(there) != len(due):
        raise InputError(file, f"has {len(there)} lines: must have {len(due)}, one for each instance")


def check_entry(library: Library, entry: LibraryEntry) -> LibraryFinding:
    """Return what the check of one instance comes to."""
    rows = library.history.get(entry.name, ())
    files = [name for row in rows for name in (row.deployment, row.certificate) if name is not None]
    proven = False
    try:
        instance = entry.build()
        for row in rows:
            proven = check_value(instance, row, *files_of(library.folder, row)).verdict is Ruling.PROVEN
    except InputError as error:
        return LibraryFinding(entry.name, len(rows), len(files), fault=str(error))
    return LibraryFinding(entry.name, len(rows), len(files), proven and bool(rows) and rows[-1].certificate is not None)


def files_of(folder: Path, value: KnownValue) -> tuple[Deployment | None, Certificate | None]:
    """Return the deployment and the certificate of a value, each None where it has no file.

    Raises
    ------
    InputError
        If a file cannot be read, breaks a rule, or holds the other of the two.
    """
    found: list[Deployment | Certificate | None] = []
    for name, kind in ((value.deployment, Deployment), (value.certificate, Certificate)):
        part = None if name is None else load_deployment_or_certificate(folder / name)
        if part is not None and not isinstance(part, kind):
            raise InputError(folder / str(name), f"must hold a {kind.__name__.lower()}")
        found.append(part)
    deployment, certificate = found
    assert deployment is None or isinstance(deployment, Deployment)
    assert certificate is None or isinstance(certificate, Certificate)
    return deployment, certificate


def check_value(
    instance: Instance, value: KnownValue, deployment: Deployment | None, certificate: Certificate | None
) -> Verification:
    """Return the checker's verdict on a value, if everything that the value says holds.

    Raises
    ------
    InputError
        If the checker refutes it, recomputes a lower bound than it says, or does not prove what it should.
    """
    where = f"library:{value.name}"
    if deployment is None and certificate is None:
        raise InputError(where, "has neither a deployment nor a certificate to check")
    if deployment is not None and value.objective is None:
        raise InputError(where, "has a deployment, and says that nothing fits")
    found = verify(instance, deployment, certificate, claimed=value.objective if deployment is not None else None)
    if found.verdict is Ruling.REFUTED:
        raise InputError(where, f"refuted: {found.sentence}")
    if value.bound is not None and (found.bound is None or found.bound < bound_at_least(value.bound)):
        raise InputError(where, f"bound = {value.bound!r}: the checker finds: {found.sentence}")
    if CERTIFICATE in value.proven_by and found.verdict is not Ruling.PROVEN:
        raise InputError(where, f"the certificate does not prove it: {found.sentence}")
    if certificate is not None and value.known_as is not KnownAs.INFEASIBLE and value.bound is None:
        raise InputError(where, "bound: required beside a certificate")
    return found


def bound_at_least(bound: float) -> Fraction:
    """Return what a recomputed bound must reach: the bound that was written down, less the noise of a float."""
    return Fraction(bound) - Fraction(FLOAT_NOISE) * abs(Fraction(bound))
