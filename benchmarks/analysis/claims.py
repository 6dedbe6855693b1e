"""The three claims of the paper's abstract, and the rules by which runs decide them.

A point is one instance on which the optimum is proven, FIN ran at several γ, and MCP ran. Points that share DNN, data
set and energy accounting are a *case*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from finbench.benchmarks.analysis.numbers import fixed_percent, percent, plural
from finbench.benchmarks.judging.contradictions import relative_gap
from finbench.models.tolerances import ENERGY_TOLERANCE

GAMMAS = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Resolutions of FIN that are measured."""

SCRIPTS = ((3, 1), (10, 1), (20, 1), (30, 5))
"""γ and λ as the authors' public scripts have them."""

VARIANTS: tuple[dict[str, Any], ...] = (
    *({"gamma": gamma, "band": band} for gamma, band in SCRIPTS),
    *({"gamma": gamma, "band": band, "rounding": "cumulative"} for gamma, band in SCRIPTS),
    *({"gamma": gamma, "rounding": "cumulative"} for gamma in (3, 10, 20, 30, 100)),
)
"""Other options of FIN that are measured: γ and λ of the scripts with both roundings, and rounding along the path (eq.
32), which is ours, without λ."""

PUBLISHED_SAVING = 0.65
"""The abstract's "over 65 %"."""

EXACT_METHOD, BASELINE = "label-setting", "mcp"

MATCHES, SAVING, TARGETS = (
    "FIN matches the optimum",
    "over 65 % energy savings relative to MCP",
    "target quality and latency are met",
)
"""The claims."""


@dataclass(frozen=True)
class Point:
    """One point of a target grid. Energies are per inference [J], None where nothing was found."""

    case: str
    optimum: float | None
    """None: proven that no deployment exists."""
    fin: dict[int, float | None]
    """By γ."""
    baseline: float | None
    violations: int
    """Rules broken by FIN's deployments, over all γ."""
    variants: dict[str, float | None] = field(default_factory=dict)
    """FIN's other runs, by their variants."""


@dataclass(frozen=True)
class MatchRow:
    """FIN at one γ against the optimum, over the points where a deployment exists."""

    gamma: int
    points: int
    matched: int
    missed: int
    """FIN found nothing although a deployment exists."""
    mean_gap: float | None
    worst_gap: float | None
    variant: str = ""
    """Of a run with other options than γ."""


@dataclass(frozen=True)
class SavingRow:
    """1 − E_FIN/E_MCP over the points of a case where both found a deployment."""

    case: str
    points: int
    mean: float
    least: float
    median: float
    most: float
    share_above: float
    """Part of the points where the saving is above the published figure."""
    left_out: int = 0
    """Points of the case that have a deployment, but of which FIN or MCP found none."""


@dataclass(frozen=True)
class Claim:
    """A claim, what was measured, and the verdict."""

    claim: str
    verdict: str
    measured: str


@dataclass(frozen=True)
class Claims:
    """Everything that `finbench claims` shows."""

    points: int
    solvable: int
    matches: list[MatchRow]
    savings: list[SavingRow]
    claims: list[Claim]
    contradictions: list[str] = field(default_factory=list)
    variants: list[MatchRow] = field(default_factory=list)
    """FIN with other options than γ; no claim of the paper rests on them."""
    transfers: str = ""
    """What transfers take of the optimal deployments, in words; empty where it was not measured."""

    def to_json(self) -> dict[str, Any]:
        """Return the object that `claims --json` prints."""
        return {
            "points": self.points,
            "solvable": self.solvable,
            "claims": [vars(claim) for claim in self.claims],
            "fin_against_optimum": [vars(row) for row in self.matches],
            "variants_against_optimum": [vars(row) for row in self.variants],
            "savings_against_mcp": [vars(row) for row in self.savings],
            "contradictions": self.contradictions,
            "transfers": self.transfers,
        }


def _found(points: Sequence[Point]) -> int:
    """Return how many runs of FIN found a deployment on points that have one."""
    return sum(energy is not None for point in points if point.optimum is not None for energy in point.fin.values())


def match_row(points: Sequence[Point], gamma: int) -> MatchRow:
    """Compare FIN at one γ with the optimum."""
    return _match([(point.fin[gamma], point.optimum) for point in points], gamma, "")


def variant_row(points: Sequence[Point], variant: str, gamma: int) -> MatchRow:
    """Compare FIN's run of a variant with the optimum."""
    return _match([(point.variants[variant], point.optimum) for point in points], gamma, variant)


