"""Proofs, in one line, that one application cannot be placed."""

from __future__ import annotations

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.own_loads import OwnLoads
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.instance import Application, Instance
from finbench.models.nowhere import block_without_node
from finbench.models.tolerances import accurate_enough


def reason_of_infeasibility(instance: Instance, app: Application) -> str | None:
    """Return why `app` could not be placed even if it were alone; None where it could.

    The least-latency path to the earliest accurate exit decides: it meets the target or nothing does. An application
    with alternatives has none that could be placed; the line then tells of the first.
    """
    found = [_reason_of_choice(instance, choice) for choice in app.choices]
    if None in found:
        return None
    return found[0] if len(found) == 1 else f"alternative '{app.dnns[0]}' (and no other either): {found[0]}"


def _reason_of_choice(instance: Instance, app: Application) -> str | None:
    problem = path_problem(instance, app)
    if problem is None:
        best = max(exit_.accuracy for exit_ in instance.dnn_of(app).exits)
        return f"no exit is accurate enough: {app.min_accuracy:.6g} is asked, {best:.6g} is the best"
    quickest = least_latency_path(problem)
    if quickest is None:
        return block_without_node(instance, app) or "no path leads from the source through all blocks and pins"
    if not meets(quickest.latency, problem.max_latency_s):
        return f"the least possible latency is {quickest.latency:.6g} s, {app.max_latency_s:.6g} s is asked"
    return None


def reason_nothing_fits(instance: Instance, app: Application) -> str:
    """Return why an application of which no path fits has none, in one line."""
    alone = reason_of_infeasibility(instance, app)
    if alone is not None:
        return alone
    app = app.choices[0] if len(app.choices) == 1 else app
    if len(app.choices) > 1:
        return "no path of any alternative that meets its targets fits the capacities"
    dnn, too_large = instance.dnn_of(app), OwnLoads.of(instance, app).too_large()
    depth = next(e.after_block for e in dnn.exits if accurate_enough(e.accuracy, app.min_accuracy))
    block = next((j for j in range(depth) if too_large[j].all()), None)
    if block is not None:
        return f"block {block + 1} alone asks every node for more memory or compute than it has"
    return "no path that meets its targets fits the capacities, even alone"
