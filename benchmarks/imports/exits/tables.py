"""Tables of exits: one row for each sample and exit, or one row for each exit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from finbench.benchmarks.imports.csv_rows import CsvRow, header_of, rows_of
from finbench.benchmarks.imports.exits.exit_profiles import ExitFacts, ExitProfile, ExitProfiles
from finbench.benchmarks.imports.exits.thresholds import Judgements, best_settings, thinned
from finbench.models.io import InputError, validate
from finbench.models.tolerances import EXIT_SHARE_TOLERANCE

OF_SAMPLES = ("sample", "exit", "confidence", "correct")
OF_EXITS = ("exit", "share", "accuracy")
"""Columns of a table of samples, and of a summary; they may stand in any order."""

BY = ("confidence", "entropy")
"""What a threshold may be of."""


def exit_profiles(path: Path, *, by: str = "confidence", steps: int = 10, most: int = 12) -> ExitProfiles:
    """Return the settings of exits that a table gives.

    Parameters
    ----------
    path : Path
        A CSV table: of samples (`sample`, `exit`, `confidence`, `correct`, and `entropy` where thresholds are of it),
        or a summary (`exit`, `share` and `accuracy` of those that leave there).
    by : {"confidence", "entropy"}
        What thresholds are of.
    steps : int
        Steps of the grid of thresholds.
    most : int
        Settings that are kept of those that no other one dominates.

    Raises
    ------
    InputError
        If the table cannot be read or a cell breaks a rule.
    """
    if by not in BY:
        raise InputError("--by", f"{by[:60]!r}: must be {' or '.join(BY)}")
    header = header_of(path)
    if set(header) == set(OF_EXITS):
        return _of_summary(path, header)
    if set(OF_SAMPLES) <= set(header) <= {*OF_SAMPLES, "entropy"} and by in header:
        return _of_samples(path, header, by, steps, most)
    asked = ", ".join((*OF_SAMPLES, "entropy") if by == "entropy" else OF_SAMPLES)
    said = ", ".join(name[:30] for name in header[:8])
    raise InputError(path, f"columns {said!r}: must be {asked}, or in a summary {', '.join(OF_EXITS)}")


def _of_samples(path: Path, header: tuple[str, ...], by: str, steps: int, most: int) -> ExitProfiles:
    judged = judgements(path, header, by)
    best = best_settings(judged, steps)
    kept = thinned(best, most)
    provenance = (
        f"{path.name}: {judged.score.shape[0]} samples; thresholds of {by} on a grid of {steps} steps; "
        f"{len(best)} settings that no other one dominates, {len(kept)} of them here; samples that have not left are "
        "answered by the last deployed exit"
    )
    if by == "entropy":
        kept = [
            setting.model_copy(update={"thresholds": tuple(-each for each in setting.thresholds)}) for setting in kept
        ]
    return validate({"name": path.stem[:80], "provenance": provenance, "settings": tuple(kept)}, ExitProfiles, path)


def judgements(path: Path, header: tuple[str, ...], by: str) -> Judgements:
    """Return what a table of samples says; entropies with their sign turned, so that more is surer.

    Raises
    ------
    InputError
        If a cell breaks a rule, a sample has an exit twice, or lacks one.
    """
    import numpy as np

    said: dict[str, dict[int, tuple[float, bool]]] = {}
    for row in rows_of(path, header):
        sample, exit_ = row.word("sample"), row.index("exit")
        confidence = row.number("confidence", most=1.0)
        score = confidence if by == "confidence" else -row.number("entropy")
        of_sample = said.setdefault(sample, {})
        if exit_ in of_sample:
            raise row.refused("exit", f"stands twice for sample {sample[:60]!r}")
        of_sample[exit_] = (score, row.truth("correct"))
    if not said:
        raise InputError(path, "has no rows")
    exits = max(max(each) for each in said.values())
    for sample, each in said.items():
        if len(each) < exits:
            lacking = next(k for k in range(1, exits + 1) if k not in each)
            raise InputError(
                path, f"sample {sample[:60]!r}: exit {lacking} is missing: every sample must have all {exits}"
            )
    ordered = [[each[k] for k in range(1, exits + 1)] for each in said.values()]
    return Judgements(
        np.array([[score for score, _ in each] for each in ordered]),
        np.array([[right for _, right in each] for each in ordered]),
    )


def _of_summary(path: Path, header: tuple[str, ...]) -> ExitProfiles:
    """Return the one setting of a summary.

    How often exit f is right about samples that would have left later, no summary says. They are counted as wrong:
    α_f = Σ_{e ≤ f} φ_e a_e, a lower bound that is exact for the last exit, so what is deployed is as accurate as asked.
    """
    rows = list(rows_of(path, header))
    shares, right = _summary_columns(path, rows)
    facts, answered = [], 0.0
    for share, accuracy in zip(shares, right, strict=True):
        answered += share * accuracy
        facts.append(ExitFacts(exit_fraction=share, accuracy=min(1.0, answered)))
    provenance = (
        f"{path.name}: summary of {len(rows)} exits; accuracy where an exit is the last: a lower bound, which counts "
        "samples that would leave later as wrong, since no summary says more"
    )
    setting = ExitProfile(exits=tuple(facts))
    return ExitProfiles(name=path.stem[:80] or "exits", provenance=provenance, settings=(setting,))


def _summary_columns(path: Path, rows: Iterable[CsvRow]) -> tuple[list[float], list[float]]:
    found: dict[int, tuple[float, float]] = {}
    for row in rows:
        exit_ = row.index("exit")
        if exit_ in found:
            raise row.refused("exit", "stands twice")
        found[exit_] = (row.number("share", most=1.0), row.number("accuracy", most=1.0))
    if sorted(found) != list(range(1, len(found) + 1)) or not found:
        raise InputError(
            path, f"exits {', '.join(map(str, sorted(found)[:20])) or 'none'}: must be 1, 2, … without gaps"
        )
    total = sum(share for share, _ in found.values())
    if abs(total - 1) > EXIT_SHARE_TOLERANCE:
        raise InputError(path, f"share: sums to {total:.6g}: must sum to 1 within {EXIT_SHARE_TOLERANCE}")
    return [found[k][0] for k in sorted(found)], [found[k][1] for k in sorted(found)]
