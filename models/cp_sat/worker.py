"""Solves one program after the other with CP-SAT; the only file that imports OR-Tools.

OR-Tools and HiGHS cannot share a process (undefined symbols), so this one runs as a program of its own, by its path:

    python worker.py PARENT     programs come in as JSON, one a line; what happens goes out as JSON, one event a line

Every event has `at`, seconds since the run began: `step` imported, loaded or solved; `chosen`, the columns of an
incumbent; `bound`, what is proven. It ends with the process PARENT, whatever it is doing then.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

from ortools.sat.python import cp_model

PATROL_S = 0.2
"""How often it looks whether its parent is still there."""

STATUS = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "stopped",
    cp_model.UNKNOWN: "stopped",
    cp_model.INFEASIBLE: "infeasible",
}

Tell = Callable[..., None]


def main(parent: int) -> None:
    """Solve every program that comes in."""
    imported = time.monotonic()
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    for line in sys.stdin:
        task = json.loads(line)

        def tell(moment: float | None = None, began: float = task["began"], **event: Any) -> None:
            at = (time.monotonic() if moment is None else moment) - began
            sys.stdout.write(json.dumps({"at": at, **event}) + "\n")
            sys.stdout.flush()

        tell(imported, step="imported")
        solve(task, tell)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PATROL_S)
    os._exit(1)


def solve(task: dict[str, Any], tell: Tell) -> None:
    """Solve one program.

    Parameters
    ----------
    task : dict
        `program` (as `models.cp_sat.program.IntegerProgram.to_json` has it), `threads`, `seed`, `mip_gap`, and
        `deadline`, on the monotonic clock, or None.
    tell : callable
        Told of every event.
    """
    model, columns = loaded(task["program"])
    tell(step="loaded")
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = task["threads"]
    solver.parameters.random_seed = task["seed"]
    solver.parameters.relative_gap_limit = task["mip_gap"]
    solver.parameters.absolute_gap_limit = 0.0
    # Presolve of CP-SAT 9.15 loses solutions: 4 optima of 1,105 small shared systems (one even without probing).
    solver.parameters.cp_model_presolve = False
    if task["deadline"] is not None:
        solver.parameters.max_time_in_seconds = max(0.0, task["deadline"] - time.monotonic())
    solver.best_bound_callback = lambda bound: tell(bound=bound)
    said = solver.solve(model, _Incumbents(columns, tell))
    if said not in STATUS:
        raise ValueError(f"CP-SAT rejects the program: {model.validate()}")
    tell(step="solved", status=STATUS[said], bound=solver.best_objective_bound)


def loaded(program: dict[str, Any]) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
    """Return the model and its columns."""
    model = cp_model.CpModel()
    columns = [model.new_bool_var("") for _ in program["objective"]]
    for together in program["exactly_one"]:
        model.add_exactly_one([columns[j] for j in together])
    for numbers, coefficients, least, most in program["rows"]:
        body = cp_model.LinearExpr.weighted_sum([columns[j] for j in numbers], coefficients)
        model.add_linear_constraint(body, least, most)
    model.minimize(cp_model.LinearExpr.weighted_sum(columns, program["objective"]))
    return model, columns


class _Incumbents(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """Tells of every incumbent."""

    def __init__(self, columns: list[cp_model.IntVar], tell: Tell) -> None:
        super().__init__()
        self._columns, self._tell = columns, tell

    def on_solution_callback(self) -> None:
        """Tell which columns are 1, and what is proven."""
        chosen = [j for j, column in enumerate(self._columns) if self.boolean_value(column)]
        self._tell(chosen=chosen, bound=self.best_objective_bound)


if __name__ == "__main__":
    main(int(sys.argv[1]))
