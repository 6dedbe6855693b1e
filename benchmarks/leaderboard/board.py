"""The leaderboard as data: standings of every machine, refuted claims, what is better than the library, and notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.leaderboard.checked_run import OUTSIDE, ReadRuns, read_runs
from finbench.benchmarks.leaderboard.refutation import LIBRARY, Judgement, Refutation, judged_by_instance
from finbench.benchmarks.leaderboard.standing import Standing, standings
from finbench.benchmarks.library.library import Library
from finbench.models.io import InputError


@dataclass(frozen=True)
class BetterValue:
    """A deployment that is better than all that the library knows of an instance."""

    instance: str
    who: str
    """Folder and variant."""
    objective: float
    known: float | None
    """The library's value; None where it has none."""


@dataclass(frozen=True)
class Leaderboard:
    """Several folders of results beside each other."""

    folders: tuple[str, ...]
    standings: dict[str, list[Standing]]
    """By machine, the best first."""
    refutations: tuple[Refutation, ...]
    improvements: tuple[BetterValue, ...]
    runs: int
    instances: int
    unchecked: dict[str, int]
    """By folder the runs on instances that nobody has; they are not ranked."""

    @property
    def notes(self) -> list[str]:
        """What a reader must know, a sentence each."""
        return [*_machine_notes(self), *_shared_notes(self), *_limit_notes(self), *_left_out(self)]

    def to_json(self) -> dict[str, Any]:
        """Return everything at full precision."""
        return {
            "folders": list(self.folders),
            "runs": self.runs,
            "instances": self.instances,
            "machines": [
                {"machine": machine, "standings": [asdict(one) for one in found]}
                for machine, found in self.standings.items()
            ],
            "refutations": [{name: _finite(value) for name, value in asdict(one).items()} for one in self.refutations],
            "improvements": [asdict(one) for one in self.improvements],
            "unchecked": self.unchecked,
            "notes": self.notes,
        }


def leaderboard(
    folders: Sequence[Path],
    library: Library,
    *,
    methods: Sequence[str] = (),
    tiers: Sequence[str] = (),
    told: Callable[[int, int], None] = lambda *_: None,
) -> Leaderboard:
    """Check all runs of several folders of results, and rank their methods.

    Parameters
    ----------
    folders : sequence of Path
    library : Library
        Whose values the runs are held against.
    methods : sequence of str
        Methods or variants that are ranked; several may be joined by commas. None: all.
    tiers : sequence of str
        Tiers whose instances are ranked. None: all.
    told : callable
        Hears how many runs of how many are checked.

    Raises
    ------
    InputError
        If a folder is named twice or cannot be read, or there is no such method.
    """
    read = read_runs(each_once(folders), library, told)
    judgements = judged_by_instance(read.runs, library.values)
    chosen = _chosen(read, methods)
    found = standings(judgements, lambda run: run.variant in chosen and run.tier in (tiers or (run.tier,)))
    return Leaderboard(
        folders=tuple(map(str, folders)),
        standings={machine: ranks for machine, ranks in found.items() if ranks},
        refutations=tuple(one for judgement in judgements.values() for one in judgement.refutations),
        improvements=tuple(_improvements(judgements.values())),
        runs=len(read.runs),
        instances=len(judgements),
        unchecked=read.unchecked,
    )


def each_once(folders: Sequence[Path]) -> Sequence[Path]:
    """Return the folders; raise InputError where one is named twice, since its runs would count twice."""
    seen = set[Path]()
    for folder in folders:
        where = folder.absolute() if folder.name != "runs.jsonl" else folder.absolute().parent
        if where in seen:
            raise InputError(folder, "is named twice: its runs would count twice")
        seen.add(where)
    return folders


def _chosen(read: ReadRuns, methods: Sequence[str]) -> set[str]:
    """Return the methods that are ranked, as variants."""
    from finbench.benchmarks.analysis.points import names_in

    named = [(run.variant, {run.variant, str(run.row["variant"]), str(run.row["method"])}) for run in read.runs]
    if not methods:
        return {variant for variant, _ in named}
    known = list(dict.fromkeys(name for variant, names in named for name in (variant, *sorted(names))))
    wanted = set(names_in(methods, known, "method"))
    return {variant for variant, names in named if names & wanted}


def _improvements(judgements: Iterable[Judgement]) -> Iterator[BetterValue]:
    """Yield what is better than the library knows and does not contradict what it has proven."""
    for judgement in judgements:
        best, known = judgement.best, judgement.known
        if judgement.runs[0].tier == OUTSIDE or best is None or best.who == LIBRARY:
            continue
        if not any(one.folder == LIBRARY for one in judgement.refutations):
            value = None if known is None else known.objective
            yield BetterValue(judgement.runs[0].name, best.who, best.objective, value)


def _machine_notes(board: Leaderboard) -> Iterator[str]:
    if len(board.standings) > 1:
        yield (
            f"The runs were made on {len(board.standings)} machines: each has a table and ranks of its own, and times "
            "of one do not compare with those of another."
        )


def _shared_notes(board: Leaderboard) -> Iterator[str]:
    for machine, found in board.standings.items():
        most, least = max(one.instances for one in found), min(found, key=lambda one: one.instances)
        if found[0].shared < most:
            yield (
                f"On {machine} all methods share {found[0].shared} {plural(found[0].shared, 'instance')}: ranks and "
                f"times are over these. The fewest, {least.instances}, are those of {least.variant}; --methods can "
                "leave it out."
            )


def _limit_notes(board: Leaderboard) -> Iterator[str]:
    for machine, found in board.standings.items():
        limits = {one.limits_s for one in found if one.limits_s is not None}
        if len(limits) > 1:
            shown = "; ".join(f"{low:g} to {high:g} s" for low, high in sorted(limits))
            yield f"On {machine} methods had different limits ({shown}): who had more time may have solved more."


def _left_out(board: Leaderboard) -> Iterator[str]:
    for folder, count in board.unchecked.items():
        yield (
            f"{folder}: {count} {plural(count, 'run')} of which there is no instance, neither kept there nor in the "
            "library, could not be checked and {are} left out.".format(are="is" if count == 1 else "are")
        )


def _finite(value: Any) -> Any:
    """Return a value as JSON may hold it: no infinite number."""
    return None if isinstance(value, float) and not isfinite(value) else value