def _match(pairs: Sequence[tuple[float | None, float | None]], gamma: int, variant: str) -> MatchRow:
    """Compare pairs of FIN's energy and the optimum."""
    solvable = [(energy, optimum) for energy, optimum in pairs if optimum is not None]
    gaps = [relative_gap(energy, optimum) for energy, optimum in solvable]
    found = [gap for gap in gaps if gap is not None]
    matched = sum(gap <= ENERGY_TOLERANCE for gap in found)
    mean, worst = (fmean(found), max(found)) if found else (None, None)
    return MatchRow(gamma, len(solvable), matched, len(solvable) - len(found), mean, worst, variant)


def saving_rows(points: Sequence[Point], gamma: int) -> list[SavingRow]:
    """Return savings of FIN against the baseline, case by case; a case in which none can be said has no row."""
    by_case: dict[str, list[float]] = {}
    left_out: Counter[str] = Counter()
    for point in points:
        energy = point.fin[gamma]
        if energy is not None and point.baseline is not None:
            by_case.setdefault(point.case, []).append(1 - energy / point.baseline)
        elif point.optimum is not None:
            left_out[point.case] += 1
    return [
        SavingRow(
            case,
            len(savings),
            fmean(savings),
            min(savings),
            median(savings),
            max(savings),
            sum(saving > PUBLISHED_SAVING for saving in savings) / len(savings),
            left_out[case],
        )
        for case, savings in by_case.items()
    ]


def matches_claim(rows: Sequence[MatchRow]) -> Claim:
    """Judge `FIN matches the optimum`: at every point where a deployment exists, for every γ from some γ on."""
    first = None
    for row in reversed(rows):
        if row.matched < row.points:
            break
        first = row
    verdict = "does not hold" if first is None else f"holds only if γ ≥ {first.gamma}"
    if first is rows[0]:
        verdict = "holds"
    matched = ", ".join(f"γ = {row.gamma}: {fixed_percent(row.matched / row.points)} %" for row in rows)
    last = rows[-1]
    found = last.points - last.missed
    measured = (
        f"points matched, one without a deployment of FIN counting as none: {matched}; at γ = {last.gamma} mean gap "
        f"{percent(last.mean_gap)} %, worst {percent(last.worst_gap)} %, over the {found} deployments found; missed "
        f"{last.missed} of {last.points}"
    )
    return Claim(MATCHES, verdict, measured)


def saving_claim(rows: Sequence[SavingRow], points: Sequence[Point], gamma: int) -> Claim:
    """Judge `over 65 % energy savings` against the baseline: the mean saving of every case is above it."""
    above = [row.case for row in rows if row.mean > PUBLISHED_SAVING]
    verdict = "does not hold"
    if above:
        verdict = "holds" if len(above) == len(rows) else f"holds only if {' or '.join(above)}"
    total = sum(row.points for row in rows)
    mean = sum(row.mean * row.points for row in rows) / total
    measured = (
        f"FIN (γ = {gamma}) against MCP: mean {fixed_percent(mean)} % over the {total} {plural(total, 'point')} where "
        f"both found a deployment, case means {fixed_percent(min(row.mean for row in rows))} % to "
        f"{fixed_percent(max(row.mean for row in rows))} %; {_left_out(points, gamma)}"
    )
    return Claim(SAVING, verdict, measured)


def _left_out(points: Sequence[Point], gamma: int) -> str:
    """Return in words which points with a deployment a mean saving leaves out."""
    solvable = [(point.fin[gamma] is None, point.baseline is None) for point in points if point.optimum is not None]
    kinds = {"only MCP": (True, False), "only FIN": (False, True), "neither": (True, True)}
    counts = {who: solvable.count(none) for who, none in kinds.items()}
    if not any(counts.values()):
        return "no point is left out"
    return "left out: " + ", ".join(f"{count} where {who} found one" for who, count in counts.items() if count)


def targets_claim(points: Sequence[Point]) -> Claim:
    """Judge `target quality and latency`: no deployment of FIN breaks a rule."""
    deployments = sum(energy is not None for point in points for energy in point.fin.values())
    broken = sum(point.violations for point in points)
    verdict = "does not hold" if broken else "holds"
    asked = sum(len(point.fin) for point in points if point.optimum is not None)
    measured = (
        f"{deployments} deployments without a violation, over all γ; violations found: {broken}; without a "
        f"deployment where one exists: {asked - _found(points)} of {asked} runs"
    )
    return Claim(TARGETS, verdict, measured)
