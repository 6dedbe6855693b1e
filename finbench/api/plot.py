"""Pictures on Axes that the caller gives; those of a new figure where None is given. Each function returns the Axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from finbench.models.io import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from finbench.api.solution import Solution
    from finbench.benchmarks.planning.comparison import PricedPlan
    from finbench.fin_graph.frontier import ExitFrontier
    from finbench.models.instance import Instance

__all__ = ["frontier", "gaps", "nines", "placement", "profile", "system"]


def _given(ax: Axes | None) -> Axes:
    """Return the Axes, or those of a new figure in the style of all pictures."""
    if ax is not None:
        return ax
    import matplotlib as mpl
    from matplotlib import pyplot

    from finbench.benchmarks.plots.style import STYLE

    with mpl.rc_context(STYLE):
        made: Axes = pyplot.figure(layout="constrained").subplots()
    return made


def placement(ax: Axes | None, solution: Solution, *, application: str | None = None) -> Axes:
    """Draw which node runs each block: a lane for each node, the blocks in order along the way of the samples.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    solution : Solution
    application : str, optional
        Left out: the only one.

    Raises
    ------
    InputError
        If there is no deployment of it, or several and none is named.
    """
    from finbench.benchmarks.plots.style import COLOURS, literal

    decided = solution.placement(application)
    app = next(app for app in solution.instance.applications if app.name == decided.application)
    stops = (app.source, *decided.placement)
    lanes = {name: k for k, name in enumerate(dict.fromkeys(stops))}
    axes = _given(ax)
    heights = [lanes[name] for name in stops]
    axes.plot(range(len(stops)), heights, color=COLOURS[0], zorder=2)
    axes.plot(0, heights[0], "s", color=COLOURS[0], zorder=3)
    axes.plot(range(1, len(stops)), heights[1:], "o", markersize=9, markerfacecolor="white", color=COLOURS[0], zorder=3)
    axes.set_yticks(range(len(lanes)), [literal(name) for name in lanes])
    axes.set_xticks(range(len(stops)), ["sample", *map(str, range(1, len(stops)))])
    axes.set(xlabel="block", ylim=(-0.5, len(lanes) - 0.5))
    axes.invert_yaxis()
    chosen = "" if decided.dnn is None else f" of {literal(decided.dnn)}"
    axes.set_title(f"{literal(decided.application)}: last exit {decided.last_exit}{chosen}", loc="left")
    return axes


def frontier(ax: Axes | None, found: Sequence[ExitFrontier]) -> Axes:
    """Draw the least energy against the latency budget: a staircase for each exit, exact solid, FIN's dashed.

    In the units that suit, such as mJ and ms.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    found : sequence of ExitFrontier
        As `fb.frontier` returns them.

    Raises
    ------
    InputError
        If there is none: no exit can be reached.
    """
    from finbench.benchmarks.plots.frontier import draw_frontier, frontier_lines

    if not found:
        raise InputError("frontier", "no exit can be reached: there is nothing to draw")
    axes = _given(ax)
    draw_frontier(axes, found)
    axes.legend(handles=frontier_lines(found))
    return axes


def profile(ax: Axes | None, runs: pd.DataFrame, *, gap: float = 0.01, group: str | None = None) -> Axes:
    """Draw performance profiles: the part of the instances solved over the ratio to the fastest method's time.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    runs : pandas.DataFrame
        As `Results.to_frame` returns it.
    gap : float
        Largest gap to the best proven bound that counts as solved.
    group : str, optional
        Left out: the only one.

    Raises
    ------
    InputError
        If there is no such group, several and none is named, or its methods share no instance.
    """
    from finbench.benchmarks.analysis.aggregate import profiles
    from finbench.benchmarks.plots.profiles import draw_profile, profile_lines

    made = profiles(runs, gap)
    chosen = made[_one_of(group, made, "the methods share no instance in any group")]
    axes = _given(ax)
    draw_profile(axes, chosen)
    axes.legend(handles=profile_lines(chosen))
    return axes


def gaps(ax: Axes | None, runs: pd.DataFrame, *, group: str | None = None) -> Axes:
    """Draw FIN's gap to the optimum against γ: the mean, and the worst; hollow where FIN missed solvable instances.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    runs : pandas.DataFrame
        As `Results.to_frame` returns it.
    group : str, optional
        Left out: the only one.

    Raises
    ------
    InputError
        If no run of FIN has an instance whose optimum is proven, there is no such group, or several and none is named.
    """
    from finbench.benchmarks.analysis.gaps import gap_by_gamma
    from finbench.benchmarks.plots.gaps import draw_gaps, gap_lines

    table = gap_by_gamma(runs)
    nothing = "no run of FIN on an instance whose optimum is proven"
    name = _one_of(group, [] if table.empty else table["group"].unique(), nothing)
    here = table[table["group"] == name]
    axes = _given(ax)
    draw_gaps(axes, here)
    axes.legend(handles=gap_lines(here))
    return axes


def nines(ax: Axes | None, instance: Instance, found: Sequence[PricedPlan]) -> Axes:
    """Draw what plans cost against the share of samples that they keep in time: what is paid for each nine.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    instance : Instance
    found : sequence of PricedPlan
        As `fb.compare_plans` returns them.

    Raises
    ------
    InputError
        If none of them has a plan.
    """
    from finbench.benchmarks.plots.nines import draw_nines_on

    if all(one.plan is None for one in found):
        raise InputError("nines", "no plan was found: there is nothing to draw")
    axes = _given(ax)
    draw_nines_on(axes, instance, found)
    axes.legend(loc="best")
    return axes


def system(instance: Instance, solution: Solution | None = None) -> Figure:
    """Draw the network by tiers and, with a solution, how full it makes every node and link; return a new figure.

    Parameters
    ----------
    instance : Instance
    solution : Solution, optional
        Left out: the network alone.
    """
    from finbench.benchmarks.plots.system import draw_system

    return draw_system(instance, None if solution is None else solution.evaluation)


def _one_of(group: str | None, known: Iterable[str], nothing: str) -> str:
    """Return the group that is named, or the only one."""
    groups = list(known)
    if not groups:
        raise InputError("runs", nothing)
    if group is None and len(groups) == 1:
        return groups[0]
    if group not in groups:
        asked = "group: required where there are several" if group is None else f"group '{group}': no such group"
        raise InputError("runs", f"{asked}; there are: {', '.join(groups)}")
    return group
