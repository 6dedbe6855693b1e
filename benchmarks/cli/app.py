"""The command line: one function for each command; the work is done elsewhere.

Heavy libraries are imported inside the commands that need them, so that `finbench solve` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from finbench.benchmarks.campaigns.choices import Choices, FileFormat, MilpName
from finbench.benchmarks.cli.campaigns import commands as campaign_commands
from finbench.benchmarks.cli.exit_codes import BAD_INPUT, CONTRADICTED, FOUND, INFEASIBLE, NOTHING_FOUND, UNEXPECTED
from finbench.benchmarks.cli.instances import commands as instance_commands
from finbench.benchmarks.cli.results import commands
from finbench.benchmarks.judging.comparison import compare_methods, expand_methods
from finbench.benchmarks.judging.judged import Judged, judge, judge_deployment
from finbench.benchmarks.methods import check_options, run_method
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.shared_view import print_shared
from finbench.models.instance import Accounting, Instance, LatencyKind
from finbench.models.io import (
    InputError,
    dump_deployment,
    load_deployment,
    load_instance,
    validate,
    write_text,
)
from finbench.models.result import Status


class Commands(TyperGroup):
    """Bad input is one line on standard error and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            console.print_error(str(error))
            raise typer.Exit(BAD_INPUT) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Place early-exit DNN blocks on mobile, edge and cloud nodes at least energy: exact MILP and FIN "
    "side by side.\n\n"
    "Exit codes: 0 feasible · 2 bad input or usage · 3 proven infeasible · 4 nothing found, no proof · "
    "5 violations or a contradiction between methods · 1 anything unexpected, or results worse than allowed.",
)

InstanceName = Annotated[str, typer.Argument(metavar="INSTANCE", help="Shipped name or a TOML/JSON file.")]
MaxLatency = Annotated[float | None, typer.Option(help="Override the latency target δ \\[s].")]
MinAccuracy = Annotated[float | None, typer.Option(help="Override the accuracy target α, in \\[0, 1].")]
AccountingChoice = Annotated[Accounting | None, typer.Option("--accounting", help="Override the energy accounting.")]
LatencyChoice = Annotated[LatencyKind | None, typer.Option("--latency-kind", help="Override which latency counts.")]
TimeLimit = Annotated[float | None, typer.Option(min=0, help="Limit for each run \\[s].")]
Seed = Annotated[int, typer.Option(min=0, help="Seed.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON at full precision.")]


@app.callback()
def common(
    debug: Annotated[bool, typer.Option("--debug", envvar="FINBENCH_DEBUG", help="Show tracebacks.")] = False,
) -> None:
    """Options of every command."""
    os.environ["FINBENCH_DEBUG"] = "1" if debug else ""


@app.command()
def solve(
    instance: InstanceName,
    method: Annotated[str, typer.Option(help="A name that `finbench methods` lists.")] = "fin",
    gamma: Annotated[int | None, typer.Option(help="fin: steps of the latency budget.")] = None,
    lambda_: Annotated[int | None, typer.Option("--lambda", help="fin: keep the last steps' ends only.")] = None,
    backend: Annotated[str | None, typer.Option(help="fin: auto, networkx or arrays.")] = None,
    certify: Annotated[float | None, typer.Option(help="fin: double gamma until the proven gap is this.")] = None,
    order: Annotated[str | None, typer.Option(help="fin, several: tightest, largest or given come first.")] = None,
    restarts: Annotated[int | None, typer.Option(help="fin, several: insertions in drawn orders.")] = None,
    effort: Annotated[float | None, typer.Option(help="fin, several: work of improvement, 1 is usual.")] = None,
    smoothing: Annotated[
        bool | None, typer.Option("--smoothing/--no-smoothing", help="column-generation: smooth the prices.")
    ] = None,
    prove: Annotated[
        bool | None, typer.Option("--prove/--no-prove", help="column-generation: list what could be better.")
    ] = None,
    strengthen: Annotated[
        bool | None, typer.Option("--strengthen/--plain", help="milp-flow, cp-sat: cut by bounds.")
    ] = None,
    warm_start: Annotated[str | None, typer.Option(help="milp-flow: none or fin.")] = None,
    mip_gap: Annotated[float | None, typer.Option(help="MILPs, cp-sat: relative gap at which to stop.")] = None,
    threads: Annotated[int | None, typer.Option(help="MILPs, cp-sat: threads of the solver.")] = None,
    solver: Annotated[str | None, typer.Option(help="MILPs: a solver that `finbench methods` lists.")] = None,
    node: Annotated[str | None, typer.Option(help="single-node: best or source.")] = None,
    k: Annotated[int | None, typer.Option(help="label-setting: how many best deployments.")] = None,
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    max_latency_s: MaxLatency = None,
    min_accuracy: MinAccuracy = None,
    accounting: AccountingChoice = None,
    latency_kind: LatencyChoice = None,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the deployment here (JSON).")] = None,
) -> None:
    """Solve one instance with one method.

    Example: [bold]finbench solve balexnet-cifar10 --method fin --gamma 100 -o deployment.json[/bold]
    """
    problem = _load(
        instance,
        max_latency_s=max_latency_s,
        min_accuracy=min_accuracy,
        accounting=accounting,
        latency_kind=latency_kind,
    )
    options = _given(
        gamma=gamma,
        lambda_=lambda_,
        backend=backend,
        certify=certify,
        order=order,
        restarts=restarts,
        effort=effort,
        smoothing=smoothing,
        prove=prove,
        strengthen=strengthen,
        warm_start=warm_start,
        mip_gap=mip_gap,
        threads=threads,
        solver=solver,
        node=node,
        k=k,
    )
    result = run_method(problem, method, time_limit_s=time_limit, seed=seed, **options)
    judged = judge(problem, method, check_options(method, options), result)
    if output is not None and result.deployment is not None:
        write_text(output, dump_deployment(result.deployment))
    _show(judged, as_json)
    raise typer.Exit(exit_code(judged))


