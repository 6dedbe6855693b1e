"""The commands that make instances, draw them, and say what there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.transfers import against_computing
from finbench.benchmarks.cli.options import InstanceName, output_option
from finbench.benchmarks.cli.origin import deployment_for
from finbench.benchmarks.cli.panels import DATA
from finbench.benchmarks.library.named import load_named
from finbench.benchmarks.plots.formats import PICTURE_SUFFIXES
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.lists import device_row, instance_row, print_methods
from finbench.benchmarks.terminal.plugin_list import plugins_listed
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation, ViolationKind, evaluate
from finbench.models.instance import Instance
from finbench.models.io import (
    InputError,
    dump_instance,
    load_device,
    load_instance,
    shipped,
    write_text,
)

commands = typer.Typer()

OF_THE_INSTANCE = (ViolationKind.PIN, ViolationKind.PERMISSION, ViolationKind.REJECTION)
"""Rules without a measure that a deployment which fits the instance may break all the same."""


class _NamesFamilies(TyperCommand):
    """A command whose help ends with the families there are, which take too long to import for every command."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, with a line for each family."""
        lines = (f"[bold]{name}[/bold]: {title}" for name, _, title, _ in family_rows())
        self.epilog = "Families:\n\n" + "\n\n".join(lines)
        super().format_help(ctx, formatter)


