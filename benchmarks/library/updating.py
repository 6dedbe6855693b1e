"""New values for the library: checked in exact arithmetic, compared with what is known, and appended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import nextafter
from pathlib import Path

from finbench.benchmarks.library.checking import files_of
from finbench.benchmarks.library.known_value import SEPARATOR, KnownAs, KnownValue
from finbench.benchmarks.library.library import SOLU, VALUES, Library, load_library
from finbench.benchmarks.library.proofs import CERTIFICATE, checked_proof, independent_pair
from finbench.benchmarks.library.tables import table_text, text_of
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import InputError, load_deployment_file, validate, write_text
from finbench.models.verify.certificate import Certificate, CertificateKind
from finbench.models.verify.files import load_deployment_or_certificate
from finbench.models.verify.verdict import Ruling, Verification, verify
from finbench.models.versions import package_version

DEPLOYMENTS, CERTIFICATES = "solutions", "certificates"
"""Folders of the library."""

MOST_BYTES = 100_000
"""A larger file does not come into the library: the repository must stay small."""


@dataclass(frozen=True)
class GivenParts:
    """What the files of an update hold."""

    deployment: Deployment | None = None
    certificate: Certificate | None = None
    method: str = ""
    """The method that a file names, that of the deployment first."""


def given_parts(files: Sequence[Path]) -> GivenParts:
    """Read the files of an update.

    Raises
    ------
    InputError
        If a file cannot be read or breaks a rule, or there are two of a kind.
    """
    parts = GivenParts()
    for file in files:
        part = load_deployment_or_certificate(file)
        if isinstance(part, Certificate):
            _check_single(file, parts.certificate)
            parts = replace(parts, certificate=part, method=parts.method or part.method)
        else:
            _check_single(file, parts.deployment)
            made_for = load_deployment_file(file).made_for
            parts = replace(parts, deployment=part, method=parts.method if made_for is None else made_for.method)
    return parts


def _check_single(file: Path, before: Deployment | Certificate | None) -> None:
    if before is not None:
        raise InputError(file, f"is a second {type(before).__name__.lower()}: one at most")


def update(
    library: Library,
    name: str,
    deployment: Deployment | None,
    certificate: Certificate | None,
    *,
    method: str,
    proofs: Sequence[str] = (),
    on: date | None = None,
) -> KnownValue:
    """Append what a deployment, a certificate or both say of an instance, and return the new row.

    What is known beside that, such as the bound where only a better deployment is given, is carried over with its
    files. The files are written first, then the row, then `library.solu`; no file is written over.

    Parameters
    ----------
    library : Library
    name : str
        The instance.
    deployment, certificate : Deployment and Certificate or None
    method : str
        Who found it.
    proofs : sequence of str
        Methods that prove the optimum, or that nothing fits; the certificate counts by itself where it proves it.
    on : date, optional
        Day of the row; left out: today.

    Raises
    ------
    InputError
        If the checker refutes it, it is worse than what is known, says nothing new, or a file cannot be written.
    """
    entry = library.entry(name)
    known = library.values.get(entry.name)
    for proof in proofs:
        checked_proof(proof, f"library:{entry.name}")
    files = dict(_new_files(library, entry.name, deployment, certificate))
    whole = _RowInMaking(entry.name, entry.build(), known, *_completed(library, known, deployment, certificate))
    new = whole.value(method, proofs, on or date.today(), {folder: name for folder, (name, _) in files.items()})
    wrong = None if known is None else new.follows(known)
    if wrong is not None:
        raise InputError(f"library:{entry.name}", f"not appended: {wrong}")
    _write(library, new, dict(files.values()))
    return new


def _new_files(
    library: Library, name: str, deployment: Deployment | None, certificate: Certificate | None
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the folder of every part that is given, the name of its new file, and the file's text."""
    for folder, part in ((DEPLOYMENTS, deployment), (CERTIFICATES, certificate)):
        if part is None:
            continue
        text = _compact(part)
        if len(text) > MOST_BYTES:
            raise InputError(f"library:{name}", f"{folder}: {len(text)} bytes: must be at most {MOST_BYTES}")
        yield folder, (_new_file(library, folder, name), text)


def _completed(
    library: Library, known: KnownValue | None, deployment: Deployment | None, certificate: Certificate | None
) -> tuple[Deployment | None, Certificate | None]:
    """Return both parts: what is not given is what is known."""
    there = (None, None) if known is None else files_of(library.folder, known)
    return deployment or there[0], certificate or there[1]


@dataclass(frozen=True)
class _RowInMaking:
    """A deployment and a certificate of an instance together, given or known before."""

    name: str
    instance: Instance
    known: KnownValue | None
    deployment: Deployment | None
    certificate: Certificate | None

    def value(self, method: str, proofs: Sequence[str], on: date, files: Mapping[str, str]) -> KnownValue:
        """Return the row that the checker's verdict gives."""
        known, where = self.known, f"library:{self.name}"
        found = verify(self.instance, self.deployment, self.certificate)
        if found.verdict is Ruling.REFUTED:
            raise InputError(where, f"refuted: {found.sentence}")
        objective = _objective(found) or (known.objective if known else None)
        proven_by = [*(known.proven_by if known and _same(known.objective, objective) else ()), *proofs]
        if self._settles(found):
            proven_by.append(CERTIFICATE)
        fields = {
            "name": self.name,
            "known_as": _known_as(objective, proven_by),
            "objective": objective,
            "bound": _below(found) or (known.bound if known else None),
            "method": method,
            "proofs": SEPARATOR.join(dict.fromkeys(proven_by)),
            "version": package_version("finbench") or "unknown",
            "date": on,
            "deployment": files.get(DEPLOYMENTS, known.deployment if known else None),
            "certificate": files.get(CERTIFICATES, known.certificate if known else None),
        }
        return validate(fields, KnownValue, where)

    def _settles(self, found: Verification) -> bool:
        """Return whether the checker proves an optimum or that nothing fits, and not only a bound."""
        if self.certificate is None or found.verdict is not Ruling.PROVEN:
            return False
        return self.certificate.claim is CertificateKind.INFEASIBLE or found.evaluation is not None


def _known_as(objective: float | None, proven_by: Sequence[str]) -> KnownAs:
    if objective is None:
        return KnownAs.INFEASIBLE
    return KnownAs.OPTIMAL if independent_pair(dict.fromkeys(proven_by)) else KnownAs.BEST


def _objective(found: Verification) -> float | None:
    return None if found.evaluation is None or found.evaluation.objective is None else float(found.evaluation.objective)


def _below(found: Verification) -> float | None:
    """Return the recomputed bound as a float that does not lie above it."""
    if found.bound is None:
        return None
    near = float(found.bound)
    return near if near <= found.bound else nextafter(near, -1e308)


def _same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) <= 1e-9 * abs(one))


def _compact(part: Deployment | Certificate) -> str:
    """Return a part as the text of a file, on one line."""
    return json.dumps(part.model_dump(mode="json"), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _new_file(library: Library, folder: str, name: str) -> str:
    """Return the name of a file that is not there yet: NAME.json, then NAME.2.json and so on."""
    names = (f"{folder}/{name}{'' if k == 1 else f'.{k}'}.json" for k in range(1, 10_000))
    return next(each for each in names if not (library.folder / each).exists())


def _write(library: Library, new: KnownValue, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (library.folder / name).parent.mkdir(exist_ok=True)
        write_text(library.folder / name, text)
    rows = library.folder / VALUES
    write_text(rows, text_of(rows) + table_text(KnownValue, [new], head=False))
    write_text(library.folder / SOLU, load_library(library.folder).solu())
