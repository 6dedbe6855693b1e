"""Campaigns from Python: made of objects, run, and read again."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finbench.api.comparison import MethodChoice, named_entry
from finbench.benchmarks.campaigns.campaign import Campaign, InstanceEntry, load_campaign, problems
from finbench.benchmarks.campaigns.conditions import BackendName
from finbench.benchmarks.campaigns.origins import Given, LibraryMember, TargetPoint
from finbench.benchmarks.methods import find_method
from finbench.benchmarks.plugins.plugin import NOT_PORTABLE, owner
from finbench.benchmarks.rows.reading import load_rows
from finbench.benchmarks.rows.row_verdicts import contradictions_among
from finbench.models.instance import Instance
from finbench.models.io import InputError, dump_instance, validate

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Results:
    """The rows of a campaign, as `fb.run` makes and `fb.read_results` reads them."""

    folder: Path
    """Where they are; every command that takes RESULTS reads this folder."""
    rows: list[dict[str, Any]]
    """One for each run: what ran, on what, where, and how it ended."""

    @cached_property
    def contradictions(self) -> list[str]:
        """What cannot all be true of runs on one and the same instance, a line each."""
        return contradictions_among(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each run, with what all runs on its instance tell.

        Returns
        -------
        pandas.DataFrame
            The rows' flat columns, phases as `time_<phase>_s`, and among others `best_bound`, `gap_to_best_bound` and
            `proven`.
        """
        from finbench.benchmarks.analysis.frame import frame

        return frame(self.rows)

    def aggregate(self) -> pd.DataFrame:
        """Return the methods judged over the instances that they share, a row for each method and group."""
        from finbench.benchmarks.analysis.aggregate import aggregate

        return aggregate(self.to_frame())

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Results of {len(self.rows)} runs in {self.folder}>"

    def to_html(self) -> str:
        """Return the first and last runs as a table of HTML; notebooks show it."""
        columns = ["group", "instance", "variant", "status", "objective", "gap_to_best_bound", "time_s"]
        table: str = self.to_frame()[columns].to_html(max_rows=20, escape=True)
        return table

    def _repr_html_(self) -> str:
        return self.to_html()


class GivenInstances(InstanceEntry):
    """An entry of a campaign that holds its instances, and not the names of their files."""

    objects: tuple[Instance, ...]
    """The instances."""

    def origins(self) -> Iterator[TargetPoint | LibraryMember | Given]:
        """Yield every instance."""
        return (Given(each.name, dump_instance(each)) for each in self.objects)


def campaign(
    name: str,
    instances: Iterable[Instance | str | Path],
    methods: Iterable[MethodChoice],
    *,
    time_limit_s: float = 60.0,
    memory_limit_gib: float | None = None,
    repetitions: int = 1,
    seed: int = 0,
    group: str | None = None,
) -> Campaign:
    """Make a campaign that runs every method on every instance.

    Parameters
    ----------
    name : str
        Name of the campaign and of the folder of its results: letters, digits, `.`, `_` and `-`.
    instances : iterable of Instance, str or Path
        Instances, shipped names or files.
    methods : iterable of str or (str, dict)
        Names, or names with options; a list of values of an option stands for one run with each.
    time_limit_s : float
        Limit for each run [s].
    memory_limit_gib : float, optional
        Memory that each run may take [GiB].
    repetitions : int
        How often each run is made.
    seed : int
    group : str, optional
        Heading under which the runs are summarised; left out: the campaign's name.

    Returns
    -------
    Campaign
        For `fb.run`. A campaign with target grids or families is easier to write as a file.

    Raises
    ------
    InputError
        If a method, option or instance does not exist, or a value breaks its rule.

    Examples
    --------
    >>> import finbench as fb
    >>> fb.campaign("mine", ["blenet-mnist"], ["fin", "mcp"]).name
    'mine'
    """
    from finbench.benchmarks.library.named import load_named

    objects = tuple(each if isinstance(each, Instance) else load_named(each) for each in instances)
    chosen = tuple(named_entry(method) for method in methods)
    for what, given in (("instances", objects), ("methods", chosen)):
        if not given:
            raise InputError(f"campaign '{name}'", f"{what}: at least one is required")
    names = tuple(each.name for each in objects)
    entry = GivenInstances(group=group or name, instances=names, objects=objects)
    conditions = {"memory_limit_gib": memory_limit_gib, "repetitions": repetitions, "time_limit_s": float(time_limit_s)}
    fields = {"name": name, "seed": seed, "methods": chosen, "instances": (entry,), **conditions}
    made = validate(fields, Campaign, f"campaign '{name}'")
    list(problems(made))
    return made


