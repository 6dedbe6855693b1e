"""Methods side by side over groups of instances, as a table for papers: chosen measures, rows by a dimension.

Methods are judged over exactly the instances of a group on which all of them ran.

A time is the median over all instances, in which an unanswered run counts as slower than all others: a method that
fails at once does not become fast, and one that answers in half a millisecond is not charged with limits it never met.
Where fewer than half of the runs answered there is no such time: `> 20 s` where limits ended the others, else a dash.
Means leave out instances without a deployment to compare; such values carry a dagger, and the note says how many.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import pandas as pd

from finbench.benchmarks.analysis.dimensions import Dimension, binned, find_dimension
from finbench.benchmarks.analysis.measures import Estimate, Measure, find_measure, with_common
from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.analysis.points import (
    chosen_runs,
    noise_of_times,
    one_variant,
    points,
    shared_points,
    without_gamma,
)
from finbench.benchmarks.analysis.table import TextTable
from finbench.benchmarks.analysis.table_cells import DAGGER, NONE, CellWriter, Heading
from finbench.benchmarks.analysis.units import (
    Unit,
    unit_of,
)
from finbench.models.io import InputError

DEFAULT_COLUMNS = ("answered", "optimal", "gap", "worst-gap", "time")


@dataclass(frozen=True)
class TableRequest:
    """What a table shows; empty sequences mean all."""

    columns: Sequence[str] = ()
    """Names of measures; none: `DEFAULT_COLUMNS`, and `saving` where there is a baseline."""
    methods: Sequence[str] = ()
    groups: Sequence[str] = ()
    by: str | None = None
    """Name of a dimension: a row for each method and value."""
    baseline: str | None = None
    """Method against which savings are counted, whether it is shown or not."""


@dataclass(frozen=True)
class Section:
    """The rows of one group."""

    title: str
    keys: tuple[tuple[str, ...], ...]
    """The texts that begin each row: the value of the dimension, if there is one, and the method."""
    cells: tuple[tuple[str, ...], ...]
    estimates: tuple[tuple[Estimate, ...], ...]
    """What the cells say, with every digit, in the units of the rows of results."""


@dataclass(frozen=True)
class MethodsTable:
    """A table of methods, not yet written."""

    key_columns: tuple[Heading, ...]
    columns: tuple[Heading, ...]
    blocks: tuple[Section, ...]
    notes: tuple[str, ...]
    instances: int

    @property
    def caption(self) -> str:
        """A caption that says what is compared."""
        groups = f" ({self.blocks[0].title})" if len(self.blocks) == 1 else f" in {len(self.blocks)} groups"
        return f"Methods compared over {self.instances} {plural(self.instances, 'instance')}{groups}."

    def rows(self) -> list[TextTable]:
        """Return a plain table for each block, for Markdown and terminals."""
        heads = [
            f"{one.heading} [{one.unit}]" if one.unit else one.heading for one in (*self.key_columns, *self.columns)
        ]
        return [
            TextTable(
                f"{block.title}: methods side by side",
                tuple(heads),
                tuple((*key, *cells) for key, cells in zip(block.keys, block.cells, strict=True)),
                text_columns=len(self.key_columns),
            )
            for block in self.blocks
        ]

    def markdown(self) -> str:
        """Return the table as Markdown, a section for each group, its notes below."""
        return "\n".join([*(each.markdown() for each in self.rows()), *(f"- {note}" for note in self.notes), ""])

    def frame(self) -> pd.DataFrame:
        """Return all numbers with every digit, as CSV for `csvsimple` and `pgfplotstable` takes them.

        Names of columns are `group`, the dimension, `method`, then `<measure>_<unit>` and `<measure>_count`, the
        instances that entered. Where nothing is known, or a median is ∞, the cell is empty.
        """
        lines: list[dict[str, object]] = []
        for block in self.blocks:
            for key, estimates in zip(block.keys, block.estimates, strict=True):
                line: dict[str, object] = {"group": block.title}
                line |= {one.name: text for one, text in zip(self.key_columns, key, strict=True)}
                for column, estimate in zip(self.columns, estimates, strict=True):
                    line[_csv_name(column)] = estimate.value if isfinite(estimate.value) else None
                    line[f"{column.name.replace('-', '_')}_count"] = estimate.counted
                lines.append(line)
        return pd.DataFrame(lines)


def _csv_name(column: Heading) -> str:
    units = {"%": "percent", "µs": "us", "µJ": "uJ", "µW": "uW"}
    name = column.name.replace("-", "_")
    return f"{name}_{units.get(column.unit, column.unit)}" if column.unit else name


def methods_table(runs: pd.DataFrame, request: TableRequest) -> MethodsTable:
    """Judge methods over the instances of each group, and return the table that is asked for.

    Parameters
    ----------
    runs : DataFrame
        As `analysis.frame.frame` makes it.
    request : TableRequest

    Returns
    -------
    MethodsTable
        Without a block for a group in which the methods share no instance.

    Raises
    ------
    InputError
        If a measure, method, group, dimension or baseline is unknown, or `saving` is asked for without a baseline.
    """
    measures = _measures(request)
    baseline = None if request.baseline is None else one_variant(runs, request.baseline)
    shown = chosen_runs(runs, request.methods, request.groups)
    dimension = None if request.by is None else find_dimension(request.by, shown)
    every = points(runs[runs["group"].isin(shown["group"].unique())], baseline)
    chosen = _in_order(every, shown)
    here = shared_points(chosen)
    if dimension is not None:
        bins = [binned(of_group[dimension.column]) for _, of_group in here.groupby("group", sort=False)]
        here = here.assign(at=pd.concat(bins) if bins else None)
    keys = () if dimension is None else ("at",)
    lines = list(_lines(with_common(here, *keys), dimension, measures))
    writers = [CellWriter(measure, [line.estimates[k] for line in lines], here) for k, measure in enumerate(measures)]
    noise = noise_of_times(shown)
    heads = _key_columns(dimension, here)
    blocks = tuple(_block(group, lines, writers, heads, noise) for group in dict.fromkeys(line.group for line in lines))
    notes = (*_notes(measures, lines, baseline, writers), *_unshared(chosen, here))
    return MethodsTable(heads, tuple(writer.column for writer in writers), blocks, notes, here["instance"].nunique())


def _measures(request: TableRequest) -> list[Measure]:
    asked = [name.strip() for text in request.columns for name in text.split(",")]
    names = asked or [*DEFAULT_COLUMNS, *(["saving"] if request.baseline else [])]
    measures = [find_measure(name) for name in dict.fromkeys(names)]
    if request.baseline is None and any(measure.name == "saving" for measure in measures):
        raise InputError("column 'saving'", "needs a method to compare with: --baseline METHOD")
    return measures


def _in_order(every: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Return the points of the runs shown, in their order."""
    order = shown[["group", "variant"]].drop_duplicates()
    return order.merge(every, on=["group", "variant"], how="left", sort=False)


