"""Either formulation of an instance as the text of an MPS or LP file, for solvers outside this suite."""

from __future__ import annotations

from dataclasses import replace

from pyomo.core.base import ConcreteModel

from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.milp import assignment, flow
from finbench.models.milp.solvers.model_file import Format, ModelText, readable_text
from finbench.models.milp.solvers.standard_form import StandardForm
from finbench.models.programs.costs import Capacities, costs_of
from finbench.models.programs.strengthen import everything
from finbench.models.result import Clock


def program_text(instance: Instance, method: str, file_format: Format, *, strengthen: bool) -> ModelText:
    """Return the program that `method` would hand over, with readable names and its objective's unit in a comment.

    Parameters
    ----------
    instance : Instance
    method : {"milp-flow", "milp-assignment"}
    file_format : {"mps", "lp"}
    strengthen : bool
        Leave out what no optimal deployment uses; `milp-assignment` is plain either way.

    Raises
    ------
    finbench.models.io.InputError
        If `method` does not support the instance, or there is no program since bounds alone prove infeasibility.
    """
    build = _flow if method == "milp-flow" else _assignment
    model, scale = build(instance, strengthen)
    comment = "*" if file_format == "mps" else "\\"
    title = f"{comment} {method} of {instance.name}; an objective of 1 is {scale:.17g} {instance.objective_unit}\n"
    written = readable_text(StandardForm.of(model), file_format)
    return replace(written, text=title + written.text)


def _flow(instance: Instance, strengthen: bool) -> tuple[ConcreteModel, float]:
    all_costs = costs_of(instance)
    all_kept = flow.reduced(all_costs, None) if strengthen else [everything(costs) for costs in all_costs]
    if all_kept is None:
        raise InputError(instance.name, "bounds alone prove it infeasible; --plain writes the whole program")
    model, _, scale = flow.build(all_costs, all_kept, Capacities.of(instance.network, all_costs), Clock())
    return model, scale


def _assignment(instance: Instance, strengthen: bool) -> tuple[ConcreteModel, float]:  # noqa: ARG001
    reason = assignment.supports(instance)
    if reason is not None:
        raise InputError(instance.name, f"milp-assignment {reason}")
    all_costs = costs_of(instance)
    model, _, scale = assignment.build(all_costs, Capacities.of(instance.network, all_costs), Clock())
    return model, scale
