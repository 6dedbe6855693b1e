"""The commands that import instances in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.instance import Instance
from finbench.models.io import InputError
from finbench.models.units import number_or_quantity

File = Annotated[Path, typer.Argument(metavar="FILE", help="A .json file of that format.")]
Output = Annotated[Path, output_option("Write the instance here (.toml or .json).", ".toml", ".json")]
MaxLatency = Annotated[str | None, typer.Option(help='Latency target, such as "2 s"; left out: as said above.')]


def dnn_partitioning(
    file: File,
    output: Output,
    time_unit: Annotated[str, typer.Option(help="What 1 stands for in the file's times.")] = "1 ms",
    max_latency: MaxLatency = None,
    cpu_power: Annotated[str | None, typer.Option(help='Power of a CPU, such as "95 W"; left out: 1 W.')] = None,
    accelerator_power: Annotated[
        str | None, typer.Option(help='Power of an accelerator, such as "250 W"; left out: 1 W.')
    ] = None,
    link_energy: Annotated[str, typer.Option(help="Energy of a bit between CPU and accelerator.")] = "0 J/bit",
) -> None:
    """Read an instance of msr-fiddle/dnn-partitioning: operators with times on CPUs and accelerators.

    Operators become a chain of blocks between the places where one output alone crosses. The CPU's memory lies between
    the accelerators. Without --max-latency the target is the time of everything on the CPU. Training workloads are
    refused.

    Example: [bold]finbench import dnn-partitioning resnet50_inference.json -o resnet50.toml[/bold]
    """
    from finbench.benchmarks.imports.dnn_partitioning import PartitioningOptions, read_partitioning

    options = PartitioningOptions(
        second=_positive("time-unit", time_unit, "time_s"),
        max_latency_s=None if max_latency is None else _positive("max-latency", max_latency, "max_latency_s"),
        cpu_power_w=None if cpu_power is None else _number("cpu-power", cpu_power, "power_w"),
        accelerator_power_w=None
        if accelerator_power is None
        else _number("accelerator-power", accelerator_power, "power_w"),
        j_per_bit=_number("link-energy", link_energy, "tx_energy_j_per_bit"),
    )
    _write(read_partitioning(file, options), output)


def space4ai(
    file: File,
    output: Output,
    time_unit: Annotated[str, typer.Option(help="What 1 stands for in the file's times.")] = "1 s",
    max_latency: MaxLatency = None,
) -> None:
    """Read an instance of SPACE4AI-D: components, their partitions, and resources that are paid for.

    Components must follow each other in a chain. Partitions become blocks, alternative partitions alternative DNNs, and
    money is what is minimised. Without --max-latency the target is the file's response time of all components
    together; response times of some of them are refused.

    Example: [bold]finbench import space4ai system.json --max-latency "12 s" -o system.toml[/bold]
    """
    from finbench.benchmarks.imports.space4ai import read_space4ai

    second = _positive("time-unit", time_unit, "time_s")
    target = None if max_latency is None else _positive("max-latency", max_latency, "max_latency_s")
    _write(read_space4ai(file, second=second, max_latency_s=target), output)


def _write(instance: Instance, output: Path) -> None:
    from finbench.benchmarks.imports.part_files import write_part

    write_part(instance, output)
    nodes, dnns = len(instance.network.nodes), len(instance.dnns)
    blocks = max(len(dnn.blocks) for dnn in instance.dnns)
    sizes = f"{nodes} {plural(nodes, 'node')}, {dnns} {plural(dnns, 'DNN')} of up to {blocks} {plural(blocks, 'block')}"
    print(f"{printable(instance.name)}: {sizes}")
    for line in instance.dnns[0].provenance.splitlines():
        print(printable(line))
    console.print_written(output)


def _number(option: str, said: str, field: str) -> float:
    try:
        number = number_or_quantity(said, field)
    except ValueError as error:
        raise InputError(f"--{option}", str(error)) from None
    if number < 0:
        raise InputError(f"--{option}", f"{said[:60]!r}: must be at least 0")
    return number


def _positive(option: str, said: str, field: str) -> float:
    number = _number(option, said, field)
    if number == 0:
        raise InputError(f"--{option}", f"{said[:60]!r}: must be greater than 0")
    return number
