"""The commands that solve, judge and export one instance."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, INFEASIBLE, NOTHING_FOUND, UNEXPECTED
from finbench.benchmarks.cli.method_choice import chosen_methods
from finbench.benchmarks.cli.options import (
    OVERRIDES,
    AsJson,
    Headroom,
    InstanceName,
    Seed,
    TimeLimit,
    declared_by_methods,
    loaded,
    output_option,
    takes,
)
from finbench.benchmarks.cli.origin import deployment_for, origin_of
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.cli.robust_solving import RobustQuestion, solve_robustly
from finbench.benchmarks.cli.target_grid import GRID, grid_points
from finbench.benchmarks.judging.comparison import Comparison, compare_methods
from finbench.benchmarks.judging.contradictions import contradictions
from finbench.benchmarks.judging.judged import Judged, judge, judge_deployment
from finbench.benchmarks.methods import check_options, run_method, variant
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.comparison_view import print_comparison
from finbench.benchmarks.terminal.run_view import print_judged
from finbench.benchmarks.terminal.shared_view import print_shared
from finbench.models.instance import Instance
from finbench.models.io import InputError, InputWarning, dump_deployment, write_text
from finbench.models.result import Result, Status
from finbench.models.slips import slips, summed_up
from finbench.models.uncertainty import Uncertainty

commands = typer.Typer()


COMPARED = "milp-flow,fin,mcp"
"""What `compare` runs where nobody says."""


class MilpName(StrEnum):
    """The methods that have a program to write."""

    FLOW = "milp-flow"
    ASSIGNMENT = "milp-assignment"


class FileFormat(StrEnum):
    """How a program is written."""

    MPS = "mps"
    LP = "lp"


PROGRAM_SUFFIXES = tuple(f".{each.value}" for each in FileFormat)


@commands.command(rich_help_panel=SOLVE)
@takes(overrides=OVERRIDES, options=declared_by_methods)
def solve(
    instance: InstanceName,
    method: Annotated[str, typer.Option(help="The method, one that `finbench methods` lists.")] = "fin",
    output: Annotated[Path | None, output_option("Write the deployment here (.json).", ".json")] = None,
    certificate: Annotated[
        Path | None,
        output_option(
            "Write a certificate of the bound, or that nothing fits, for `finbench verify` (.json).",
            ".json",
            flag="--certificate",
        ),
    ] = None,
    robust: Annotated[
        int | None,
        typer.Option(min=0, help="Plan for so many exit shares and rates at their worst; milp-flow or label-setting."),
    ] = None,
    deviation: Annotated[
        float, typer.Option(min=0, max=1, help="With --robust: by what part of itself each of them may deviate.")
    ] = 0.1,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    headroom: Headroom = None,
    as_json: AsJson = False,
    *,
    overrides: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """Solve one instance with one method, and judge what it returns.

    Energy, latency and accuracy are the evaluator's. Exit code 5 where the method's own claims differ from them. What
    is probably a slip in the file is told on standard error, as far as single values show it (`finbench check`).

    Example: [bold]finbench solve balexnet-cifar10 --method fin --gamma 100 -o deployment.json[/bold]

    Example: [bold]finbench solve balexnet-cifar10 --method milp-flow --robust 1 --deviation 0.2[/bold]
    """
    problem = loaded(instance, overrides)
    if robust is not None:
        if certificate is not None:
            raise InputError("--certificate", "there is none of a worst objective; leave --robust out")
        asked = RobustQuestion(problem, method, Uncertainty(robust, deviation), time_limit, seed, options)
        raise typer.Exit(solve_robustly(asked, output, as_json=as_json))
    for line in summed_up(slips(problem)):
        warnings.warn(f"{instance}: {line}", InputWarning, stacklevel=1)
    result = _solved(problem, method, headroom, certificate, time_limit_s=time_limit, seed=seed, **options)
    judged = judge(problem, method, check_options(method, options), result)
    if output is not None and result.deployment is not None:
        write_text(output, dump_deployment(result.deployment, origin_of(problem, variant(method, options))))
        console.print_written(output)
    if certificate is not None:
        _write_certificate(certificate, problem, method, result, time_limit)
    _show(judged, as_json)
    if output is not None and result.deployment is None:
        console.print_unwritten(output, "there is no deployment")
    raise typer.Exit(exit_code(judged))


def _solved(problem: Instance, method: str, headroom: float | None, certificate: Path | None, **limits: Any) -> Result:
    """Return what the method finds, with headroom where it is asked for."""
    if headroom is None:
        return run_method(problem, method, **limits)
    from finbench.benchmarks.planning.headroom import solve_with_headroom

    if certificate is not None:
        raise InputError("--headroom", "goes without --certificate: its bound is none of the instance")
    return solve_with_headroom(problem, headroom, method, **limits)


def _write_certificate(path: Path, problem: Instance, method: str, result: Result, time_limit_s: float | None) -> None:
    """Write the certificate of what a run claims, where it claims anything."""
    from finbench.fin_graph.certifying import certificate_of
    from finbench.models.verify.files import dump_certificate

    made = certificate_of(problem, method, result, time_limit_s=time_limit_s)
    if made is None:
        console.print_unwritten(path, "there is neither a deployment nor a proof that there is none")
    else:
        write_text(path, dump_certificate(made))
        console.print_written(path)


@commands.command(rich_help_panel=SOLVE)
@takes(overrides=OVERRIDES)
def export(
    instance: InstanceName,
    output: Annotated[Path, output_option("Write the program here (.mps or .lp).", *PROGRAM_SUFFIXES)],
    method: Annotated[MilpName, typer.Option(help="Which program.")] = MilpName.FLOW,
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="File format; left out: the one that the file's name ends in.")
    ] = None,
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

    written_as = _agreed(file_format, output)
    problem = loaded(instance, overrides)
    program = program_text(problem, method.value, written_as.value, strengthen=not plain)
    write_text(output, program.text)
    console.print_written(output)
    if program.long_names:
        names = Path(f"{output}.names.csv")
        write_text(names, program.map_csv)
        print(f"names cut to what solvers read: {len(program.long_names)}; {names} holds the whole ones")


def _agreed(asked: FileFormat | None, output: Path) -> FileFormat:
    """Return the format of a program's file, which its name and `--format` must not say differently."""
    named = FileFormat(output.suffix.removeprefix("."))
    if asked not in (None, named):
        raise InputError(output, f"file name must end in .{asked}, the format that --format asks for")
    return named