def run(
    campaign: str | Path | Campaign,
    output: str | Path = "results",
    *,
    jobs: int = 1,
    backend: str = "local",
    scheduler: str | None = None,
    progress: bool = False,
) -> Results:
    """Run what is missing of a campaign, each run in a process of its own; every run is on the disk as it ends.

    Tables and figures land beside the runs, as `finbench run` writes them.

    Parameters
    ----------
    campaign : str, Path or Campaign
        A shipped name, a TOML file, or what `fb.campaign` makes.
    output : str or Path
        The results land in a folder below, named after the campaign.
    jobs : int
        Runs at a time; 1 for timings that compare.
    backend : {'local', 'dask'}
    scheduler : str, optional
        Address of a Dask scheduler; left out with `dask`: a cluster of `jobs` workers here.
    progress : bool
        Whether to show progress on the terminal.

    Returns
    -------
    Results
        Of all runs of the campaign, those made before included.

    Raises
    ------
    InputError
        If the campaign breaks a rule, its folder holds results that are not to be trusted, or it uses a method, family
        or solver that was defined in a notebook or running script, where no other process finds it.
    KeyboardInterrupt
        If it is interrupted; the same call goes on where it stopped.
    """
    from finbench.benchmarks.cli.campaign_results import write_results
    from finbench.benchmarks.execution.backends import chosen_backend
    from finbench.benchmarks.execution.runner import Silence, run_campaign
    from finbench.benchmarks.terminal.console import output as terminal
    from finbench.benchmarks.terminal.progress import progress as shown

    asked = campaign if isinstance(campaign, Campaign) else load_campaign(str(campaign))
    _check_portable(asked)
    where = chosen_backend(_backend(backend), jobs, scheduler)
    folder = Path(output) / asked.name
    with shown(terminal(), asked.name) if progress else nullcontext(Silence()) as told:
        made = run_campaign(asked, folder, where, progress=told)
    if made.stopped_by == signal.SIGINT:
        raise KeyboardInterrupt
    if made.rows:
        write_results(asked.name, made, folder)
    return Results(folder, made.rows)


def _backend(name: str) -> BackendName:
    if name not in set(BackendName):
        raise InputError(f"backend '{name}'", f"must be one of {', '.join(BackendName)}")
    return BackendName(name)


def _check_portable(campaign: Campaign) -> None:
    """Raise InputError where a run needs what another process cannot load."""
    for problem in problems(campaign):
        needed = [owner("family", str(getattr(problem.origin, "family", "")))]
        for name, options in problem.methods:
            needed += [find_method(name).plugin, owner("solver", str(options.get("solver", "")))]
        for plugin in needed:
            if plugin is not None and not plugin.portable:
                raise InputError(f"campaign '{campaign.name}'", f"uses what {NOT_PORTABLE}")


def read_results(folder: str | Path) -> Results:
    """Read a folder of results that `finbench run`, `finbench scale` or `fb.run` has written.

    Parameters
    ----------
    folder : str or Path
        The folder, or the `runs.jsonl` in it.

    Returns
    -------
    Results

    Raises
    ------
    InputError
        If it cannot be read, holds no runs, or was not written by this program.
    """
    path = Path(folder)
    return Results(path if path.is_dir() else path.parent, load_rows(path))