@commands.command(rich_help_panel=DATA, cls=_NamesFamilies)
def generate(
    family: Annotated[str, typer.Argument(metavar="FAMILY", help="A family; they are listed below.")],
    output: Annotated[Path, output_option("Write the instance here (.json).", ".json")],
    nodes: Annotated[int, typer.Option(min=1, help="Nodes of the network.")],
    blocks: Annotated[int | None, typer.Option(min=1, help="Blocks of the DNN.")] = None,
    exits: Annotated[int | None, typer.Option(min=1, help="Exits of the DNN.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    tightness: Annotated[
        float | None,
        typer.Option(
            help="Where δ lies between least latency and least energy. \\[default: 0.5; many applications: drawn]"
        ),
    ] = None,
    links: Annotated[
        str | None, typer.Option(help="tiered, deep: fast links (default) or typical ones, where transfers take time.")
    ] = None,
    applications: Annotated[int | None, typer.Option(min=1, help="many: how many share the network.")] = None,
    load: Annotated[
        float | None, typer.Option(help="many: how full the fullest resource is; 1 is full. \\[default: 0.7]")
    ] = None,
    penalty: Annotated[
        float | None,
        typer.Option(help="many: rejecting one costs this many times its least power; left out: none may be rejected."),
    ] = None,
    shares: Annotated[
        str | None, typer.Option(help="many: compute shares that edge servers reserve, separated by commas.")
    ] = None,
    dnns: Annotated[
        str | None, typer.Option(help="zoo, melbourne: published DNNs (default), or those of the catalogue.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A parameter, such as edge.compute_ops_per_s=1e11..5e11 (repeatable)."),
    ] = None,
) -> None:
    """Write a generated instance; the same arguments give the same bytes.

    Example: [bold]finbench generate tiered --nodes 20 --blocks 6 --exits 3 --seed 1 -o tiered.json[/bold]

    Example: [bold]finbench generate tiered --nodes 20 --blocks 6 --exits 3 --links typical -o slow.json[/bold]

    Example: [bold]finbench generate campus --nodes 50 --applications 50 --load 0.7 --seed 1 -o campus.json[/bold]
    """
    options: dict[str, Any] = {"blocks": blocks, "exits": exits, "tightness": tightness, "links": links}
    options |= {"applications": applications, "load": load, "penalty": penalty}
    options |= {"shares": None if shares is None else _menu(shares)}
    options |= {"dnns": dnns, "settings": tuple(set_) if set_ else None}
    given = {name: value for name, value in options.items() if value is not None}
    made = _generated(family, {"nodes": nodes, "seed": seed}, given)
    write_text(output, dump_instance(made))
    size = f"{blocks} blocks" if applications is None else f"{applications} applications"
    print(f"{made.name}: {len(made.network.nodes)} nodes, {len(made.network.links)} links, {size}")
    print(against_computing(made))
    console.print_written(output)


ONE = ("blocks", "exits"), ("tightness", "links", "settings")
MANY = ("applications",), ("load", "tightness", "penalty", "shares", "dnns", "settings")
"""Options that families of one application and of many need, and those that they take."""


@dataclass(frozen=True)
class _Kind:
    """The options that families of one kind take, and the function that makes their instances."""

    make: Callable[..., Instance]
    needs: tuple[str, ...]
    takes: tuple[str, ...]


def _flag(name: str) -> str:
    """Return how the command line calls an option."""
    return "set" if name == "settings" else name


def family_rows() -> list[tuple[str, str, str, str]]:
    """Return name, number of applications, one line and options of every family."""
    from finbench.benchmarks.families import FAMILIES, SHARED_FAMILIES

    rows = []
    for registry, applications, (needs, takes) in ((FAMILIES, "one", ONE), (SHARED_FAMILIES, "many", MANY)):
        options = ", ".join([*(f"--{name}" for name in needs), *(f"[--{_flag(name)}]" for name in takes)])
        rows += [(family.name, applications, family.title, options) for family in registry.values()]
    return rows


def parameter_rows() -> list[tuple[str, str, str]]:
    """Return every family whose parameters can be set, with its tiers and their fields."""
    from finbench.benchmarks.families import FAMILIES, SHARED_FAMILIES
    from finbench.benchmarks.families.settings import OF_LINKS, OF_NODES

    fields = ", ".join((*OF_NODES, *OF_LINKS))
    every = [(f.name, f.tiers) for f in FAMILIES.values()] + [(f.name, f.tiers) for f in SHARED_FAMILIES.values()]
    return [(name, ", ".join(tiers), fields) for name, tiers in every if tiers]


def _kind(family: str) -> _Kind:
    from finbench.benchmarks import families

    families.find_family(family)
    if family in families.FAMILIES:
        return _Kind(families.generate, *ONE)
    return _Kind(families.generate_shared, *MANY)


def _generated(family: str, common: dict[str, int], given: dict[str, Any]) -> Instance:
    """Return the instance, if `given` are options of its family and none is missing."""
    kind, label = _kind(family), f"family '{family}'"
    own = ", ".join(f"--{_flag(name)}" for name in ("nodes", *kind.needs, *kind.takes, "seed"))
    for name in given:
        if name not in (*kind.needs, *kind.takes):
            raise InputError(label, f"--{_flag(name)}: not an option of this family, which takes {own}")
    for name in kind.needs:
        if name not in given:
            raise InputError(label, f"--{name}: required for this family")
    try:
        return kind.make(family, **common, **given)
    except ValueError as error:
        raise InputError(label, str(error)) from None


def _menu(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(share) for share in text.split(","))
    except ValueError:
        raise InputError("--shares", f"{text!r}: must be numbers separated by commas") from None


@commands.command(rich_help_panel=DATA)
def draw(
    instance: InstanceName,
    output: Annotated[Path, output_option("Draw it here (.png, .pdf or .svg).", *PICTURE_SUFFIXES)],
    deployment: Annotated[
        Path | None, typer.Option(help="A deployment of this instance: show how full it makes everything.")
    ] = None,
) -> None:
    """Draw the network by tiers and, with a deployment, how full it makes every node and link.

    Example: [bold]finbench draw campus.json --deployment deployment.json -o campus.png[/bold]
    """
    from finbench.benchmarks.plots.style import save_picture
    from finbench.benchmarks.plots.system import draw_system

    problem = load_named(instance)
    decided = None if deployment is None else deployment_for(problem, deployment)
    evaluation = None if decided is None or deployment is None else _fitting(problem, decided, deployment)
    save_picture(draw_system(problem, evaluation, deployment=decided), output)
    console.print_written(output)


def _fitting(instance: Instance, deployment: Deployment, file: Path) -> Evaluation:
    """Return the evaluation of a deployment that fits the instance; say where it breaks targets or capacities.

    Raises
    ------
    InputError
        If applications, exits, nodes, links or numbers of blocks are not the instance's.
    """
    evaluation = evaluate(instance, deployment)
    alien = [rule for rule in evaluation.violations if rule.excess is None and rule.kind not in OF_THE_INSTANCE]
    if alien:
        raise InputError(file, f"is no deployment of instance '{instance.name}': {alien[0].message}")
    if evaluation.violations:
        broken = f"{len(evaluation.violations)} {plural(len(evaluation.violations), 'violation')}"
        first = evaluation.violations[0].message
        console.print_error(f"{file}: {broken}, the first: {first} (`finbench evaluate` lists all)")
    return evaluation


@commands.command(rich_help_panel=DATA)
def instances() -> None:
    """List the shipped instances, and the devices that an instance may name for what was measured on them.

    Example: [bold]finbench instances[/bold]
    """
    columns = ("instance", "nodes", "links", "blocks", "exits", "latency target [s]", "accuracy target", "accounting")
    rows = [instance_row(name, load_instance(path)) for name, path in shipped("instances").items()]
    console.output().print(console.table("shipped instances", columns, rows))
    measured = ("device", "measured DNNs", "measured blocks", "time of all of them [s]")
    devices = [device_row(load_device(path)) for path in shipped("devices").values()]
    console.output().print(console.table("shipped devices", measured, devices, text_columns=2))


@commands.command(rich_help_panel=DATA)
def methods() -> None:
    """List the methods with their options, and the solvers.

    Example: [bold]finbench methods[/bold]
    """
    with plugins_listed("method", "solver"):
        print_methods()


@commands.command(rich_help_panel=DATA)
def families() -> None:
    """List the families of instances that `finbench generate` makes.

    Example: [bold]finbench families[/bold]
    """
    columns = ("family", "applications", "what", "options beside --nodes and --seed")
    with plugins_listed("family"):
        console.output().print(console.table("families", columns, family_rows(), text_columns=4))
        settable = ("family", "tiers of --set TIER.FIELD=VALUE or LEAST..MOST", "fields")
        console.output().print(console.table("parameters", settable, parameter_rows(), text_columns=3))