@commands.command(rich_help_panel=SOLVE)
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


@commands.command(rich_help_panel=SOLVE)
@takes(overrides=GRID)
def compare(
    instances: Annotated[list[str], typer.Argument(metavar="INSTANCE...", help="Shipped names or files.")],
    methods: Annotated[
        str | None,
        typer.Option(help=f"Names of methods, separated by commas. \\[default: {COMPARED}; none beside --method]"),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help='One method with options of its own, such as "milp-flow solver=scip" (repeatable).'),
    ] = None,
    gamma: Annotated[
        str, typer.Option(help="Resolutions of fin in --methods, which runs once at each; separated by commas.")
    ] = "10,100,1000",
    solver: Annotated[
        str, typer.Option(help="Solvers of the MILPs in --methods, which run once with each; separated by commas.")
    ] = "highs",
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    as_json: AsJson = False,
    *,
    overrides: dict[str, Any],
) -> None:
    """Run several methods on one or more instances, side by side, at their own targets or over a grid of targets.

    Gaps are against the best bound that any of them proved. Exit code 5 where two answers cannot both be true, 1 where
    a method fails; else 0 where any deployment is found, 3 where it is proven that there is none, 4 where neither is.

    Example: [bold]finbench compare balexnet-cifar10 bresnet-cifar10 --methods milp-flow,fin --gamma 10,100[/bold]

    Example: [bold]finbench compare balexnet-cifar10 --methods milp-flow,fin --max-latency 0.003,0.004,0.005[/bold]

    Example: [bold]finbench compare balexnet-cifar10 --method "fin engine=networkx" --method milp-flow[/bold]
    """
    names = methods if methods is not None else "" if method else COMPARED
    chosen = chosen_methods(names, method or (), {"gamma": gamma, "solver": solver})
    points = grid_points(overrides)
    problems = [loaded(name, point) for name in instances for point in points]
    made: list[Comparison] = []
    for problem in problems:
        made.append(compare_methods(problem, chosen, time_limit_s=time_limit, seed=seed))
        if not as_json:
            print_comparison(made[-1])
    if as_json:
        console.print_json([comparison.to_json() for comparison in made])
    raise typer.Exit(exit_code_of_all(made))


def exit_code_of_all(comparisons: Sequence[Comparison]) -> int:
    """Return the exit code of comparisons: what cannot be true or fails comes before any deployment found."""
    if any(comparison.contradictions for comparison in comparisons):
        return CONTRADICTED
    runs = [[run.result.status for run in comparison.runs] for comparison in comparisons]
    if any(Status.ERROR in statuses for statuses in runs):
        return UNEXPECTED
    if any(run.found for comparison in comparisons for run in comparison.runs):
        return FOUND
    return INFEASIBLE if all(Status.INFEASIBLE in statuses for statuses in runs) else NOTHING_FOUND


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
