"""The registry of methods: one line each, and one way to run them.

A method is a module with `supports(instance, **options) -> str | None` and
`solve(instance, *, time_limit_s, seed, **options) -> Result`. It is imported when it is first used, so that a command
loads only the libraries of the methods it runs. To add one: write the module, its options if it has any, and a line
in `METHODS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal, Protocol, cast

from pydantic import BaseModel, ConfigDict, Field

from finbench.models.instance import Instance
from finbench.models.io import InputError, validate
from finbench.models.milp.solvers.registry import SolverName
from finbench.models.result import Clock, Result, Status


class MethodModule(Protocol):
    """What a method's module offers."""

    def supports(self, instance: Instance, **options: Any) -> str | None:
        """None, or one line that says why the method refuses the instance."""

    def solve(self, instance: Instance, *, time_limit_s: float | None, seed: int, **options: Any) -> Result:
        """Run the method."""


class Options(BaseModel):
    """Options of a method: names, defaults, ranges, one line of help each. This base has none."""

    always_shown: ClassVar[tuple[str, ...]] = ()
    """Options that a label names even at their default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class SolverOptions(Options):
    """Options of everything that hands a program to a solver."""

    mip_gap: Annotated[float, Field(ge=0)] = 0.0
    """Relative gap at which the solver may stop."""
    threads: Annotated[int, Field(ge=1)] = 1
    """Threads that the solver may use."""


class CpSatOptions(SolverOptions):
    """Options of `cp-sat`."""

    strengthen: bool = True
    """Remove what bounds prove useless before the solver starts; off: the plain formulation."""


class MilpOptions(SolverOptions):
    """Options of every mixed-integer program."""

    solver: SolverName = "highs"
    """The solver, one that `finbench methods` lists as installed."""


class MilpFlowOptions(MilpOptions):
    """Options of `milp-flow`."""

    strengthen: bool = True
    """Remove what bounds prove useless before the solver starts; off: the plain formulation."""
    warm_start: Literal["none", "fin"] = "none"
    """Start from FIN's deployment (its time is reported as phase warm_start)."""


class FinOptions(Options):
    """Options of `fin`."""

    always_shown = ("gamma",)

    gamma: Annotated[int, Field(ge=1)] = 100
    """Resolution: steps that the latency budget is divided into."""
    lambda_: Annotated[int, Field(ge=0)] | None = None
    """Keep only ends that use all but this many steps of the budget; left out: keep all."""
    backend: Literal["auto", "networkx", "arrays"] = "auto"
    """Three explicit graphs (networkx) or the compiled search (arrays)."""
    certify: Annotated[float, Field(ge=0)] | None = None
    """Double gamma until the proven gap is at most this; 0 asks for the optimum."""
    order: Literal["tightest", "largest", "given"] = "tightest"
    """Which of several applications comes first: least slack in latency, largest load, or as the instance says."""
    restarts: Annotated[int, Field(ge=0)] = 9
    """For several applications: further insertions in drawn orders, as far as effort lasts."""
    effort: Annotated[float, Field(ge=0)] = 1.0
    """For several applications: work of improvement; 1 is the default amount, 0 none."""


class SingleNodeOptions(Options):
    """Options of `single-node`."""

    node: Literal["best", "source"] = "best"
    """Everything on the best single node, or on the source."""


class LabelSettingOptions(Options):
    """Options of `label-setting`."""

    k: Annotated[int, Field(ge=1)] = 1
    """How many of the least-energy deployments to find."""


class ColumnGenerationOptions(Options):
    """Options of `column-generation`."""

    smoothing: bool = True
    """Price columns between the best prices and the master's; off: at the master's."""
    prove: bool = True
    """List the columns that a better solution could use, and solve over them."""


