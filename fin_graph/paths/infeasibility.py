"""Proofs, in one line, that one application cannot be placed."""

from __future__ import annotations

from finbench.fin_graph.paths.arrays import path_problem
from finbench.fin_graph.paths.bounds import meets
from finbench.fin_graph.paths.shortest import least_latency_path
from finbench.models.instance import Application, Instance
from finbench.models.nowhere import block_without_node


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
