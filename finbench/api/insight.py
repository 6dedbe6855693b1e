"""What latency and accuracy cost, and why nothing fits or what more of a resource is worth."""

from __future__ import annotations

from finbench.fin_graph.frontier import ExitFrontier
from finbench.fin_graph.joint.explanation.explain import Explanation
from finbench.models.instance import Instance


def frontier(
    instance: Instance, *, gamma: int = 200, horizon_s: float | None = None, time_limit_s: float | None = None
) -> tuple[ExitFrontier, ...]:
    """Find the least energy for every latency budget and every exit, exact and by FIN.

    Parameters
    ----------
    instance : Instance
        Of one application that may not be rejected, on nodes that offer no shares to reserve.
    gamma : int
        FIN's resolution γ over the whole range.
    horizon_s : float, optional
        Largest latency budget [s]; left out: the one from which more saves nothing.
    time_limit_s : float, optional
        Limit for the exact frontiers [s].

    Returns
    -------
    tuple of ExitFrontier
        One for each exit that can be reached; `fb.plot.frontier` draws them.

    Raises
    ------
    InputError
        If the instance has several applications, rejections or service levels, the horizon is no positive number, or
        so many steps do not fit into memory.
    """
    from finbench.benchmarks.terminal.frontier_view import instance_frontiers

    return instance_frontiers(instance, gamma=gamma, horizon_s=horizon_s, time_limit_s=time_limit_s)


def explain(instance: Instance, *, time_limit_s: float | None = 60.0, seed: int = 0) -> Explanation:
    """Say why nothing fits and what would help; where all fits, what more of every resource would be worth.

    Parameters
    ----------
    instance : Instance
    time_limit_s : float or None
        Limit for everything together [s].
    seed : int

    Returns
    -------
    Explanation
    """
    from finbench.fin_graph.joint.explanation.explain import explain as explained

    return explained(instance, time_limit_s=time_limit_s, seed=seed)
