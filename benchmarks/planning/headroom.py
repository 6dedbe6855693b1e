"""Planning with headroom: no part is filled above a utilisation ρ, and all take as long as they do there.

Samples that come at random to a server with fixed service times wait, at utilisation ρ, ρ/(2 (1 − ρ)) services on
average (M/D/1, Pollaczek and Khinchine; L. Kleinrock, Queueing Systems I, 1975, section 5.6). A service and its wait
take together

    f(ρ) = 1 + ρ / (2 (1 − ρ))

times the service alone: 1.5 at ρ = 1/2, 2.2 at 0.7, 5.5 at 0.9. A plan with headroom ρ keeps

    latency   with f t_{i,n} and f d/B_nm in the place of t_{i,n} and d/B_nm    (eqs. 2, 8)
    loads     within ρ K_n, ρ r K_n and ρ B_nm                                  (eqs. 11, 13, 22)

Both are said by an instance whose nodes and links are f times slower, at unchanged energies, and whose rates are
λ/(f ρ): a load λ/(f ρ) · s f t ≤ K is λ s t ≤ ρ K. Objective and penalties shrink alike, so that its optimum is the
cheapest plan with that headroom. With several places, or less random arrivals, waits are shorter than f says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from finbench.benchmarks.methods import run_method
from finbench.models.dnn import MeasuredBlocks
from finbench.models.evaluate import evaluate
from finbench.models.instance import DNN, Application, Device, Instance, Link, Node
from finbench.models.io import InputError
from finbench.models.result import Result, Status


def stretch(utilisation: float) -> float:
    """Return f(ρ), how many times its service a sample spends at a station of utilisation ρ, on average."""
    return 1 + utilisation / (2 * (1 - utilisation))


def with_headroom(instance: Instance, utilisation: float) -> Instance:
    """Return the instance whose plans leave headroom in `instance`; rates, objective and penalties are 1/(f ρ) as high.

    Parameters
    ----------
    instance : Instance
    utilisation : float
        The highest utilisation ρ, in (0, 1).

    Raises
    ------
    InputError
        If ρ is outside (0, 1), or an application has no rate: then nobody waits.
    """
    check_headroom(instance, utilisation)
    factor = stretch(utilisation)
    by = 1 / (factor * utilisation)
    network = instance.network.model_copy(
        update={
            "nodes": tuple(_slower_node(node, factor) for node in instance.network.nodes),
            "links": tuple(_slower_link(link, factor) for link in instance.network.links),
        }
    )
    return instance.model_copy(
        update={
            "network": network,
            "dnns": tuple(_slower_dnn(dnn, factor) for dnn in instance.dnns),
            "devices": tuple(_slower_device(device, factor) for device in instance.devices),
            "applications": tuple(_rarer(app, by) for app in instance.applications),
        }
    )


def check_headroom(instance: Instance, utilisation: float) -> None:
    """Raise InputError if there can be no such headroom."""
    if not 0 < utilisation < 1:
        raise InputError("--headroom", f"{utilisation:g}: must be a utilisation above 0 and below 1")
    for app in instance.applications:
        if app.rate_per_s is None:
            raise InputError(f"instance '{instance.name}'", f"application '{app.name}': rate_per_s: headroom needs it")


def solve_with_headroom(
    instance: Instance,
    utilisation: float,
    method: str,
    *,
    time_limit_s: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Result:
    """Return what a method finds among the plans with headroom, in terms of `instance`.

    The best of them need not be the best of all: an optimum with headroom is `feasible`, a bound is none of `instance`,
    and that nothing fits with headroom proves nothing without.

    Parameters
    ----------
    instance : Instance
    utilisation : float
        The highest utilisation ρ, in (0, 1).
    method : str
    time_limit_s : float, optional
    seed : int
    **options
        Of the method.

    Raises
    ------
    InputError
        As `with_headroom`, and if the method or an option is not known.
    """
    found = run_method(with_headroom(instance, utilisation), method, time_limit_s=time_limit_s, seed=seed, **options)
    return _in_terms_of(instance, utilisation, found)


def _in_terms_of(instance: Instance, utilisation: float, found: Result) -> Result:
    if found.deployment is None:
        if found.status is not Status.INFEASIBLE:
            return found
        return replace(found, status=Status.NO_SOLUTION, reason=f"nothing fits with headroom {utilisation:g}")
    status = Status.FEASIBLE if found.status is Status.OPTIMAL else found.status
    objective = evaluate(instance, found.deployment).objective
    info = {key: value for key, value in found.info.items() if key == "rejected"}  # others are of the other instance
    return replace(found, status=status, lower_bound=None, claimed_objective=objective, info=info)


def _slower_node(node: Node, factor: float) -> Node:
    rate = None if node.compute_ops_per_s is None else node.compute_ops_per_s / factor
    price = node.price_per_busy_s / factor
    update = {"compute_ops_per_s": rate, "power_w": node.power_w / factor, "price_per_busy_s": price}
    return node.model_copy(update=update)


def _slower_link(link: Link, factor: float) -> Link:
    return link.model_copy(update={"bandwidth_bit_per_s": link.bandwidth_bit_per_s / factor})


def _slower_dnn(dnn: DNN, factor: float) -> DNN:
    return dnn.model_copy(update={"measured": _slower_runs(dnn.measured, factor)}) if dnn.measured else dnn


def _slower_device(device: Device, factor: float) -> Device:
    return device.model_copy(update={"measured": _slower_runs(device.measured, factor)})


def _slower_runs(measured: Mapping[str, MeasuredBlocks], factor: float) -> dict[str, MeasuredBlocks]:
    """Return measurements that take `factor` times as long; an energy that was measured stays."""
    return {
        name: {block: run.model_copy(update={"time_s": run.time_s * factor}) for block, run in runs.items()}
        for name, runs in measured.items()
    }


def _rarer(app: Application, by: float) -> Application:
    penalty = None if app.rejection_penalty_w is None else app.rejection_penalty_w * by
    return app.model_copy(update={"rate_per_s": app.weight * by, "rejection_penalty_w": penalty})
