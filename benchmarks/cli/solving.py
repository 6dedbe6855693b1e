"""The commands that solve, judge and export one instance."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, INFEASIBLE, NOTHING_FOUND, UNEXPECTED
from finbench.benchmarks.cli.options import (
    OVERRIDES,
    AsJson,
    InstanceName,
    Seed,
    TimeLimit,
    declared_by_methods,
    loaded,
    output_option,
    takes,
)
from finbench.benchmarks.cli.origin import deployment_for, origin_of
from finbench.benchmarks.judging.comparison import compare_methods
from finbench.benchmarks.judging.contradictions import contradictions
from finbench.benchmarks.judging.judged import Judged, judge, judge_deployment
from finbench.benchmarks.methods import check_options, find_method, label, run_method
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.comparison_view import print_comparison
from finbench.benchmarks.terminal.run_view import print_judged
from finbench.benchmarks.terminal.shared_view import print_shared
from finbench.models.io import InputError, dump_deployment, write_text
from finbench.models.result import Status

commands = typer.Typer()


class MilpName(StrEnum):
    """The methods that have a program to write."""

    FLOW = "milp-flow"
    ASSIGNMENT = "milp-assignment"


class FileFormat(StrEnum):
    """How a program is written."""

    MPS = "mps"
    LP = "lp"


@commands.command()
@takes(overrides=OVERRIDES, options=declared_by_methods())
def solve(
    instance: InstanceName,
    method: Annotated[str, typer.Option(help="The method, one that `finbench methods` lists.")] = "fin",
    output: Annotated[Path | None, output_option("Write the deployment here (.json).", ".json")] = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    *,
    overrides: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """Solve one instance with one method, and judge what it returns.

    Energy, latency and accuracy are the evaluator's. Exit code 5 where the method's own claims differ from them.

    Example: [bold]finbench solve balexnet-cifar10 --method fin --gamma 100 -o deployment.json[/bold]
    """
    problem = loaded(instance, overrides)
    result = run_method(problem, method, time_limit_s=time_limit, seed=seed, **options)
    judged = judge(problem, method, check_options(method, options), result)
    if output is not None and result.deployment is not None:
        write_text(output, dump_deployment(result.deployment, origin_of(problem, label(method, options))))
    _show(judged, as_json)
    if output is not None and result.deployment is None:
        console.print_unwritten(output, "there is no deployment")
    raise typer.Exit(exit_code(judged))


@commands.command()
@takes(overrides=OVERRIDES)
def export(
    instance: InstanceName,
    output: Annotated[Path, output_option("Write the program here.")],
    method: Annotated[MilpName, typer.Option(help="Which program.")] = MilpName.FLOW,
    file_format: Annotated[FileFormat, typer.Option("--format", help="File format of the program.")] = FileFormat.MPS,
    plain: Annotated[
        bool, typer.Option("--plain", help="milp-flow: the whole program, nothing removed by bounds.")
    ] = False,
    *,
    overrides: dict[str, Any],
) -> None:
    """Write the mixed-integer program of an instance, with readable names, for any other solver.

    Example: [bold]finbench export balexnet-cifar10 --method milp-flow --format lp -o model.lp[/bold]
    """
    from finbench.models.milp.export import program_text

    problem = loaded(instance, overrides)
    program = program_text(problem, method.value, file_format.value, strengthen=not plain)
    write_text(output, program.text)
    if program.long_names:
        names = Path(f"{output}.names.csv")
        write_text(names, program.map_csv)
        print(f"names cut to what solvers read: {len(program.long_names)}; {names} holds the whole ones")


@commands.command()
@takes(overrides=OVERRIDES)
def evaluate(
    instance: InstanceName,
    deployment: Annotated[Path, typer.Argument(metavar="DEPLOYMENT", help="A deployment file.")],
    as_json: AsJson = False,
    *,
    overrides: dict[str, Any],
) -> None:
    """Judge a deployment file: what it costs, and which rules it breaks by how much (then exit code 5).

    Example: [bold]finbench evaluate balexnet-cifar10 deployment.json --json[/bold]
    """
    problem = loaded(instance, overrides)
    judged = judge_deployment(problem, deployment_for(problem, deployment))
    _show(judged, as_json)
    raise typer.Exit(FOUND if judged.found else CONTRADICTED)


@commands.command()
@takes(overrides=OVERRIDES)
def compare(
    instances: Annotated[list[str], typer.Argument(metavar="INSTANCE...", help="Shipped names or files.")],
    methods: Annotated[
        str, typer.Option(help="Names that `finbench methods` lists, separated by commas.")
    ] = "milp-flow,fin,mcp",
    gamma: Annotated[
        str, typer.Option(help="Resolutions of fin, which runs once at each; separated by commas.")
    ] = "10,100,1000",
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    *,
    overrides: dict[str, Any],
) -> None:
    """Run several methods on one or more instances, side by side.

    Gaps are against the best bound that any of them proved. Exit code 5 where two answers cannot both be true.

    Example: [bold]finbench compare balexnet-cifar10 bresnet-cifar10 --methods milp-flow,fin --gamma 10,100[/bold]
    """
    chosen = expand_methods(methods, gamma)
    problems = [loaded(name, overrides) for name in instances]
    broken: list[str] = []
    shown: list[dict[str, Any]] = []
    for problem in problems:
        comparison = compare_methods(problem, chosen, time_limit_s=time_limit, seed=seed)
        broken += comparison.contradictions
        if as_json:
            shown.append(comparison.to_json())
        else:
            print_comparison(comparison)
    if as_json:
        console.print_json(shown)
    raise typer.Exit(CONTRADICTED if broken else FOUND)


def expand_methods(names: str, gammas: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the methods of a comma-separated list, each with its options.

    A method that has a `gamma` comes once for each value of the other list.

    Raises
    ------
    InputError
        If a name is no method or a gamma breaks its rule.
    """
    values = [_integer(text.strip()) for text in gammas.split(",")]
    chosen: list[tuple[str, dict[str, Any]]] = []
    for name in (text.strip() for text in names.split(",")):
        has_gamma = "gamma" in find_method(name).options.model_fields
        chosen += [(name, {"gamma": value}) for value in values] if has_gamma else [(name, {})]
    for name, options in chosen:
        check_options(name, options)
    return chosen


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError("--gamma", f"{text!r}: must be whole numbers separated by commas") from None


def exit_code(judged: Judged) -> int:
    """Return the exit code of one run; a claim that the evaluator contradicts is never a success."""
    status = judged.result.status
    if status is Status.ERROR:
        return UNEXPECTED
    if contradictions([judged]):
        return CONTRADICTED
    if status is Status.INFEASIBLE:
        return INFEASIBLE
    return FOUND if judged.found else NOTHING_FOUND


def _show(judged: Judged, as_json: bool) -> None:
    if as_json:
        console.print_json({**judged.to_json(), "contradictions": contradictions([judged])})
    elif len(judged.instance.applications) > 1:
        print_shared(judged)
    else:
        print_judged(judged)
