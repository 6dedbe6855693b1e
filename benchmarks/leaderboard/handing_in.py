"""Values from folders of results handed in to the library: the better ones appended, the others refused in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from finbench.benchmarks.leaderboard.board import each_once
from finbench.benchmarks.leaderboard.checked_run import OUTSIDE, CheckedRun, read_runs
from finbench.benchmarks.leaderboard.refutation import LIBRARY, Judgement, judged_by_instance
from finbench.benchmarks.library.known_value import KnownAs, KnownValue
from finbench.benchmarks.library.library import Library
from finbench.benchmarks.library.updating import update
from finbench.models.io import InputError
from finbench.models.result import Result, Status
from finbench.models.tolerances import ENERGY_TOLERANCE
from finbench.models.verify.certificate import Certificate

PRICES_S = 60.0
"""Limit for finding the prices of a certificate [s]."""


@dataclass(frozen=True)
class HandedIn:
    """What became of what folders of results say of one instance."""

    instance: str
    who: str
    """Folder and variant."""
    appended: KnownValue | None = None
    """The new row; None where it was refused."""
    refusal: str = ""
    """Why nothing was appended."""
    refuted: bool = False
    """Whether what is said cannot be true."""


def hand_in(
    library: Library,
    folders: Sequence[Path],
    *,
    on: date | None = None,
    told: Callable[[int, int], None] = lambda *_: None,
) -> Iterator[HandedIn]:
    """Yield what becomes of the values in folders of results; what only repeats the library yields nothing.

    A deployment that is better than the library's is appended, with a certificate where the library has none. Words are
    refused: a claim that cannot be true, and a bound that no certificate proves.

    Parameters
    ----------
    library : Library
        Its folder is written to.
    folders : sequence of Path
    on : date, optional
        Day of new rows; left out: today.
    told : callable
        Hears how many runs of how many are checked.

    Raises
    ------
    InputError
        If a folder cannot be read.
    """
    runs = read_runs(each_once(folders), library, told).runs
    of_library = [run for run in runs if run.tier != OUTSIDE]
    for judgement in judged_by_instance(of_library, library.values).values():
        yield from _refuted(judgement)
        sound = [run for k, run in enumerate(judgement.runs) if k not in judgement.refuted]
        best = _best(library, sound, judgement.known, on)
        known = judgement.known if best is None or best.appended is None else best.appended
        yield from (each for each in (best, _unproven_bound(sound, known), _unproven_word(sound, known)) if each)


def _refuted(judgement: Judgement) -> Iterator[HandedIn]:
    for one in judgement.refutations:
        if one.folder != LIBRARY:
            yield HandedIn(one.instance, f"{one.folder}: {one.variant}", None, f"refuted: {one.sentence}", refuted=True)


def _best(library: Library, runs: Iterable[CheckedRun], known: KnownValue | None, on: date | None) -> HandedIn | None:
    """Return what becomes of the least objective of some runs; None where it is the one that is known."""
    found = [(run.objective, run) for run in runs if run.objective is not None]
    if not found:
        return None
    objective, run = min(found, key=lambda pair: pair[0])
    if known is not None and known.objective is not None:
        above = objective - known.objective
        if above > ENERGY_TOLERANCE * abs(known.objective):
            return HandedIn(run.name, run.who, None, f"objective {objective!r} is worse than {known.objective!r}")
        if above >= -ENERGY_TOLERANCE * abs(known.objective):
            return None
    try:
        certificate = None if known is not None and known.certificate is not None else _certificate(run)
        new = update(library, run.name, run.deployment, certificate, method=run.variant, on=on)
    except InputError as error:
        return HandedIn(run.name, run.who, None, str(error))
    return HandedIn(run.name, run.who, new)


def _certificate(run: CheckedRun) -> Certificate | None:
    """Return a certificate of the bound beside a deployment."""
    from finbench.fin_graph.certifying import certificate_of

    found = Result(Status.FEASIBLE, run.deployment)
    return certificate_of(run.instance, str(run.row["method"]), found, time_limit_s=PRICES_S)


def _unproven_word(runs: Iterable[CheckedRun], known: KnownValue | None) -> HandedIn | None:
    """Return the refusal of the first claim that nothing fits where the library knows nothing; None without one."""
    claims = (run for run in runs if known is None and run.row["status"] == Status.INFEASIBLE)
    sentence = "says that nothing fits, and no certificate proves it"
    return next((HandedIn(run.name, run.who, None, sentence) for run in claims), None)


def _unproven_bound(runs: Iterable[CheckedRun], known: KnownValue | None) -> HandedIn | None:
    """Return the refusal of the highest bound above the known one, which no certificate proves; None without one."""
    if known is not None and known.known_as is not KnownAs.BEST:
        return None
    claimed = [(run.bound, run) for run in runs if run.bound is not None]
    bound, run = max(claimed, key=lambda pair: pair[0], default=(None, None))
    if bound is None or run is None:
        return None
    there = None if known is None else known.bound
    if there is not None and bound <= there + ENERGY_TOLERANCE * abs(there):
        return None
    above = "" if there is None else f" is above {there!r}, and"
    return HandedIn(run.name, run.who, None, f"bound {bound!r}{above or ':'} no certificate proves it")
