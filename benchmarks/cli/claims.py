"""The command that measures the paper's claims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import typer

from finbench.benchmarks.analysis.claims import (
    BASELINE,
    EXACT_METHOD,
    GAMMAS,
    Claims,
    Point,
    match_row,
    matches_claim,
    saving_claim,
    saving_rows,
    targets_claim,
)
from finbench.benchmarks.campaigns.campaign import InstanceEntry, load_campaign
from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND
from finbench.benchmarks.cli.options import (
    AsJson,
)
from finbench.benchmarks.judging.comparison import Comparison, compare_methods
from finbench.benchmarks.terminal import console
from finbench.models.instance import Instance
from finbench.models.result import Status

commands = typer.Typer()


def measure_claims(campaign: str = "published", gammas: Sequence[int] = GAMMAS) -> Claims:
    """Run everything on the campaign's target grids and judge the claims.

    Parameters
    ----------
    campaign : str
        Campaign whose entries with both target lists are the grids.
    gammas : sequence of int
        Increasing.
    """
    methods: list[tuple[str, dict[str, Any]]] = [(EXACT_METHOD, {}), (BASELINE, {})]
    methods += [("fin", {"gamma": gamma}) for gamma in gammas]
    points, contradictions = [], []
    for instance in grid_points(load_campaign(campaign).instances):
        comparison = compare_methods(instance, methods)
        points.append(_point(comparison, gammas))
        contradictions += comparison.contradictions
    matches, savings = [match_row(points, gamma) for gamma in gammas], saving_rows(points, gammas[-1])
    claims = [matches_claim(matches), saving_claim(savings, points, gammas[-1]), targets_claim(points)]
    return Claims(len(points), matches[0].points, matches, savings, claims, contradictions)


def grid_points(entries: Iterable[InstanceEntry]) -> list[Instance]:
    """Return the instances of all target grids, each once, whatever number of grids it is a point of."""
    grids = (entry for entry in entries if entry.max_latency_s and entry.min_accuracy)
    points = (source.build() for entry in grids for source in entry.sources())
    return list({point.content_hash: point for point in points}.values())


def _point(comparison: Comparison, gammas: Sequence[int]) -> Point:
    exact, baseline, *fins = comparison.runs
    if exact.result.status not in (Status.OPTIMAL, Status.INFEASIBLE):
        raise RuntimeError(f"{exact.label} proved nothing on {comparison.instance.name}: {exact.status}")
    energies = [run.evaluation.energy_j if run.found and run.evaluation else None for run in (exact, baseline, *fins)]
    case = f"{comparison.instance.name}, {comparison.instance.accounting.value}"
    violations = sum(len(run.violations) for run in fins)
    return Point(case, energies[0], dict(zip(gammas, energies[2:], strict=True)), energies[1], violations)


@commands.command()
def claims(as_json: AsJson = False) -> None:
    """Measure the paper's three claims now, on the published target grids.

    Example: [bold]finbench claims[/bold]
    """
    from finbench.benchmarks.terminal.claims_view import print_claims

    measured = measure_claims()
    if as_json:
        console.print_json(measured.to_json())
    else:
        print_claims(measured)
    raise typer.Exit(CONTRADICTED if measured.contradictions else FOUND)
