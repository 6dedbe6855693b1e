"""The command that runs the parts of models, and measures them."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, UNEXPECTED
from finbench.benchmarks.cli.options import AsJson, declared_by, output_option, takes
from finbench.benchmarks.cli.panels import DEPLOY
from finbench.benchmarks.deploying.serving.options import ServingOptions
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import InputError, validate, write_text

if TYPE_CHECKING:
    from finbench.benchmarks.deploying.joint_run import Answering
    from finbench.benchmarks.deploying.manifest import Manifest

commands = typer.Typer()

MOST_DRAWN = 256
"""Random samples that are drawn, to be used in turn."""


def _address(text: str) -> str:
    """Return an address that nodes can listen on; raise InputError for other texts."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InputError("--bind", f"{printable(text[:60])}: must be an address such as 127.0.0.1") from None


@commands.command("serve", rich_help_panel=DEPLOY)
@takes(options=declared_by(ServingOptions))
def serve_parts(
    parts: Annotated[Path, typer.Argument(metavar="PARTS", help="A folder that `finbench split` has written.")],
    model: Annotated[
        list[Path] | None,
        typer.Option(help="Compare every answer with that of this whole model (repeatable)."),
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option(help="Samples (.npz): an array N×… for each input, by its name; left out: random.")
    ] = None,
    bind: Annotated[
        str, typer.Option(metavar="ADDRESS", callback=_address, help="Address that the nodes listen on.")
    ] = "127.0.0.1",
    output: Annotated[Path | None, output_option("Write what was measured here (.json).", ".json")] = None,
    links: Annotated[
        Path | None,
        output_option("Write the measured links here (.csv), for `finbench calibrate`.", ".csv", flag="--links"),
    ] = None,
    as_json: AsJson = False,
    *,
    options: dict[str, Any],
) -> None:
    """Run the parts of a plan on this machine, and measure latencies beside the plan's.

    Every node is a process; its parts run as fast as this machine does. Sockets join them: a link lets no more through
    than its rate, and delays it. Samples leave where an exit is sure enough. The processes end with the command.

    Exit code 5 where the whole model answers otherwise (--model), 1 where a node fails.

    Example: [bold]finbench serve parts -o measured.json --links links.csv[/bold]

    Example: [bold]finbench serve parts --model model.onnx --samples 1000 --rate 2[/bold]
    """
    from finbench.benchmarks.deploying.manifest import check_parts, load_manifest
    from finbench.benchmarks.deploying.samples import random_samples, read_samples
    from finbench.benchmarks.deploying.serving.node_processes import ServingError
    from finbench.benchmarks.deploying.serving.serve import serve
    from finbench.benchmarks.deploying.serving.served_run import dump_served_run, link_table
    from finbench.benchmarks.rows.environment import environment, machine
    from finbench.benchmarks.terminal.progress import counted
    from finbench.benchmarks.terminal.served_view import print_served

    asked = validate(dict(options), ServingOptions, "command line")
    manifest = load_manifest(parts)
    check_parts(parts, manifest)
    drawn = min(asked.samples, MOST_DRAWN)
    samples = {
        app.application: random_samples(app.sample, drawn, asked.seed)
        if inputs is None
        else read_samples(inputs, app.sample)
        for app in manifest.applications
    }
    whole = _whole(parts, manifest, model or [])
    try:
        with counted("samples") as told:
            found = serve(
                parts, manifest, samples, asked,
                bind=bind, machine=machine(environment()), whole=whole, told=told,
            )  # fmt: skip
    except ServingError as error:
        console.print_error(f"{parts}: {error}")
        raise typer.Exit(UNEXPECTED) from None
    for file, text in ((output, dump_served_run(found)), (links, link_table(found))):
        if file is not None:
            write_text(file, text)
            console.print_written(file)
    if as_json:
        console.print_json(found.model_dump(mode="json"))
    else:
        print_served(found)
    raise typer.Exit(CONTRADICTED if any(app.other_answers for app in found.applications) else FOUND)


def _whole(folder: Path, manifest: Manifest, models: list[Path]) -> dict[str, Answering] | None:
    """Return the whole model of each application; None where none is given."""
    from finbench.benchmarks.deploying.joint_run import WholeModel, model_of
    from finbench.benchmarks.imports.onnx.reading import read_model

    if not models:
        return None
    files = [read_model(path) for path in models]
    return {app.application: WholeModel(app, model_of(app, files, folder)) for app in manifest.applications}
