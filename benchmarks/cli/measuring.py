"""The commands about real machines: what they take for blocks, and what that says of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.options import AsJson, InstanceName, TimeLimit, declared_by, output_option, takes
from finbench.benchmarks.cli.panels import DATA, RESULTS
from finbench.benchmarks.measuring.options import ProfileOptions
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.io import dump_instance, load_instance, validate, write_text

commands = typer.Typer()


@commands.command("profile", rich_help_panel=DATA)
@takes(options=declared_by(ProfileOptions))
def profile_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model in ONNX.")],
    blocks: Annotated[Path, typer.Option(metavar="FILE", help="Its DNN, as `finbench import dnn` writes it.")],
    output: Annotated[Path, output_option("Write the device here (.toml or .json).", ".toml", ".json")],
    name: Annotated[str | None, typer.Option(help="Name of the device; left out: that of the file.")] = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Samples (.npz, an array for each input); left out: random.")
    ] = None,
    as_json: AsJson = False,
    *,
    options: dict[str, Any],
) -> None:
    """Measure how long this machine takes for every block of a DNN.

    Every block, with the head of its exit, runs as a model of its own under ONNX Runtime. Passes over all blocks are
    repeated; the medians become the measured runs of a device file. Where the processor counts its energy (RAPL), and
    its counters may be read, that of every block is measured as well.

    Example: [bold]finbench profile model.onnx --blocks dnn.toml -o laptop.toml[/bold]

    Example: [bold]finbench profile model.onnx --blocks dnn.toml --threads 4 -o laptop.toml[/bold]
    """
    from finbench.benchmarks.imports.part_files import write_part
    from finbench.benchmarks.measuring.device_text import device_of
    from finbench.benchmarks.measuring.profiling import load_profiled_dnn, profiled
    from finbench.benchmarks.terminal import profile_view as view
    from finbench.benchmarks.terminal.progress import counted
    from finbench.models.instance import Device

    asked = validate(dict(options), ProfileOptions, "command line")
    called = output.stem if name is None else name
    validate({"name": called, "measured": {"-": {}}}, Device, "--name")
    with counted("passes") as told:
        found = profiled(model, load_profiled_dnn(blocks), blocks, asked, inputs, told)
    write_part(device_of(found, called), output)
    if as_json:
        console.print_json(view.to_json(found))
    else:
        view.print_profile(found)
    console.print_written(output)


@commands.command("calibrate", rich_help_panel=DATA)
def calibrate_instance(
    instance: InstanceName,
    measured: Annotated[
        list[str],
        typer.Argument(
            metavar="MEASURED...",
            help="Devices (NODE=FILE, or FILE for nodes of that device), and links (CSV: from, to, bits_per_s, "
            "delay_s).",
        ),
    ],
    output: Annotated[Path, output_option("Write the instance here (.json).", ".json")],
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Put measurements into an instance, and say how far its old figures were off.

    Profiles of machines replace times and energies of blocks, measured rates those of links; all else stays. An exact
    method solves the instance before and after: does another deployment become best, and what does the old one cost?

    Example: [bold]finbench calibrate instance.toml edge=server.toml links.csv -o measured.json[/bold]
    """
    from finbench.benchmarks.measuring.calibration import calibrated, read_measurements
    from finbench.benchmarks.measuring.corrections import corrections
    from finbench.benchmarks.measuring.plan_change import plan_change
    from finbench.benchmarks.terminal import calibration_view as view

    old = load_instance(instance)
    found = read_measurements(old, measured)
    new = calibrated(old, found)
    write_text(output, dump_instance(new))
    console.print_written(output)
    figures, change = corrections(old, new, found), plan_change(old, new, time_limit)
    if as_json:
        console.print_json(view.to_json(figures, change))
    else:
        view.print_calibration(figures, change)


@commands.command("record", rich_help_panel=RESULTS)
def record_served_run(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results.")],
    measured: Annotated[Path, typer.Argument(metavar="MEASURED", help="What `finbench serve -o` has written.")],
    deployment: Annotated[Path, typer.Argument(help="The deployment file that was split and served.")],
) -> None:
    """Add what was measured at a deployment to the results of a campaign whose runs found it.

    The report then shows its latencies by exit planned, simulated and measured, and where the plan was off most.

    Example: [bold]finbench record results/smoke measured.json deployment.json[/bold]
    """
    from finbench.benchmarks.measuring.served_runs import load_served_run, record
    from finbench.models.io import load_deployment

    variants = record(results, load_served_run(measured), load_deployment(deployment))
    print(f"{printable(str(results))}: measured beside the plan of {printable(', '.join(variants))}")
