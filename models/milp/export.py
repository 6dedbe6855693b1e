"""Write either program to a file that solvers outside this suite read, with names that people read.

A row is called after its equation, application and indices, `app.eq7_flow_conservation(1,edge)`; a column after its
symbol, `app.t(0,device,cloud)`. Objective and rows are those that the back ends get: scaled, the scale stands beside.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from highspy import HighsStatus
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from models.instance import Instance
from models.io import write_bytes
from models.milp import assignment, flow
from models.milp.costs import Capacities, costs_of
from models.milp.highs import new_highs, pass_model
from models.milp.solver import Limits
from models.milp.strengthen import everything

FORMATS = ("mps", "lp")
METHODS = ("milp-flow", "milp-assignment")

_UNREADABLE = re.compile(r"[^A-Za-z0-9_.,()]")
_LONGEST_NAME = 200


def write_program(instance: Instance, method: str, path: Path, file_format: str) -> float:
    """Write the plain program of `instance`.

    Parameters
    ----------
    instance : Instance
    method : {'milp-flow', 'milp-assignment'}
    path : Path
        Written whole or not at all.
    file_format : {'mps', 'lp'}

    Returns
    -------
    float
        The scale: times the file's optimum it is the objective (eq. 3).

    Raises
    ------
    ValueError
        If HiGHS cannot write the program.
    """
    all_costs = costs_of(instance)
    capacities = Capacities.of(instance.network, all_costs)
    if method == "milp-flow":
        model, _, scale = flow.build(all_costs, [everything(costs) for costs in all_costs], capacities)
    else:
        model, _, scale = assignment.build(all_costs, capacities)
    form = LinearStandardFormCompiler().write(model, mixed_form=True)
    highs = new_highs(Limits())
    pass_model(highs, form)
    for column, name in enumerate(_readable([variable.name for variable in form.columns])):
        highs.passColName(column, name)
    for row, name in enumerate(_readable([row.constraint.name for row in form.rows])):
        highs.passRowName(row, name)
    with TemporaryDirectory() as folder:
        written = Path(folder) / f"program.{file_format}"
        if highs.writeModel(str(written)) == HighsStatus.kError:
            raise ValueError(f"HiGHS cannot write the program as {file_format}")
        write_bytes(path, written.read_bytes())
    return scale


def _readable(names: list[str]) -> list[str]:
    """Names without what the formats forbid; a number is added where two become the same."""
    seen: dict[str, int] = {}
    readable = []
    for name in names:
        plain = re.sub(r"^application\[(.*?)\]\.", r"\1.", name).replace("[", "(").replace("]", ")")
        plain = _UNREADABLE.sub("_", plain)[:_LONGEST_NAME]
        plain = plain if plain[0].isalpha() else f"_{plain}"
        seen[plain] = seen.get(plain, 0) + 1
        readable.append(plain if seen[plain] == 1 else f"{plain}_{seen[plain]}")
    return readable
