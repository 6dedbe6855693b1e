"""The bound that a certificate's prices and multipliers prove, recomputed (eqs. 19, 25).

With v_h at most the least of λ_h · energy + Σ_r π_r u_r over the paths of application h that meet its targets alone,

    Σ_h min(ψ_h, v_h) − (1 + tolerance) Σ_r π_r  ≤  every deployment's objective       (ψ_h = ∞ where h must be served)

With the energies and penalties left out, a number above 0 proves that there is no deployment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from finbench.models.instance import Application, Instance
from finbench.models.verify.certificate import ApplicationProof, Certificate, CertificateKind, ResourceKind
from finbench.models.verify.costs import TOLERANCE
from finbench.models.verify.layered import Prices, floor_units, from_units, layered_network
from finbench.models.verify.least import Least, least_cost


class Unusable(ValueError):  # noqa: N818  (said of a certificate, caught by who asked)
    """A certificate that does not belong to the instance, in one line."""


@dataclass(frozen=True)
class Recomputed:
    """What a certificate proves."""

    bound: Fraction | None
    """No deployment's objective lies below it; None: there is no deployment."""
    unservable: str | None = None
    """An application that must be served and cannot be, even alone."""
    cut_short: tuple[str, ...] = ()
    """Applications whose paths were too many to look at: their part is what the multiplier proves."""


def recompute(instance: Instance, certificate: Certificate, objective: Fraction | None) -> Recomputed:
    """Recompute the bound of a certificate.

    Parameters
    ----------
    instance : Instance
    certificate : Certificate
    objective : Fraction or None
        The deployment's objective: of a single application, paths below it are looked for where the certificate names
        no other number.

    Raises
    ------
    Unusable
        If the certificate is for another instance, or names what is not there.
    """
    prices, guides = _checked(instance, certificate)
    with_energy = certificate.claim is CertificateKind.BOUND
    alone = objective if with_energy and len(instance.applications) == 1 else None
    known: dict[Any, Least] = {}
    total, cut_short = Fraction(0), list[str]()
    for app, guide in zip(instance.applications, _guides(instance, guides), strict=True):
        key = _kind_of(app), guide.multiplier, guide.least
        least = known.get(key)
        if least is None:
            layered = layered_network(instance, app, prices, with_energy=with_energy)
            below = alone if guide.least is None else Fraction(guide.least)
            least = least_cost(layered, Fraction(guide.multiplier), None if below is None else floor_units(below))
            known[key] = least
        penalty = None if app.rejection_penalty_w is None else Fraction(app.rejection_penalty_w) * with_energy
        if least.bound is None and penalty is None:
            return Recomputed(None, unservable=app.name)
        if not least.exhausted:
            cut_short.append(app.name)
        served = None if least.bound is None else from_units(least.bound)
        total += min(part for part in (penalty, served) if part is not None)
    bound = total - (1 + TOLERANCE) * sum(prices.values())
    if not with_energy:
        return Recomputed(None if bound > 0 else Fraction(0), cut_short=tuple(cut_short))
    return Recomputed(bound, cut_short=tuple(cut_short))


def _checked(instance: Instance, certificate: Certificate) -> tuple[Prices, dict[str, ApplicationProof]]:
    """Return prices and guides by name, or say what does not belong here."""
    if certificate.instance != instance.content_hash:
        raise Unusable("the certificate is for another instance (content hashes differ)")
    there = set(_resources(instance))
    prices: dict[tuple[ResourceKind, str], Fraction] = {}
    for price in certificate.prices:
        key = price.resource, price.subject
        if key not in there:
            raise Unusable(f"prices: there is no {price.resource} of '{price.subject}' to pay for")
        if key in prices:
            raise Unusable(f"prices: two for {price.resource} of '{price.subject}'")
        prices[key] = Fraction(price.price_w)
    guides = {guide.application: guide for guide in certificate.applications}
    unknown = sorted(guides.keys() - {app.name for app in instance.applications})
    if unknown or len(guides) < len(certificate.applications):
        raise Unusable(f"applications: {f'{unknown[0]!r} is unknown' if unknown else 'one is named twice'}")
    return prices, guides


def _resources(instance: Instance) -> Iterator[tuple[ResourceKind, str]]:
    """Yield every resource that there is a row for (eqs. 11–13, 21)."""
    for node in instance.network.nodes:
        yield (ResourceKind.RESERVATION if node.reserves else ResourceKind.COMPUTE), node.name
        if node.memory_bytes is not None:
            yield ResourceKind.MEMORY, node.name
    for link in instance.network.links:
        yield ResourceKind.BANDWIDTH, f"{link.source}->{link.target}"


def _guides(instance: Instance, guides: dict[str, ApplicationProof]) -> list[ApplicationProof]:
    """Return a guide for every application: its own, or that of one that differs in its name alone."""
    of_kind = {_kind_of(app): guides[app.name] for app in instance.applications if app.name in guides}
    return [
        guides.get(app.name, of_kind.get(_kind_of(app), ApplicationProof(application=app.name)))
        for app in instance.applications
    ]


def _kind_of(app: Application) -> tuple[Any, ...]:
    """Return all of an application that decides: everything but its name."""
    return tuple(
        tuple(sorted(value.items())) if isinstance(value, dict) else value
        for field in type(app).model_fields
        if field != "name"
        for value in (getattr(app, field),)
    )
