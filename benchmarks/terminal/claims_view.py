"""The claims of the paper on the terminal."""

from __future__ import annotations

from finbench.benchmarks.analysis.claim_tables import match_table, saving_of_many_table, saving_table
from finbench.benchmarks.analysis.claims import Claims
from finbench.benchmarks.analysis.claims_of_many import ClaimsOfMany
from finbench.benchmarks.terminal import console


def print_claims(measured: Claims, counted: str) -> None:
    """Print tables: the claims, FIN against the optimum at each γ and with other options, savings.

    `counted` says what the points are.
    """
    screen = console.output()
    rows = [(claim.claim, claim.verdict, claim.measured) for claim in measured.claims]
    title = f"claims of the abstract, measured on {measured.points} {counted} ({measured.solvable} solvable)"
    screen.print(console.table(title, ("claim", "verdict", "measured now"), rows, text_columns=3))
    for rows_of_fin in filter(None, (measured.matches, measured.variants)):
        console.print_rows(match_table(rows_of_fin, "points"))
    if measured.savings:
        console.print_rows(saving_table(measured.savings, "points"))
    if measured.transfers:
        screen.print(measured.transfers, markup=False)
    for line in measured.contradictions:
        screen.print(f"contradiction: {line}", markup=False)


def print_claims_of_many(measured: ClaimsOfMany) -> None:
    """Print tables: the claims of the journal's abstract, and savings against each baseline."""
    rows = [(claim.claim, claim.verdict, claim.measured) for claim in measured.claims]
    title = f"claims of the journal's abstract, on {measured.points} instances with many users"
    console.output().print(console.table(title, ("claim", "verdict", "measured"), rows, text_columns=3))
    if measured.savings:
        console.print_rows(saving_of_many_table(measured.savings))
