"""The registry of methods: one line each, and one way to run them.

A method is a module with `supports(instance, options) -> str | None` and
`solve(instance, options, *, time_limit_s, seed) -> Result`. It is imported when it is first used, so that a command
loads only the libraries of the methods it runs. To add one: write the module, a class of its options if it has any, and
a line in `METHODS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Protocol, cast

from finbench.fin_graph.options import ColumnGenerationOptions, FinOptions, LabelSettingOptions, SingleNodeOptions
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import InputError, validate
from finbench.models.milp.options import MilpFlowOptions, MilpOptions
from finbench.models.milp.solvers.registry import SOLVERS
from finbench.models.news import News, tell
from finbench.models.options import Options, ReducedProgramOptions
from finbench.models.result import LOAD, Clock, Result, Status

Choice = tuple[str, dict[str, Any]]
"""A method's name and its options."""


class MethodModule(Protocol):
    """The two functions that a method's module has."""

    def supports(self, instance: Instance, options: Any) -> str | None:
        """Return one line that says why the method refuses the instance with these options; None where it does not."""

    def solve(self, instance: Instance, options: Any, *, time_limit_s: float | None, seed: int, **start: Any) -> Result:
        """Run the method; `options` is an object of the class that the registry names.

        A method with an option `warm_start` takes `start`, a deployment or None, as well.
        """


@dataclass(frozen=True)
class Method:
    """A method, as the registry holds it."""

    name: str
    title: str
    """One line for people."""
    exact: bool
    """Whether it proves optimality when it is given enough time."""
    path: str
    """Import path of its module."""
    options: type[Options] = Options

    def module(self) -> MethodModule:
        """Import the method's module, on first use, and return it."""
        return cast(MethodModule, import_module(self.path))

    def label(self, options: Mapping[str, Any], named: Collection[str] = ()) -> str:
        """Return the method and the options that differ from their defaults, for people.

        Options in `named` are told at their defaults too. Threads that a solver does not use are not named.
        """
        declared = self.options
        solver = SOLVERS.get(options.get("solver", ""))
        shown = [
            f"{option.rstrip('_')}={value}"
            for option, value in options.items()
            if not (option == "threads" and solver is not None and solver.one_thread)
            if option in declared.always_shown or option in named or value != declared.model_fields[option].default
        ]
        return f"{self.name} ({', '.join(shown)})" if shown else self.name

    def checked(self, given: Mapping[str, Any]) -> Options:
        """Return the options given, checked, and the defaults of the others.

        Raises
        ------
        InputError
            If the method has no such option, or a value breaks the option's rule.
        """
        return validate(dict(given), self.options, f"method '{self.name}'")


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "milp-flow", "MILP, a unit flow for each block output", True, "finbench.models.milp.flow", MilpFlowOptions
        ),
        Method("milp-assignment", "MILP, linearised products", True, "finbench.models.milp.assignment", MilpOptions),
        Method(
            "cp-sat", "OR-Tools CP-SAT, whole numbers", True, "finbench.models.cp_sat.method", ReducedProgramOptions
        ),
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
    """Return the method of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in METHODS:
        raise InputError(f"method '{name}'", f"no such method; methods: {', '.join(METHODS)}")
    return METHODS[name]


def check_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a method: those given, checked, and the defaults of the others.

    Raises
    ------
    InputError
        If the method is unknown, has no such option, or the value breaks the option's rule.
    """
    return find_method(name).checked(options).model_dump()


def label(name: str, options: Mapping[str, Any], named: Collection[str] = ()) -> str:
    """Return a method and the options that differ from their defaults, and those in `named`, for people."""
    return METHODS[name].label(options, named)


def run_method(
    instance: Instance, chosen: str | Method, *, time_limit_s: float | None = None, seed: int = 0, **options: Any
) -> Result:
    """Run a method on an instance.

    Parameters
    ----------
    instance : Instance
    chosen : str or Method
        A key of `METHODS`, or a method that need not be in it.
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
    method = find_method(chosen) if isinstance(chosen, str) else chosen
    checked = method.checked(options)
    warm_start = getattr(checked, "warm_start", "none")
    if warm_start != "none":
        return _run_warm(instance, method, checked, METHODS[warm_start], time_limit_s, seed)
    return _run(instance, method, checked, time_limit_s, seed)


def _run(
    instance: Instance,
    method: Method,
    options: Options,
    time_limit_s: float | None,
    seed: int,
    **start: Deployment | None,
) -> Result:
    module = method.module()
    reason = module.supports(instance, options)
    if reason is not None:
        return Result(Status.UNSUPPORTED, reason=reason)
    return module.solve(instance, options, time_limit_s=time_limit_s, seed=seed, **start)


def _run_warm(
    instance: Instance, method: Method, options: Options, first: Method, time_limit_s: float | None, seed: int
) -> Result:
    """Run another method first, then this one from its deployment. The time of the first run is a phase of its own.

    What both methods load counts neither for that phase nor against the limit, as for a method alone.
    """
    for each in (first, method):
        each.module()
    clock = Clock(time_limit_s)
    with clock.phase("warm_start"):
        begun = _run(instance, first, first.options(), time_limit_s, seed)
    clock.excuse("warm_start", begun.times_s.get(LOAD, 0.0))
    if begun.status is Status.UNSUPPORTED:
        return Result(Status.UNSUPPORTED, reason=f"warm start: {first.name} {begun.reason}", times_s=clock.times_s)
    if begun.deployment is not None:
        tell(News(begun.claimed_objective, begun.lower_bound, lambda: cast(Deployment, begun.deployment)))
    result = _run(instance, method, options, clock.remaining_s, seed, start=begun.deployment)
    said = {"method": first.name, "status": begun.status.value, "use": result.info.get("warm_start")}
    info = {**result.info, "warm_start": said}
    if "trajectory" in info:
        info["trajectory"] = [(at + clock.times_s["warm_start"], *point) for at, *point in info["trajectory"]]
    times_s = Counter(clock.times_s)
    times_s.update(result.times_s)
    return replace(result, times_s=dict(times_s), info=info)
