"""Lists of what there is: methods, options, solvers, instances."""

from __future__ import annotations

from finbench.benchmarks.analysis.numbers import number
from finbench.benchmarks.methods import METHODS
from finbench.benchmarks.terminal.console import output, table
from finbench.models.instance import Device, Instance
from finbench.models.milp.solvers.registry import SOLVERS, Solver
from finbench.models.options import Options


def print_methods() -> None:
    """Print every method with its options, and every solver with the command that installs it."""
    rows = [
        (method.name, "exact" if method.exact else "heuristic", method.title, _option_names(method.options))
        for method in METHODS.values()
    ]
    console = output()
    console.print(table("methods", ("method", "kind", "how", "options (default)"), rows, text_columns=4))
    seen: dict[str, str] = {}
    for method in METHODS.values():
        for name, field in method.options.model_fields.items():
            seen.setdefault(name, field.description or "")
    console.print(table("options", ("option", "meaning"), sorted(seen.items()), text_columns=2))
    columns = ("solver", "what", "installed", "command that installs it", "without a licence at most")
    solvers = [*(_solver_row(solver) for solver in SOLVERS.values()), _cp_sat_row()]
    console.print(table("solvers of the MILPs, and CP-SAT", columns, solvers, text_columns=5))


def _solver_row(solver: Solver) -> tuple[str, ...]:
    return (solver.name, solver.title, solver.version() or "no", solver.install, solver.licence_limit or "")


def _cp_sat_row() -> tuple[str, ...]:
    from finbench.models.cp_sat import method

    return ("–", "CP-SAT, for the method cp-sat alone", method.version() or "no", method.INSTALL, "")


def _option_names(options: type[Options]) -> str:
    return ", ".join(f"{name}={field.default}" for name, field in options.model_fields.items())


def instance_row(name: str, instance: Instance) -> tuple[str, ...]:
    """Return size and targets of an instance, for the list of shipped ones."""
    app = instance.applications[0]
    dnns = instance.dnns_of(app)
    return (
        name,
        str(len(instance.network.nodes)),
        str(len(instance.network.links)),
        str(max(len(dnn.blocks) for dnn in dnns)),
        str(max(len(dnn.exits) for dnn in dnns)),
        number(app.max_latency_s),
        number(app.min_accuracy),
        instance.accounting.value,
    )


def device_row(device: Device) -> tuple[str, ...]:
    """Return what was measured on a device, for the list of shipped ones."""
    times = [sum(run.time_s for run in blocks.values()) for blocks in device.measured.values()]
    sizes = [len(blocks) for blocks in device.measured.values()]
    return (device.name, ", ".join(device.measured), ", ".join(map(str, sizes)), ", ".join(map(number, times)))