@app.command()
def export(
    instance: InstanceName,
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the program here.")],
    method: Annotated[MilpName, typer.Option(help="milp-flow or milp-assignment.")] = MilpName.FLOW,
    file_format: Annotated[FileFormat, typer.Option("--format", help="mps or lp.")] = FileFormat.MPS,
    plain: Annotated[bool, typer.Option("--plain", help="milp-flow: nothing cut by bounds.")] = False,
    max_latency_s: MaxLatency = None,
    min_accuracy: MinAccuracy = None,
    accounting: AccountingChoice = None,
    latency_kind: LatencyChoice = None,
) -> None:
    """Write the mixed-integer program of an instance, with readable names, for any other solver.

    Example: [bold]finbench export balexnet-cifar10 --method milp-flow --format lp -o model.lp[/bold]
    """
    from finbench.models.milp.export import program_text

    problem = _load(
        instance,
        max_latency_s=max_latency_s,
        min_accuracy=min_accuracy,
        accounting=accounting,
        latency_kind=latency_kind,
    )
    write_text(output, program_text(problem, method.value, file_format.value, strengthen=not plain))


@app.command()
def evaluate(
    instance: InstanceName,
    deployment: Annotated[Path, typer.Argument(metavar="DEPLOYMENT", help="A deployment file.")],
    max_latency_s: MaxLatency = None,
    min_accuracy: MinAccuracy = None,
    accounting: AccountingChoice = None,
    latency_kind: LatencyChoice = None,
    as_json: AsJson = False,
) -> None:
    """Judge a deployment file: costs, and every rule it breaks by how much.

    Example: [bold]finbench evaluate balexnet-cifar10 deployment.json --json[/bold]
    """
    problem = _load(
        instance,
        max_latency_s=max_latency_s,
        min_accuracy=min_accuracy,
        accounting=accounting,
        latency_kind=latency_kind,
    )
    judged = judge_deployment(problem, load_deployment(deployment))
    _show(judged, as_json)
    raise typer.Exit(FOUND if judged.found else CONTRADICTED)


@app.command()
def compare(
    instances: Annotated[list[str], typer.Argument(metavar="INSTANCE...", help="Shipped names or files.")],
    methods: Annotated[str, typer.Option(help="Names, separated by commas.")] = "milp-flow,fin,mcp",
    gamma: Annotated[str, typer.Option(help="Values for fin, separated by commas.")] = "10,100,1000",
    time_limit: TimeLimit = None,
    seed: Seed = 0,
    max_latency_s: MaxLatency = None,
    min_accuracy: MinAccuracy = None,
    accounting: AccountingChoice = None,
    latency_kind: LatencyChoice = None,
    as_json: AsJson = False,
) -> None:
    """Run several methods on one or more instances, side by side.

    Example: [bold]finbench compare balexnet-cifar10 bresnet-cifar10 --methods milp-flow,fin --gamma 10,100[/bold]
    """
    chosen = expand_methods(methods, gamma)
    broken: list[str] = []
    shown: list[dict[str, Any]] = []
    choices: dict[str, Any] = {"max_latency_s": max_latency_s, "min_accuracy": min_accuracy}
    choices |= {"accounting": accounting, "latency_kind": latency_kind}
    problems = [_load(name, **choices) for name in instances]
    for problem in problems:
        comparison = compare_methods(problem, chosen, time_limit_s=time_limit, seed=seed)
        broken += comparison.contradictions
        if as_json:
            shown.append(comparison.to_json())
        else:
            console.print_comparison(comparison)
    if as_json:
        console.print_json(shown)
    raise typer.Exit(CONTRADICTED if broken else FOUND)


app.add_typer(instance_commands)


