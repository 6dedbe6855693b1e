"""The command that imports a DNN."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.instance import DNN
from finbench.models.io import InputError
from finbench.models.remarks import PLACEHOLDER

COLUMNS = ("block", "ends with", "operations", "output [bit]", "parameters [byte]", "working [byte]", "exit")


def dnn(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model in ONNX.")],
    output: Annotated[Path, output_option("Write the DNN here (.toml or .json).", ".toml", ".json")],
    name: Annotated[str | None, typer.Option(help="Name of the DNN; left out: that of the file.")] = None,
    blocks: Annotated[int | None, typer.Option(min=1, help="Number of blocks; left out: up to 16.")] = None,
    cut: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="End a block after this tensor or operator (repeatable).")
    ] = None,
    exit_after: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Add an exit after this tensor or operator: a mean and a linear layer (repeatable).",
        ),
    ] = None,
    final: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Output that is the last answer (repeatable); the others are exits. Left out: the one with the most "
            "work before it.",
        ),
    ] = None,
    input_shape: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]N,N,…", help="Size of an input that the model leaves open (repeatable)."),
    ] = None,
    bits: Annotated[
        int | None, typer.Option(metavar="8|16|32", help="Bits of a number in a transfer; left out: as stored.")
    ] = None,
    input_bits: Annotated[int | None, typer.Option(metavar="8|16|32", help="Bits of a number in the sample.")] = None,
    count: Annotated[
        str, typer.Option(metavar="ops|macs", help="A multiply-add is 2 operations (ops), or 1 and all else 0 (macs).")
    ] = "ops",
    exits: Annotated[
        Path | None, typer.Option(help="Shares and accuracies of the exits, as `import exits` writes them.")
    ] = None,
    setting: Annotated[
        int | None, typer.Option(min=1, help="Number of the setting of --exits; left out: a file for each.")
    ] = None,
) -> None:
    """Read a model in ONNX as a DNN: operations, memory and sizes per block, and its exits.

    A model can be cut where one tensor alone carries on. Of these places those are chosen that give blocks of equal
    work and small tensors. The model's further outputs are exits; their operators count to the block that they follow.
    Nodes must count operations as the DNN does: the catalogue's devices count a multiply-add as 2.

    Example: [bold]finbench import dnn model.onnx -o dnn.toml[/bold]

    Example: [bold]finbench import dnn model.onnx --blocks 8 --bits 8 --exits exits.toml -o dnn.toml[/bold]
    """
    from finbench.benchmarks.imports.exits.exit_profiles import load_exit_profiles, with_exits
    from finbench.benchmarks.imports.onnx.options import DnnRequest, count_of
    from finbench.benchmarks.imports.onnx.profile import analysed, dnn_of
    from finbench.benchmarks.imports.part_files import write_part

    if setting is not None and exits is None:
        raise InputError("--setting", "goes with --exits")
    table = None if exits is None else load_exit_profiles(exits)
    asked = DnnRequest(
        name=name,
        blocks=blocks,
        cuts=tuple(cut or ()),
        exit_after=tuple(exit_after or ()),
        final=tuple(final or ()),
        input_shapes=dict(map(_shape, input_shape or ())),
        bits=bits,
        input_bits=input_bits,
        count=count_of(count),
    )
    analysis = analysed(model, asked)
    made = dnn_of(analysis, asked)
    profiles = (made,) if table is None else with_exits(made, table, exits or "", setting)
    files = numbered(output, len(profiles))
    for profile, file in zip(profiles, files, strict=True):
        write_part(profile, file)
    _show(made if len(profiles) > 1 else profiles[0], analysis.operations, analysis.parameters)
    for file in files:
        console.print_written(file)


def numbered(output: Path, files: int) -> list[Path]:
    """Return the names of several files that are asked for as one: each with its number, from 1."""
    if files == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{number}") for number in range(1, files + 1)]


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, numbers = text.rpartition("=")
    try:
        shape = tuple(int(each) for each in numbers.replace("x", ",").split(","))
    except ValueError:
        shape = ()
    if not shape or not all(0 < each < 2**31 for each in shape):
        raise InputError(
            "--input-shape", f"{printable(text)}: must be whole numbers separated by commas, such as 1,3,8,8"
        )
    return name, shape


def _show(dnn: DNN, operations: int, parameters: int) -> None:
    """Print what a DNN consists of."""
    exits = {exit_.after_block: exit_.name for exit_ in dnn.exits}
    rows = [
        (
            *(str(k), printable(block.name), f"{block.ops:.4g}", f"{block.output_bits:.4g}"),
            *(f"{block.parameter_bytes:.4g}", f"{block.working_bytes:.4g}", printable(exits.get(k, ""))),
        )
        for k, block in enumerate(dnn.blocks, start=1)
    ]
    console.output().print(console.table(printable(dnn.name), COLUMNS, rows, text_columns=2))
    sizes = f"{len(dnn.blocks)} {plural(len(dnn.blocks), 'block')}, {len(dnn.exits)} {plural(len(dnn.exits), 'exit')}"
    print(f"{printable(dnn.name)}: {sizes}, {operations:.6g} operations, {parameters:.6g} parameters")
    for line in _placeholders(dnn):
        print(line)


def _placeholders(dnn: DNN) -> Iterable[str]:
    return (line for line in dnn.provenance.splitlines() if line.startswith(PLACEHOLDER))
