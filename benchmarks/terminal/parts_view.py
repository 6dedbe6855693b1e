"""Model parts on a terminal: which there are, and how far their answers lie from the whole model's."""

from __future__ import annotations

from collections.abc import Sequence

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.units import Quantity, with_unit
from finbench.benchmarks.deploying.joint_run import ExitDifference
from finbench.benchmarks.deploying.manifest import Manifest, ModelPart, SplitApplication
from finbench.benchmarks.terminal.console import output, table
from finbench.benchmarks.terminal.sheet import printable
from finbench.models.tolerances import SPLIT_TOLERANCE

MOST_ROWS = 40
"""Parts that are shown at most."""


def print_parts(manifest: Manifest) -> None:
    """Print a table of the parts, and a line where transfers carry more than the plan counts."""
    console = output()
    of = [(app, number, part) for app in manifest.applications for number, part in enumerate(app.parts, start=1)]
    columns = ("application", "node", "file", "part", "blocks", "input [byte]", "exit", "from", "planned")
    title = f"{len(of)} {plural(len(of), 'part')}" + (f", the first {MOST_ROWS}" if len(of) > MOST_ROWS else "")
    console.print(table(title, columns, [_row(*each) for each in of[:MOST_ROWS]], text_columns=3))
    for app, number, part in of:
        carried = 8 * sum(spec.stored_bytes for spec in part.inputs)
        if part.route and part.planned_bits and abs(carried / part.planned_bits - 1) > 1e-6:
            print(
                f"{printable(app.application)}: part {number}: its input has {carried:.4g} bit, "
                f"the plan counts {part.planned_bits:.4g}"
            )
            break


def _row(app: SplitApplication, number: int, part: ModelPart) -> tuple[str, ...]:
    blocks = f"{part.first_block}" if part.first_block == part.last_block else f"{part.first_block}–{part.last_block}"
    exit_ = app.exit_after.get(number)
    limit = "" if exit_ is None else "all" if exit_.threshold is None else f"{exit_.threshold:g}"
    return (
        *(printable(app.application), printable(part.node), part.file, str(number), blocks),
        f"{sum(spec.stored_bytes for spec in part.inputs):,}",
        "" if exit_ is None else str(exit_.exit),
        limit,
        with_unit(part.planned_s, Quantity.SECONDS, 4),
    )


def print_differences(found: Sequence[ExitDifference]) -> None:
    """Print how far every exit's answers lie from the whole model's."""
    rows = [
        (
            *(printable(each.application), printable(each.name), str(each.exit), str(each.samples)),
            *(f"{each.difference:.2g}", "same" if each.equal else "OTHER"),
        )
        for each in found
    ]
    columns = ("application", "answer", "exit", "samples", "difference", "verdict")
    title = f"Parts against the whole model: relative difference, at most {SPLIT_TOLERANCE:g}"
    output().print(table(title, columns, rows, text_columns=2))