@dataclass(frozen=True)
class _Line:
    group: str
    at: float | None
    variant: str
    estimates: tuple[Estimate, ...]


def _lines(here: pd.DataFrame, dimension: Dimension | None, measures: Sequence[Measure]) -> Iterator[_Line]:
    for group, of_group in here.groupby("group", sort=False):
        variants = of_group["variant"]
        if dimension is None:
            for variant, of_method in of_group.groupby(variants, sort=False):
                yield _line(group, None, variant, of_method, measures)
            continue
        if dimension.name == "gamma":
            variants = variants.map(without_gamma)
        for at, of_value in of_group.groupby("at", dropna=False):
            for variant, of_method in of_value.groupby(variants, sort=False):
                yield _line(group, None if pd.isna(at) else float(str(at)), variant, of_method, measures)


def _line(
    group: Hashable, at: float | None, variant: Hashable, of_method: pd.DataFrame, measures: Sequence[Measure]
) -> _Line:
    return _Line(str(group), at, str(variant), tuple(measure.measured.estimate(of_method) for measure in measures))


def _key_columns(dimension: Dimension | None, here: pd.DataFrame) -> tuple[Heading, ...]:
    method = Heading("method", "method", "")
    if dimension is None:
        return (method,)
    unit = unit_of(dimension.quantity, here[dimension.column].dropna())
    return (Heading(dimension.name, dimension.heading, unit.symbol, unit.size), method)


def _block(
    group: str, lines: Sequence[_Line], writers: Sequence[CellWriter], keys: Sequence[Heading], noise: float
) -> Section:
    mine = [line for line in lines if line.group == group]
    cells = tuple(
        tuple(writer.text(each, group, noise) for writer, each in zip(writers, line.estimates, strict=True))
        for line in mine
    )
    texts = tuple(
        (method_text(line.variant),) if len(keys) == 1 else (_value_text(line.at, keys[0]), method_text(line.variant))
        for line in mine
    )
    estimates = tuple(
        tuple(_in_unit(each, writer.unit) for each, writer in zip(line.estimates, writers, strict=True))
        for line in mine
    )
    return Section(group, texts, cells, estimates)


def _in_unit(estimate: Estimate, unit: Unit | None) -> Estimate:
    return estimate if unit is None else replace(estimate, value=estimate.value / unit.size)


def _value_text(at: float | None, column: Heading) -> str:
    return NONE if at is None else f"{at / column.size:.6g}"


def method_text(variant: str) -> str:
    """Return a variant as papers write it: γ as a symbol, spaces around the signs of equality."""
    return variant.replace("gamma=", "γ=").replace("=", " = ")


def _unshared(chosen: pd.DataFrame, shared: pd.DataFrame) -> Iterator[str]:
    """Yield a note for each group in which methods did not all run on the same instances."""
    counts = chosen.groupby("group", sort=False)["instance"].nunique()
    for group, total in counts.items():
        count = shared.loc[shared["group"] == group, "instance"].nunique()
        if count < total:
            yield f"{group}: over the {count} of {total} instances that all methods share"


def _notes(
    measures: Sequence[Measure], lines: Sequence[_Line], baseline: str | None, writers: Sequence[CellWriter]
) -> tuple[str, ...]:
    notes = [f"{writer.column.heading}: {measure.note}" for measure, writer in zip(measures, writers, strict=True)]
    if baseline is not None and any(measure.name == "saving" for measure in measures):
        notes.append(f"E_b: energy of {method_text(baseline)}")
    left = [
        (each.left_out, each.instances)
        for line in lines
        for measure, each in zip(measures, line.estimates, strict=True)
        if each.left_out and each.counted and not measure.counts_failures
    ]
    if left:
        most, of = max(left)
        notes.append(f"{DAGGER} instances without a deployment to compare are left out, at most {most} of {of}")
    return tuple(notes)
