"""The bound that a certificate's prices and multipliers prove, recomputed (eqs. 19, 25).

With v_h at most the least of λ_h · energy + Σ_r π_r u_r over the paths of application h, of all its alternatives (29),
that meet its targets alone,

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
    for app in instance.applications:
        penalty = None if app.rejection_penalty_w is None else Fraction(app.rejection_penalty_w) * with_energy
        parts = [] if penalty is None else [penalty]
        for choice in app.choices:
            guide = guides.of(choice)
            key = _kind_of(choice), guide.multiplier, guide.least
            least = known.get(key)
            if least is None:
                layered = layered_network(instance, choice, prices, with_energy=with_energy)
                below = alone if guide.least is None else Fraction(guide.least)
                least = least_cost(layered, Fraction(guide.multiplier), None if below is None else floor_units(below))
                known[key] = least
            parts += [] if least.bound is None else [from_units(least.bound)]
            if not least.exhausted and app.name not in cut_short:
                cut_short.append(app.name)
        if not parts:
            return Recomputed(None, unservable=app.name)
        total += min(parts)
    bound = total - (1 + TOLERANCE) * sum(prices.values())
    if not with_energy:
        return Recomputed(None if bound > 0 else Fraction(0), cut_short=tuple(cut_short))
    return Recomputed(bound, cut_short=tuple(cut_short))


def _checked(instance: Instance, certificate: Certificate) -> tuple[Prices, _Guides]:
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
    return prices, _Guides(instance, certificate.applications)


def _resources(instance: Instance) -> Iterator[tuple[ResourceKind, str]]:
    """Yield every resource that there is a row for (eqs. 11–13, 21)."""
    for node in instance.network.nodes:
        yield (ResourceKind.RESERVATION if node.reserves else ResourceKind.COMPUTE), node.name
        if node.memory_bytes is not None:
            yield ResourceKind.MEMORY, node.name
    for link in instance.network.links:
        yield ResourceKind.BANDWIDTH, f"{link.source}->{link.target}"


class _Guides:
    """The guide for every choice of an application: its own, or that of one that differs in its name alone.

    Raises
    ------
    Unusable
        If one is for an application or alternative that is not there, or two are for the same.
    """

    def __init__(self, instance: Instance, given: tuple[ApplicationProof, ...]) -> None:
        choices = {(app.name, choice.named_dnn): choice for app in instance.applications for choice in app.choices}
        self._own = {(guide.application, guide.dnn): guide for guide in given}
        unknown = sorted(name if dnn is None else f"{name}: {dnn}" for name, dnn in self._own.keys() - choices.keys())
        if unknown or len(self._own) < len(given):
            raise Unusable(f"applications: {f'{unknown[0]!r} is unknown' if unknown else 'one is named twice'}")
        self._of_kind = {_kind_of(choices[key]): guide for key, guide in self._own.items()}

    def of(self, choice: Application) -> ApplicationProof:
        """Return the guide; one without a multiplier where there is none."""
        of_kind = self._of_kind.get(_kind_of(choice), ApplicationProof(application=choice.name))
        return self._own.get((choice.name, choice.named_dnn), of_kind)


def _kind_of(app: Application) -> tuple[Any, ...]:
    """Return all of an application that decides: everything but its name."""
    return tuple(
        tuple(sorted(value.items())) if isinstance(value, dict) else value
        for field in type(app).model_fields
        if field != "name"
        for value in (getattr(app, field),)
    )
