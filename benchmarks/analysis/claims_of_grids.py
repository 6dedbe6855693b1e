"""The claims of the paper's abstract, measured now: every method runs on every point of a campaign's target grids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from finbench.benchmarks.analysis.claims import (
    BASELINE,
    EXACT_METHOD,
    GAMMAS,
    VARIANTS,
    Claims,
    Point,
    match_row,
    matches_claim,
    saving_claim,
    saving_rows,
    targets_claim,
    variant_row,
)
from finbench.benchmarks.analysis.transfers import TransferPart, links_of, parts_of, transfer_share
from finbench.benchmarks.campaigns.campaign import Campaign, load_campaign
from finbench.benchmarks.judging.comparison import Comparison, compare_methods
from finbench.benchmarks.judging.judged import Judged
from finbench.benchmarks.methods import variant
from finbench.models.instance import Instance
from finbench.models.result import Status


def claims_of_grids(campaign: str = "published", gammas: Sequence[int] = GAMMAS) -> Claims:
    """Run the exact method, the baseline and FIN on a campaign's target grids, and judge the claims.

    Parameters
    ----------
    campaign : str
        Name or file; its entries with both lists of targets are the grids.
    gammas : sequence of int
        Resolutions of FIN, increasing.

    Returns
    -------
    Claims
        Over distinct points: what two grids share counts once.
    """
    methods: list[tuple[str, dict[str, Any]]] = [(EXACT_METHOD, {}), (BASELINE, {})]
    methods += [("fin", {"gamma": gamma}) for gamma in gammas]
    methods += [("fin", options) for options in VARIANTS]
    points: list[Point] = []
    contradictions: list[str] = []
    parts: list[TransferPart] = []
    networks: dict[str, Instance] = {}
    for instance in grid_points(load_campaign(campaign)):
        comparison = compare_methods(instance, methods)
        points.append(_point(comparison, gammas))
        contradictions += comparison.contradictions
        optimum = comparison.runs[0].result.deployment
        parts += [] if optimum is None else parts_of(instance, optimum)
        networks.setdefault(instance.network.name, instance)
    matches, savings = [match_row(points, gamma) for gamma in gammas], saving_rows(points, gammas[-1])
    variants = [variant_row(points, variant("fin", options), options["gamma"]) for options in VARIANTS]
    claims = [matches_claim(matches), saving_claim(savings, points, gammas[-1]), targets_claim(points)]
    transfers = f"Of the optimal ones, {transfer_share(parts).sentence(links_of(networks.values()))}"
    return Claims(len(points), matches[0].points, matches, savings, claims, contradictions, variants, transfers)


def grid_points(campaign: Campaign) -> Iterator[Instance]:
    """Yield every point of the campaign's grids; one that lies on several grids comes once."""
    seen = set()
    for entry in campaign.instances:
        if entry.max_latency_s and entry.min_accuracy:
            for instance in (origin.build() for origin in entry.origins()):
                if instance.content_hash not in seen:
                    seen.add(instance.content_hash)
                    yield instance


def _point(comparison: Comparison, gammas: Sequence[int]) -> Point:
    exact, baseline, *fins = comparison.runs
    others = {run.variant: _energy(run) for run in fins[len(gammas) :]}
    if exact.result.status not in (Status.OPTIMAL, Status.INFEASIBLE):
        raise RuntimeError(f"{exact.variant} proved nothing on {comparison.instance.name}: {exact.status}")
    energies = [_energy(run) for run in (exact, baseline, *fins[: len(gammas)])]
    case = f"{comparison.instance.name}, {comparison.instance.accounting.value}"
    violations = sum(len(run.violations) for run in fins)
    return Point(case, energies[0], dict(zip(gammas, energies[2:], strict=True)), energies[1], violations, others)


def _energy(run: Judged) -> float | None:
    """Return the energy per inference [J] of a run that found a feasible deployment."""
    return run.evaluation.energy_j if run.found and run.evaluation else None
