"""A campaign: which methods run on which problems, as a TOML file says.

name = "mine"
time_limit_s = 60                # how runs are made (`Conditions`): an entry below may say otherwise, and the command
memory_limit_gib = 4             # line wins over both
repetitions = 3

[[methods]]                      # what runs where an entry below names no methods of its own
name = "fin"
options = { gamma = [10, 100] }  # lists expand to a product

[[instances]]                    # shipped names or paths, at their own targets or over a grid of targets
group = "grid"
instances = ["balexnet-cifar10"]
max_latency_s = [0.003, 0.004]
min_accuracy = [0.5, 0.8]

[[families]]                     # generated: every size with every seed
group = "ladder"
family = "tiered"
nodes = [5, 10]
blocks = [5]
exits = [3]
seeds = [1, 2]

[[shared_families]]              # generated: many applications on one system, every load with every seed
group = "campus"
family = "campus"
nodes = [20]
applications = [20]
load = [0.3, 0.7, 1.2]
penalty = 5.0
seeds = [1, 2]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from finbench.benchmarks.campaigns.overrides import Overrides
from finbench.benchmarks.campaigns.sources import Member, SharedMember, TargetPoint
from finbench.benchmarks.methods import check_options, find_method
from finbench.models.instance import (
    Accounting,
    LatencyKind,
    Name,
    NonNegative,
    Positive,
    PositiveShare,
    Share,
)
from finbench.models.io import InputError, find_file, read_document, validate

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Field(strict=False)]
Some = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]


class Table(BaseModel):
    """A table of a campaign file: unknown fields and values out of range are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class MethodEntry(Table):
    """A method, and values of its options; a list stands for one run with each of its values."""

    name: Name
    """A name that `finbench methods` lists."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the method."""

    def expanded(self, threads: int | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each combination of option values, checked.

        Parameters
        ----------
        threads : int or None
            Value of the option `threads` where the method has one and the entry does not say.

        Raises
        ------
        InputError
            If there is no such method or option, or a value breaks the option's rule.
        """
        options = dict(self.options)
        if threads is not None and "threads" in find_method(self.name).options.model_fields:
            options.setdefault("threads", threads)
        values = [value if isinstance(value, list) else [value] for value in options.values()]
        for combination in product(*values):
            yield self.name, check_options(self.name, dict(zip(options, combination, strict=True)))


class Conditions(Table):
    """How runs are made: as a campaign, one of its entries or the command line says; None where it does not say."""

    time_limit_s: Positive | None = None
    """Limit for each run [s]."""
    memory_limit_gib: Positive | None = None
    """What each run may take beyond what its process held before [GiB]; said nowhere: no limit."""
    repetitions: Annotated[int, Field(ge=1)] | None = None
    """How often each run is made; said nowhere: once."""
    warm_up: bool | None = None
    """Whether a method runs unrecorded before its first run in a process; said nowhere: it does."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Threads of the solver, for methods that have the option and do not set it themselves; said nowhere: one."""


class _Entry(Conditions):
    group: Name
    """Heading under which its runs are summarised."""
    methods: Many[MethodEntry] = ()
    """Methods to run here; left out: the campaign's."""


class InstanceEntry(_Entry):
    """Instances by name or path, at every point of a target grid where one is given."""

    instances: Some[Name]
    """Shipped names, or paths relative to the campaign's file."""
    max_latency_s: Many[NonNegative] = ()
    """Latency targets [s]; left out: each instance's own."""
    min_accuracy: Many[Share] = ()
    """Accuracy targets; left out: each instance's own."""
    accounting: Many[Annotated[Accounting, Field(strict=False)]] = ()
    """Energy accountings; left out: each instance's own."""
    latency_kind: Many[Annotated[LatencyKind, Field(strict=False)]] = ()
    """Which latency counts; left out: each instance's own."""

    def sources(self) -> Iterator[TargetPoint]:
        """Every instance at every point of the grid."""
        grid = [
            Overrides(max_latency_s=delta, min_accuracy=alpha, accounting=accounting, latency_kind=kind)
            for delta, alpha, accounting, kind in product(
                self.max_latency_s or (None,),
                self.min_accuracy or (None,),
                self.accounting or (None,),
                self.latency_kind or (None,),
            )
        ]
        for name in self.instances:
            yield from (TargetPoint(find_file(name, "instances"), choices) for choices in grid)


class FamilyEntry(_Entry):
    """Generated instances: every combination of the sizes, tightnesses and seeds."""

    family: Name
    """A family of `benchmarks.families`."""
    nodes: Some[Annotated[int, Field(ge=1)]]
    """Nodes of the network."""
    blocks: Some[Annotated[int, Field(ge=1)]]
    """Blocks of the DNN."""
    exits: Some[Annotated[int, Field(ge=1)]]
    """Exits of the DNN."""
    tightness: Some[Share] = (0.5,)
    """Where the latency target lies between least latency and least energy."""
    seeds: Some[Annotated[int, Field(ge=0)]]
    """Seeds."""

    def sources(self) -> Iterator[Member]:
        """Every instance of the ladder, smallest first."""
        for nodes, blocks, exits, tightness, seed in product(
            self.nodes, self.blocks, self.exits, self.tightness, self.seeds
        ):
            yield Member(self.family, nodes, blocks, exits, tightness, seed)


class SharedFamilyEntry(_Entry):
    """Generated systems that many applications share: every combination of the sizes, loads and seeds."""

    family: Name
    """A family of `benchmarks.families.SHARED_FAMILIES`."""
    nodes: Some[Annotated[int, Field(ge=1)]]
    """Nodes of the network."""
    applications: Some[Annotated[int, Field(ge=1)]]
    """Applications."""
    load: Some[Positive]
    """How full the system is; 1 is full."""
    penalty: Positive | None = None
    """Rejecting an application costs this many times the least power it could take; left out: nobody is rejected."""
    shares: Many[PositiveShare] = ()
    """Compute shares that edge servers reserve; left out: they reserve nothing."""
    seeds: Some[Annotated[int, Field(ge=0)]]
    """Seeds."""

    def sources(self) -> Iterator[SharedMember]:
        """Every system, smallest first."""
        for nodes, applications, load, seed in product(self.nodes, self.applications, self.load, self.seeds):
            yield SharedMember(self.family, nodes, applications, load, seed, self.penalty, self.shares or None)


class Campaign(Conditions):
    """What a campaign file holds."""

    schema_version: Literal[1] = 1
    """Version of the file format."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Name, and the folder of its results."""
    provenance: str = ""
    """Where its choices come from."""
    time_limit_s: Positive
    """Limit for each run [s]."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed handed to every method."""
    methods: Many[MethodEntry] = ()
    """Methods to run where an entry names none of its own."""
    instances: Many[InstanceEntry] = ()
    """Instances by name."""
    families: Many[FamilyEntry] = ()
    """Generated instances."""
    shared_families: Many[SharedFamilyEntry] = ()
    """Generated systems that many applications share."""

    def under(self, conditions: Conditions) -> Campaign:
        """The campaign with what the command line says, for its entries too."""
        said = {name: value for name, value in conditions if value is not None}
        entries = {
            "instances": tuple(entry.model_copy(update=said) for entry in self.instances),
            "families": tuple(entry.model_copy(update=said) for entry in self.families),
            "shared_families": tuple(entry.model_copy(update=said) for entry in self.shared_families),
        }
        return self.model_copy(update={**said, **entries})


@dataclass(frozen=True)
class Problem:
    """One instance of a campaign and what runs on it."""

    group: str
    source: Member | SharedMember | TargetPoint
    methods: tuple[tuple[str, dict[str, Any]], ...]
    time_limit_s: float
    memory_limit_gib: float | None = None
    repetitions: int = 1
    warm_up: bool = True


def load_campaign(name_or_path: str) -> Campaign:
    """Read a campaign by shipped name or path.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule; also where a method, an option, an instance or a family that it
        names does not exist.
    """
    path = find_file(name_or_path, "campaigns")
    campaign = validate(read_document(path), Campaign, path)
    located = campaign.model_copy(update={"instances": tuple(_located(entry, path) for entry in campaign.instances)})
    try:
        _check_names(located)
    except InputError as error:
        raise InputError(path, str(error)) from None
    return located


def _located(entry: InstanceEntry, campaign_file: Path) -> InstanceEntry:
    """The entry with paths relative to the campaign's file made good."""
    beside = [campaign_file.parent / name for name in entry.instances]
    names = [
        str(path) if path.suffix in (".toml", ".json") else name
        for path, name in zip(beside, entry.instances, strict=True)
    ]
    return entry.model_copy(update={"instances": tuple(names)})


def _check_names(campaign: Campaign) -> None:
    if not (campaign.instances or campaign.families or campaign.shared_families):
        raise InputError("instances, families, shared_families", "at least one of the three is required")
    _check_families(campaign)
    for problem in problems(campaign):
        if not problem.methods:
            raise InputError(f"group '{problem.group}'", "methods: required where the campaign has none")
        if isinstance(problem.source, TargetPoint):
            problem.source.build()


def _check_families(campaign: Campaign) -> None:
    from finbench.benchmarks.families import FAMILIES, SHARED_FAMILIES

    named = [(entry.family, tuple(FAMILIES)) for entry in campaign.families]
    named += [(entry.family, tuple(SHARED_FAMILIES)) for entry in campaign.shared_families]
    for name, known in named:
        if name not in known:
            raise InputError(f"family '{name}'", f"no such family; families: {', '.join(known)}")


def problems(campaign: Campaign) -> Iterator[Problem]:
    """Every problem of a campaign, in the file's order."""
    entries: tuple[InstanceEntry | FamilyEntry | SharedFamilyEntry, ...]
    entries = (*campaign.instances, *campaign.families, *campaign.shared_families)
    for entry in entries:
        said = _said(entry, campaign)
        threads = said.pop("threads", None)
        chosen = tuple(run for method in entry.methods or campaign.methods for run in method.expanded(threads))
        for source in entry.sources():
            yield Problem(entry.group, source, chosen, **said)


def _said(entry: Conditions, campaign: Campaign) -> dict[str, Any]:
    """Conditions of an entry's runs: its own word, else the campaign's; nothing where neither says."""
    own = {name: getattr(entry, name) for name in Conditions.model_fields}
    words = {name: getattr(campaign, name) if word is None else word for name, word in own.items()}
    return {name: word for name, word in words.items() if word is not None}
