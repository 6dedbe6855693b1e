"""The claims of the paper on the terminal."""

from __future__ import annotations

from finbench.benchmarks.analysis.claim_tables import match_table, saving_table
from finbench.benchmarks.analysis.claims import Claims
from finbench.benchmarks.terminal import console


def print_claims(measured: Claims) -> None:
    """Print tables: the claims, FIN against the optimum at each γ and with other options, savings."""
    screen = console.output()
    rows = [(claim.claim, claim.verdict, claim.measured) for claim in measured.claims]
    title = f"claims of the abstract, measured on {measured.points} grid points ({measured.solvable} solvable)"
    screen.print(console.table(title, ("claim", "verdict", "measured now"), rows, text_columns=3))
    console.print_rows(match_table(measured.matches, "points"))
    if measured.variants:
        console.print_rows(match_table(measured.variants, "points"))
    console.print_rows(saving_table(measured.savings, "points"))
    if measured.transfers:
        screen.print(measured.transfers, markup=False)
    for line in measured.contradictions:
        screen.print(f"contradiction: {line}", markup=False)
