"""Tables of the claims: FIN against the optimum by γ, energy saved case by case."""

from __future__ import annotations

from collections.abc import Sequence

from finbench.benchmarks.analysis.claims import PUBLISHED_SAVING, MatchRow, SavingRow
from finbench.benchmarks.analysis.claims_of_many import SAVING_OF_MANY, ManySavingRow
from finbench.benchmarks.analysis.numbers import fixed_percent, percent
from finbench.benchmarks.analysis.table import TextTable


def match_table(rows: Sequence[MatchRow], counted: str = "instances") -> TextTable:
    """Return FIN at every γ, or with other options, against the proven optimum; `counted` says what a row counts."""
    named = any(row.variant for row in rows)
    first = "run" if named else "γ"
    columns = (first, counted, "optimum met [%]", "missed", "mean gap of those found [%]", "worst gap [%]")
    cells = tuple(
        (
            row.variant or str(row.gamma),
            str(row.points),
            fixed_percent(row.matched / row.points),
            str(row.missed),
            percent(row.mean_gap),
            percent(row.worst_gap),
        )
        for row in rows
    )
    if named:
        title = "FIN with γ and λ of the authors' scripts, and with rounding along the path, against the proven optimum"
        return TextTable(title, columns, cells, text_columns=1)
    return TextTable("FIN against the proven optimum, by resolution", columns, cells, text_columns=0)


def saving_table(rows: Sequence[SavingRow], counted: str = "instances") -> TextTable:
    """Return the energy that FIN saves against the baseline, case by case; `counted` says what a row counts.

    What is left out of a case's means has a deployment, but FIN or MCP found none.
    """
    above = f"above {100 * PUBLISHED_SAVING:g} % [% of {counted}]"
    columns = ("case", counted, "left out", "mean [%]", "least [%]", "median [%]", "most [%]", above)
    cells = tuple(
        (
            row.case,
            str(row.points),
            str(row.left_out),
            *map(fixed_percent, (row.mean, row.least, row.median, row.most, row.share_above)),
        )
        for row in rows
    )
    title = f"Energy that FIN saves against MCP, over the {counted} where both found a deployment"
    return TextTable(title, columns, cells, text_columns=1)


def saving_of_many_table(rows: Sequence[ManySavingRow]) -> TextTable:
    """Return the power that FIN saves against each baseline, group by group, each with the n of which it is said."""
    above = f"above {100 * SAVING_OF_MANY:g} % at n"
    columns = (
        "against",
        "group",
        "compared at n",
        above,
        "not judged at n",
        "infeasible at n",
        "least [%]",
        "most [%]",
    )
    cells = tuple(
        (
            row.baseline,
            row.group,
            *(", ".join(map(str, users)) or "–" for users in (row.savings, row.above, row.left_out, row.refuted)),
            *((fixed_percent(end(row.savings.values())) if row.savings else "–") for end in (min, max)),
        )
        for row in rows
    )
    title = "Power that FIN saves with n users of each DNN; not judged: FIN or the other serves not everybody"
    return TextTable(title, columns, cells, text_columns=6)
