"""Certificates for the exact checker (`models.verify`): prices, multipliers and least costs that prove a bound.

One application needs no prices: the multiplier of its Lagrangian dual (eq. 19) and the objective are enough, and the
checker looks for every path that could be cheaper. For several, the prices are those that a run ended with, else those
of the relaxation that column generation solves (eq. 25); the certified bound is then the relaxation's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finbench.fin_graph.joint.columns.master import Aim
from finbench.fin_graph.joint.columns.pricing import load_pricing
from finbench.fin_graph.joint.columns.relaxation import Relaxation
from finbench.fin_graph.joint.system import SharedSystem, resource_name
from finbench.fin_graph.paths.alternatives import problems_of
from finbench.fin_graph.paths.arrays import Floats
from finbench.fin_graph.paths.bounds import lagrangian_dual
from finbench.fin_graph.paths.loading import load_compiled
from finbench.models.instance import Instance
from finbench.models.result import Clock, Result, Status
from finbench.models.tolerances import FLOAT_NOISE
from finbench.models.verify.certificate import (
    ApplicationProof,
    Certificate,
    CertificateKind,
    ResourceKind,
    ResourcePrice,
)
from finbench.models.versions import package_version

_WIDER = 1 + FLOAT_NOISE
"""Factor on least costs, so that the path that was found to cost the least is among those that the checker looks at."""


def certificate_of(
    instance: Instance, method: str, result: Result, *, time_limit_s: float | None = None
) -> Certificate | None:
    """Return a certificate for what a run claims; None where it claims neither a deployment nor that there is none.

    Parameters
    ----------
    instance : Instance
    method : str
        Name of the method, written into the certificate.
    result : Result
    time_limit_s : float, optional
        Limit for finding prices where the run left none [s].
    """
    infeasible = result.status is Status.INFEASIBLE
    if result.deployment is None and not infeasible:
        return None
    load_compiled()
    claim = CertificateKind.INFEASIBLE if infeasible else CertificateKind.BOUND
    prices: tuple[ResourcePrice, ...] = ()
    if len(instance.applications) == 1:
        guides = tuple(_alone(instance))
    else:
        load_pricing()
        system = SharedSystem.of(instance)
        of_resource = _prices(system, result, infeasible, Clock(time_limit_s))
        prices = tuple(_named(system, of_resource))
        guides = tuple(_guides(system, of_resource, with_power=not infeasible))
    return Certificate(
        instance=instance.content_hash,
        claim=claim,
        lower_bound=None,
        method=method,
        version=package_version("finbench") or "",
        prices=prices,
        applications=guides,
    )


def _alone(instance: Instance) -> Iterator[ApplicationProof]:
    """Yield the multiplier of the single application for each of its DNNs; nothing where no path meets its targets."""
    app = instance.applications[0]
    for problem in problems_of(instance, app):
        dual = lagrangian_dual(problem)
        if dual.incumbent is not None:
            yield ApplicationProof(application=app.name, dnn=problem.dnn, multiplier=app.weight * dual.multiplier)


def _prices(system: SharedSystem, result: Result, infeasible: bool, clock: Clock) -> Floats:
    """Return a price for every resource: those of the run, else those of the relaxation; shape (R,)."""
    named = {(price["resource"], price["subject"]): price["price_w"] for price in result.info.get("prices", ())}
    if named and not infeasible:
        names = (resource_name(system.topology.network, r) for r in range(system.resources))
        return np.array([named.get(name, 0.0) for name in names])
    relaxation = Relaxation(system, clock)
    if not relaxation.unservable:  # who cannot be served even alone needs no prices
        relaxation.solve(Aim.OVERLOAD if infeasible else Aim.POWER)
    return relaxation.bound.prices


def _named(system: SharedSystem, prices: Floats) -> Iterator[ResourcePrice]:
    for r in np.flatnonzero(prices > 0).tolist():
        kind, subject = resource_name(system.topology.network, r)
        yield ResourcePrice(resource=ResourceKind(kind), subject=subject, price_w=float(prices[r]))


def _guides(system: SharedSystem, prices: Floats, *, with_power: bool) -> Iterator[ApplicationProof]:
    """Yield multiplier and least known cost at the prices for the first member of every group and each alternative."""
    for group in system.groups:
        named = (
            (choice.application.named_dnn, choice.problem(prices, with_power=with_power)) for choice in group.choices
        )
        duals = [(dnn, lagrangian_dual(problem)) for dnn, problem in named if problem is not None]
        known = [dual.incumbent.energy for _, dual in duals if dual.incumbent is not None]
        for dnn, dual in duals:
            if dual.incumbent is not None:
                least = _WIDER * min(known)
                yield ApplicationProof(application=group.members[0], dnn=dnn, multiplier=dual.multiplier, least=least)