@app.command()
def explain(
    instance: InstanceName,
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Draw it here (.png, .pdf or .svg).")] = None,
) -> None:
    """Say why nothing fits and how much more of what would make it fit; or what more of every resource is worth.

    Example: [bold]finbench explain campus.json -o prices.png[/bold]
    """
    from finbench.benchmarks.plots.style import save_picture
    from finbench.benchmarks.terminal import explanation_view as view
    from finbench.fin_graph.joint.explain import explain as explain_instance

    problem = load_instance(instance)
    found = explain_instance(problem, time_limit_s=time_limit, seed=seed)
    if as_json:
        console.print_json(view.to_json(problem, found))
    else:
        view.print_explanation(problem, found)
    if output is not None:
        save_picture(view.draw(problem, found), output)
    infeasible = found.result.status is Status.INFEASIBLE
    raise typer.Exit(FOUND if found.fits else INFEASIBLE if infeasible else NOTHING_FOUND)


@app.command()
def frontier(
    instance: InstanceName,
    gamma: Annotated[int, typer.Option(min=1, help="FIN's latency steps over the whole range.")] = 200,
    horizon_s: Annotated[
        float | None, typer.Option(help="Largest latency budget \\[s]; default: all that matters.")
    ] = None,
    time_limit: TimeLimit = None,
    accounting: AccountingChoice = None,
    latency_kind: LatencyChoice = None,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Draw it here (.png, .pdf or .svg).")] = None,
) -> None:
    """Least energy for every latency budget and every exit: FIN's from one run, the exact beside it.

    Example: [bold]finbench frontier balexnet-cifar10 --gamma 100 -o frontier.png[/bold]
    """
    from finbench.benchmarks.plots.style import save_picture
    from finbench.benchmarks.terminal import frontier_view as view

    problem = _load(instance, accounting=accounting, latency_kind=latency_kind)
    found = view.instance_frontiers(problem, gamma=gamma, horizon_s=horizon_s, time_limit_s=time_limit)
    if as_json:
        console.print_json(view.to_json(problem, gamma, found))
    else:
        view.print_frontiers(problem, gamma, found)
    if output is not None and found:
        save_picture(view.draw_frontiers(problem, gamma, found), output)
    raise typer.Exit(FOUND if found else NOTHING_FOUND)


app.add_typer(campaign_commands)
app.add_typer(commands)


@app.command()
def claims(as_json: AsJson = False) -> None:
    """Measure the paper's three claims now, on the published target grids.

    Example: [bold]finbench claims[/bold]
    """
    from finbench.benchmarks.analysis.claims import measure_claims, print_claims

    measured = measure_claims()
    if as_json:
        console.print_json(measured.to_json())
    else:
        print_claims(measured)
    raise typer.Exit(CONTRADICTED if measured.contradictions else FOUND)


@app.command()
def bench(
    output: Annotated[Path, typer.Option("-o", "--output", help="File for the measurements.")] = Path("bench.json"),
) -> None:
    """Measure every performance target, mark those that fall short (about half an hour).

    Example: [bold]finbench bench -o results/bench.json[/bold]
    """
    from finbench.benchmarks.upkeep.targets import measure_and_report

    raise typer.Exit(FOUND if measure_and_report(output) else UNEXPECTED)


@app.command()
def figures(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path("docs/figures"),
) -> None:
    """Draw the README's pictures again, from real runs.

    Example: [bold]finbench figures -o docs/figures[/bold]
    """
    from finbench.benchmarks.upkeep.readme_figures import readme_figures

    for path in readme_figures(output):
        print(f"wrote {path}")


@app.command()
def methods() -> None:
    """List the methods and their options.

    Example: [bold]finbench methods[/bold]
    """
    console.print_methods()


def exit_code(judged: Judged) -> int:
    """Exit code of one run."""
    status = judged.result.status
    if status is Status.ERROR:
        return UNEXPECTED
    if status is Status.INFEASIBLE:
        return INFEASIBLE
    if judged.found:
        return FOUND
    return CONTRADICTED if judged.claims_feasible else NOTHING_FOUND


def _show(judged: Judged, as_json: bool) -> None:
    if as_json:
        console.print_json(judged.to_json())
    elif len(judged.instance.applications) > 1:
        print_shared(judged)
    else:
        console.print_judged(judged)


def _given(**options: Any) -> dict[str, Any]:
    """Method options that stand on the command line; the method's own class checks them."""
    return {name: value for name, value in options.items() if value is not None}


def _load(name: str, **choices: Any) -> Instance:
    """The instance with the targets and choices of the command line."""
    return validate(choices, Choices, "command line").apply(load_instance(name))


def main() -> None:
    """Entry point of the command `finbench`."""
    try:
        app(prog_name="finbench")
    except Exception as error:
        if os.environ.get("FINBENCH_DEBUG"):
            raise
        console.print_error(f"unexpected {type(error).__name__}: {error} (--debug shows the traceback)")
        sys.exit(UNEXPECTED)
