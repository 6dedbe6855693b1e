"""The command that makes parts of models from a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import InstanceName
from finbench.benchmarks.cli.origin import deployment_for
from finbench.benchmarks.cli.panels import DEPLOY
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import InputError, load_deployment_file, load_instance

commands = typer.Typer()


@commands.command("split", rich_help_panel=DEPLOY)
def split_models(
    instance: InstanceName,
    deployment: Annotated[Path, typer.Argument(help="A deployment file, as `finbench solve -o` writes it.")],
    models: Annotated[list[Path], typer.Argument(metavar="MODEL...", help="The ONNX files its DNNs were read from.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the parts to this new folder.")],
    thresholds: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[DNN=]X,X,…",
            help="Confidences from which on samples leave, for each exit but the last (repeatable); left out: those "
            "that the DNN was imported with.",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Run the parts and compare every exit's answers with the whole model's.")
    ] = False,
    samples: Annotated[int, typer.Option(min=1, max=10**4, help="Random samples that --verify runs.")] = 8,
    inputs: Annotated[
        Path | None, typer.Option(help="Samples for --verify (.npz): an array N×… for each input, by its name.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random samples.")] = 0,
) -> None:
    """Cut models where a plan does: an ONNX file for each part that runs on one node.

    A part ends where the next block runs on another node, or where an exit decides. A manifest beside the parts says
    what passes between them, over which links, and when samples leave.

    Exit code 5 where the deployment breaks a rule of the instance, or --verify finds other answers.

    Example: [bold]finbench split mine.toml plan.json model.onnx -o parts --verify[/bold]
    """
    from finbench.benchmarks.deploying.part_folder import check_new_folder, write_parts
    from finbench.benchmarks.deploying.splitting import split
    from finbench.benchmarks.imports.onnx.reading import read_model
    from finbench.benchmarks.terminal.parts_view import print_parts
    from finbench.models.evaluate import evaluate

    check_new_folder(output)
    problem = load_instance(instance)
    plan = deployment_for(problem, deployment)
    made_for = load_deployment_file(deployment).made_for
    limits = _thresholds(thresholds or (), [dnn.name for dnn in problem.dnns])
    files = [read_model(path) for path in models]
    judged = evaluate(problem, plan)
    found = split(problem, plan, files, thresholds=limits, method="" if made_for is None else made_for.method)
    for broken in judged.violations:
        console.print_error(f"{deployment}: {broken.message}")
    write_parts(found, output)
    print_parts(found.manifest)
    console.print_written(output)
    sound = not verify or _verified(output, models, inputs, samples, seed)
    raise typer.Exit(FOUND if sound and not judged.violations else CONTRADICTED)


def _verified(folder: Path, models: list[Path], inputs: Path | None, number: int, seed: int) -> bool:
    """Compare the parts with the whole models, and print how far they differ."""
    from finbench.benchmarks.deploying.joint_run import differences
    from finbench.benchmarks.deploying.manifest import load_manifest
    from finbench.benchmarks.deploying.samples import random_samples, read_samples
    from finbench.benchmarks.imports.onnx.reading import read_model
    from finbench.benchmarks.terminal.parts_view import print_differences

    manifest = load_manifest(folder)
    samples = {
        app.application: random_samples(app.sample, number, seed)
        if inputs is None
        else read_samples(inputs, app.sample)
        for app in manifest.applications
    }
    found = differences(folder, manifest, [read_model(path) for path in models], samples)
    print_differences(found)
    return all(each.equal for each in found)


def _thresholds(texts: list[str] | tuple[()], dnns: list[str]) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, _, numbers = text.rpartition("=")
        if not name and len(dnns) == 1:
            name = dnns[0]
        if name not in dnns:
            raise InputError("--thresholds", f"{printable(text)}: must name a DNN: {', '.join(map(printable, dnns))}")
        try:
            found[name] = tuple(float(each) for each in numbers.split(","))
        except ValueError:
            found[name] = ()
        if not found[name] or not all(abs(each) < 1e9 for each in found[name]):
            raise InputError("--thresholds", f"{printable(text)}: must be numbers separated by commas, such as 0.8,0.9")
    return found