@dataclass(frozen=True)
class Method:
    """An entry of the registry."""

    name: str
    title: str
    """One line for people."""
    exact: bool
    """Whether it proves optimality when it is given enough time."""
    path: str
    """Where its module is."""
    options: type[Options] = Options

    def module(self) -> MethodModule:
        """The method's module, imported on first use."""
        return cast(MethodModule, import_module(self.path))


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "milp-flow", "MILP, a unit flow for each block output", True, "finbench.models.milp.flow", MilpFlowOptions
        ),
        Method("milp-assignment", "MILP, linearised products", True, "finbench.models.milp.assignment", MilpOptions),
        Method("cp-sat", "OR-Tools CP-SAT, whole numbers", True, "finbench.models.cp_sat.method", CpSatOptions),
        Method("label-setting", "non-dominated labels", True, "finbench.fin_graph.label_setting", LabelSettingOptions),
        Method("exhaustive", "complete enumeration, for tiny instances", True, "finbench.models.exhaustive"),
        Method(
            "column-generation",
            "Dantzig-Wolfe over deployments, with a bound",
            False,
            "finbench.fin_graph.joint.columns.column_generation",
            ColumnGenerationOptions,
        ),
        Method("fin", "FIN, the three-stage graph heuristic", False, "finbench.fin_graph.fin", FinOptions),
        Method("greedy", "first come, first served, one split each", False, "finbench.fin_graph.joint.greedy"),
        Method("larac", "Lagrangian relaxation, repeated shortest paths", False, "finbench.fin_graph.larac"),
        Method("mcp", "multi-constrained path (energy plays no part)", False, "finbench.fin_graph.mcp"),
        Method("single-node", "everything on one node", False, "finbench.fin_graph.single_node", SingleNodeOptions),
    )
}


def find_method(name: str) -> Method:
    """The method of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in METHODS:
        raise InputError(f"method '{name}'", f"no such method; methods: {', '.join(METHODS)}")
    return METHODS[name]


def check_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a method: those given, checked, and the defaults of the others.

    Raises
    ------
    InputError
        If the method is unknown, has no such option, or the value breaks the option's rule.
    """
    return validate(dict(options), find_method(name).options, f"method '{name}'").model_dump()


def label(name: str, options: Mapping[str, Any]) -> str:
    """Method and the options that differ from their defaults, for people."""
    declared = METHODS[name].options
    shown = [
        f"{option.rstrip('_')}={value}"
        for option, value in options.items()
        if option in declared.always_shown or value != declared.model_fields[option].default
    ]
    return f"{name} ({', '.join(shown)})" if shown else name


def run_method(
    instance: Instance, name: str, *, time_limit_s: float | None = None, seed: int = 0, **options: Any
) -> Result:
    """Run a method on an instance.

    Parameters
    ----------
    instance : Instance
    name : str
        A key of `METHODS`.
    time_limit_s : float or None
        Limit for the whole run, a warm start included [s].
    seed : int
    **options
        As the method's options class declares.

    Returns
    -------
    Result
        With status `unsupported` and a reason where the method refuses the instance.

    Raises
    ------
    InputError
        If the method is unknown or an option is not one of its own.
    """
    checked = check_options(name, options)
    if "warm_start" in checked:
        return _run_warm(instance, name, time_limit_s, seed, checked)
    return _run(instance, name, time_limit_s, seed, checked)


def _run(instance: Instance, name: str, time_limit_s: float | None, seed: int, options: dict[str, Any]) -> Result:
    module = METHODS[name].module()
    reason = module.supports(instance, **options)
    if reason is not None:
        return Result(Status.UNSUPPORTED, reason=reason)
    return module.solve(instance, time_limit_s=time_limit_s, seed=seed, **options)


def _run_warm(instance: Instance, name: str, time_limit_s: float | None, seed: int, options: dict[str, Any]) -> Result:
    """Run a method that takes a deployment to start from; the first run's time is a phase of its own."""
    first = options.pop("warm_start")
    if first == "none":
        return _run(instance, name, time_limit_s, seed, {**options, "warm_start": None})
    clock = Clock(time_limit_s)
    with clock.phase("warm_start"):
        start = _run(instance, first, time_limit_s, seed, check_options(first, {}))
    if start.status is Status.UNSUPPORTED:
        return Result(Status.UNSUPPORTED, reason=f"warm start: {first} {start.reason}", times_s=clock.times_s)
    result = _run(instance, name, clock.remaining_s, seed, {**options, "warm_start": start.deployment})
    info = {**result.info, "warm_start": {"method": first, "status": start.status.value}}
    if "trajectory" in info:
        info["trajectory"] = [(at + clock.times_s["warm_start"], *point) for at, *point in info["trajectory"]]
    return replace(result, times_s={**clock.times_s, **result.times_s}, info=info)
