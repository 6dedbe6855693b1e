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

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from finbench.benchmarks.campaigns.campaign_file import FromFile
from finbench.benchmarks.campaigns.conditions import Conditions, Table, TimeLimit
from finbench.benchmarks.campaigns.origins import Given, LibraryMember, Member, SharedMember, TargetPoint
from finbench.benchmarks.campaigns.overrides import Overrides
from finbench.benchmarks.library.library import PREFIX, shipped_library
from finbench.benchmarks.methods import Choice, check_options, find_method
from finbench.benchmarks.plugins.plugin import load_file
from finbench.models.fields import SCHEMA_VERSION, SchemaVersion
from finbench.models.instance import (
    Accounting,
    LatencyKind,
    Name,
    NonNegative,
    Objective,
    PositiveShare,
    Share,
)
from finbench.models.io import InputError, find_file, read_document, validate

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Field(strict=False)]
Some = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]


MAX_RUNS = 1_000_000
"""A campaign of more runs is taken for a mistake."""

Factor = Annotated[float, Field(gt=0, le=1e9)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
"""Solvers take no larger one."""
Count = Annotated[int, Field(ge=1)]


class MethodEntry(Table):
    """A method, and values of its options; a list stands for one run with each of its values."""

    name: Name
    """A name that `finbench methods` lists."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the method."""

    @property
    def combinations(self) -> int:
        """How many combinations of option values there are."""
        return prod(len(value) for value in self.options.values() if isinstance(value, list))

    def expanded(self, threads: int | None = None) -> Iterator[Choice]:
        """Yield the method with each combination of its option values, checked.

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


class _Entry(Conditions):
    group: Name
    """Heading under which its runs are summarised."""
    methods: Many[MethodEntry] = ()
    """Methods to run here; left out: the campaign's."""


class InstanceEntry(_Entry):
    """Instances by name or path, at every point of a target grid where one is given."""

    instances: Some[Name]
    """Shipped names, `library:NAME`, `library:TIER` for all instances of a tier, or paths relative to the campaign's
    file."""
    max_latency_s: Many[NonNegative] = ()
    """Latency targets [s]; left out: each instance's own."""
    min_accuracy: Many[Share] = ()
    """Accuracy targets; left out: each instance's own."""
    accounting: Many[Annotated[Accounting, Field(strict=False)]] = ()
    """Energy accountings; left out: each instance's own."""
    latency_kind: Many[Annotated[LatencyKind, Field(strict=False)]] = ()
    """Which latency counts; left out: each instance's own."""
    latency_quantile: Many[PositiveShare] = ()
    """Shares of samples that leave in time, each with the latency kind `quantile`; other kinds take none."""
    objective: Many[Annotated[Objective, Field(strict=False)]] = ()
    """What is minimised; left out: each instance's own."""

    @property
    def size(self) -> int:
        """How many instances there are."""
        lists = (self.max_latency_s, self.min_accuracy, self.accounting, self.latencies, self.objective)
        names = sum(len(_of_library(name) or (name,)) for name in self.instances)
        return names * prod(len(values) or 1 for values in lists)

    @property
    def latencies(self) -> list[tuple[LatencyKind | None, float | None]]:
        """Every latency kind, that of quantiles once for each of them; empty where each instance's own counts."""
        kinds = self.latency_kind or ((LatencyKind.QUANTILE,) if self.latency_quantile else ())
        shares = {LatencyKind.QUANTILE: self.latency_quantile or (None,)}
        return [(kind, share) for kind in kinds for share in shares.get(kind, (None,))]

    def origins(self) -> Iterator[TargetPoint | LibraryMember | Given]:
        """Yield every instance at every point of the grid."""
        grid = [
            Overrides(
                max_latency_s=delta,
                min_accuracy=alpha,
                accounting=accounting,
                latency_kind=kind,
                latency_quantile=share,
                objective=objective,
            )
            for delta, alpha, accounting, (kind, share), objective in product(
                self.max_latency_s or (None,),
                self.min_accuracy or (None,),
                self.accounting or (None,),
                self.latencies or ((None, None),),
                self.objective or (None,),
            )
        ]
        for name in self.instances:
            members = _of_library(name)
            yield from (LibraryMember(member, choices) for member in members for choices in grid)
            if not members:
                yield from (TargetPoint(find_file(name, "instances"), choices) for choices in grid)


def _of_library(name: str) -> tuple[str, ...]:
    """Return the instances of the library that a name means; none where it means no part of the library."""
    return shipped_library().named(name) if name.startswith(PREFIX) else ()


class FamilyEntry(_Entry):
    """Generated instances: every combination of the sizes, tightnesses and seeds."""

    family: Name
    """A family of `benchmarks.families`."""
    nodes: Some[Count]
    """Nodes of the network."""
    blocks: Some[Count]
    """Blocks of the DNN."""
    exits: Some[Count]
    """Exits of the DNN."""
    tightness: Some[Share] = (0.5,)
    """Where the latency target lies between least latency and least energy."""
    links: Name | None = None
    """Choice of links where the family offers one, such as `typical`; left out: its first."""
    set: Many[Name] = ()
    """Parameters of the family to set, such as `edge.compute_ops_per_s=1e11..5e11`."""
    seeds: Some[Seed]
    """Seeds."""

    @property
    def size(self) -> int:
        """How many instances there are."""
        return prod(map(len, (self.nodes, self.blocks, self.exits, self.tightness, self.seeds)))

    def origins(self) -> Iterator[Member]:
        """Yield every instance of the ladder, smallest first."""
        for nodes, blocks, exits, tightness, seed in product(
            self.nodes, self.blocks, self.exits, self.tightness, self.seeds
        ):
            yield Member(self.family, nodes, blocks, exits, tightness, seed, self.links, self.set)


class SharedFamilyEntry(_Entry):
    """Generated systems that many applications share: every combination of the sizes, loads and seeds."""

    family: Name
    """A family of `benchmarks.families.SHARED_FAMILIES`."""
    nodes: Some[Count]
    """Nodes of the network."""
    applications: Some[Count]
    """Applications."""
    load: Some[Factor]
    """How full the system is; 1 is full."""
    penalty: Factor | None = None
    """Rejecting an application costs this many times the least power it could take; left out: nobody is rejected."""
    shares: Many[PositiveShare] = ()
    """Compute shares that edge servers reserve; left out: they reserve nothing."""
    tightness: Many[Factor] = ()
    """Where latency targets lie, from the quickest split (0) to the most frugal one (1); left out: drawn for each."""
    dnns: Name | None = None
    """Choice of DNNs where the family offers one, such as `catalogue`; left out: its first."""
    set: Many[Name] = ()
    """Parameters of the family to set, such as `edge.compute_ops_per_s=1e11..5e11`."""
    seeds: Some[Seed]
    """Seeds."""

    @property
    def size(self) -> int:
        """How many systems there are."""
        return prod(map(len, (self.nodes, self.applications, self.load, self.tightness or (None,), self.seeds)))

    def origins(self) -> Iterator[SharedMember]:
        """Yield every system, smallest first."""
        grid = product(self.nodes, self.applications, self.load, self.tightness or (None,), self.seeds)
        for nodes, applications, load, tightness, seed in grid:
            yield SharedMember(
                self.family,
                nodes,
                applications,
                load,
                seed,
                self.penalty,
                self.shares or None,
                tightness,
                self.dnns,
                self.set,
            )


Entry = InstanceEntry | FamilyEntry | SharedFamilyEntry


class Campaign(Conditions, FromFile):
    """What a campaign file holds."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Name, and the folder of its results."""
    provenance: str = ""
    """Where its choices come from."""
    time_limit_s: TimeLimit
    """Limit for each run [s]."""
    seed: Seed = 0
    """Seed handed to every method."""
    plugins: Many[Name] = ()
    """Python files that bring methods, families or solvers; paths relative to the campaign's file."""
    methods: Many[MethodEntry] = ()
    """Methods to run where an entry names none of its own."""
    instances: Many[InstanceEntry] = ()
    """Instances by name."""
    families: Many[FamilyEntry] = ()
    """Generated instances."""
    shared_families: Many[SharedFamilyEntry] = ()
    """Generated systems that many applications share."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries that give instances, in the file's order."""
        return (*self.instances, *self.families, *self.shared_families)

    def under(self, conditions: Conditions) -> Campaign:
        """Return the campaign, its entries too, with what the command line says."""
        given = {name: value for name, value in conditions if value is not None}
        entries = {
            "instances": tuple(entry.model_copy(update=given) for entry in self.instances),
            "families": tuple(entry.model_copy(update=given) for entry in self.families),
            "shared_families": tuple(entry.model_copy(update=given) for entry in self.shared_families),
        }
        changed = self.model_copy(update={**given, **entries})
        _check_sizes(changed)
        return changed


@dataclass(frozen=True)
class Problem:
    """One instance of a campaign and what runs on it."""

    group: str
    origin: Member | SharedMember | TargetPoint | LibraryMember | Given
    methods: tuple[Choice, ...]
    time_limit_s: float
    memory_limit_gib: float | None = None
    repetitions: int = 1
    warm_up: bool = True
    simulated_samples: int | None = None


def load_campaign(name_or_path: str) -> Campaign:
    """Read a campaign by shipped name or path.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule; also where a method, an option, an instance or a family that it
        names does not exist, or where it asks for more than `MAX_RUNS` runs.
    """
    path = find_file(name_or_path, "campaigns")
    campaign = validate(read_regular_document(path), Campaign, path)
    located = campaign.model_copy(update={"instances": tuple(_located(entry, path) for entry in campaign.instances)})
    load_plugins(campaign.plugins, path)
    with named(path):
        _check(located)
    return located.read_from(path)


def read_regular_document(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file that is neither a pipe nor a device, which might never end.

    Raises
    ------
    InputError
        As `models.io.read_document` does, and if it is no regular file.
    """
    if os.path.exists(path) and not path.is_file():
        raise InputError(path, "is not a regular file")
    return read_document(path)


@contextmanager
def named(file: Path) -> Iterator[None]:
    """Put the name of a file before the message of an `InputError` that is raised inside the block."""
    try:
        yield
    except InputError as error:
        raise InputError(file, str(error)) from None


def load_plugins(plugins: Iterable[str], file: Path) -> None:
    """Load the plugins that a file names, relative to its folder; raise InputError where one cannot be loaded."""
    for plugin in plugins:
        load_file(file.parent / plugin)


def _located(entry: InstanceEntry, campaign_file: Path) -> InstanceEntry:
    """Return the entry with the folder of the campaign's file put before its paths, which are relative to it."""
    beside = [campaign_file.parent / name for name in entry.instances]
    names = [
        str(path) if path.suffix in (".toml", ".json") else name
        for path, name in zip(beside, entry.instances, strict=True)
    ]
    return entry.model_copy(update={"instances": tuple(names)})


def _check(campaign: Campaign) -> None:
    if not campaign.entries:
        raise InputError("instances, families, shared_families", "at least one of the three is required")
    check_families(campaign.families, campaign.shared_families)
    _check_sizes(campaign)
    for problem in problems(campaign):
        if isinstance(problem.origin, TargetPoint):
            problem.origin.build()


def check_families(families: Iterable[FamilyEntry], shared: Iterable[SharedFamilyEntry]) -> None:
    """Raise InputError where an entry names a family that does not exist, or sizes above those that the family makes.

    Sizes below are left to the runs: their rows say what is wrong with each.
    """
    from finbench.benchmarks.families import FAMILIES, SHARED_FAMILIES, find_family
    from finbench.benchmarks.families.settings import read_settings

    families, shared = tuple(families), tuple(shared)
    for name in (*(entry.family for entry in families), *(system.family for system in shared)):
        find_family(name)
    for one in families:
        family = _known(one.family, FAMILIES)
        _check_most(one.family, nodes=(one.nodes, family.most_nodes), blocks=(one.blocks, family.most_blocks))
        _check_choice(one.family, "links", one.links, family.links)
        read_settings(one.family, one.set, family.tiers)
    for system in shared:
        of_many = _known(system.family, SHARED_FAMILIES)
        _check_most(
            system.family,
            nodes=(system.nodes, of_many.most_nodes),
            applications=(system.applications, of_many.most_applications),
        )
        _check_choice(system.family, "dnns", system.dnns, of_many.dnns)
        read_settings(system.family, system.set, of_many.tiers)


def _check_choice(family: str, field: str, chosen: str | None, choices: Sequence[str]) -> None:
    """Raise InputError where a choice is none of those that a family offers."""
    if chosen is not None and chosen not in choices:
        rule = f"must be one of {', '.join(choices)}" if choices else f"this family has no choice of {field}"
        raise InputError(f"family '{family}'", f"{field} = '{chosen}': {rule}")


def _known(name: str, families: Mapping[str, T]) -> T:
    if name not in families:
        raise InputError(f"family = {name!r}", f"no such family; families: {', '.join(families)}")
    return families[name]


def _check_most(family: str, **sizes: tuple[Sequence[int], int]) -> None:
    """Raise InputError where one of the values of a field is above its limit."""
    for field, (values, most) in sizes.items():
        if max(values) > most:
            raise InputError(f"family '{family}'", f"{field} = {max(values)}: must be at most {most}")


def _check_sizes(campaign: Campaign) -> None:
    repetitions = (entry.repetitions or campaign.repetitions or 1 for entry in campaign.entries)
    runs = sum(
        check_size(entry, entry.methods or campaign.methods) * each
        for entry, each in zip(campaign.entries, repetitions, strict=True)
    )
    if runs > MAX_RUNS:
        raise InputError(f"campaign '{campaign.name}'", f"asks for {runs} runs: must be at most {MAX_RUNS}")


def check_size(entry: Entry, methods: Sequence[MethodEntry]) -> int:
    """Return how often methods run on an entry's instances, each once.

    Raises
    ------
    InputError
        If there is no method, or more than `MAX_RUNS` runs.
    """
    group = f"group '{entry.group}'"
    if not methods:
        raise InputError(group, "methods: required where the campaign has none")
    runs = entry.size * sum(method.combinations for method in methods)
    if runs > MAX_RUNS:
        raise InputError(group, f"asks for {runs} runs: must be at most {MAX_RUNS}")
    return runs


def problems(campaign: Campaign) -> Iterator[Problem]:
    """Yield every problem of a campaign, in the file's order."""
    for entry in campaign.entries:
        conditions = _conditions(entry, campaign)
        threads = conditions.pop("threads", None)
        chosen = tuple(choice for method in entry.methods or campaign.methods for choice in method.expanded(threads))
        for origin in entry.origins():
            yield Problem(entry.group, origin, chosen, **conditions)


def _conditions(entry: Conditions, campaign: Campaign) -> dict[str, Any]:
    """Return the conditions of an entry's runs.

    A condition that the entry does not set is the campaign's. One that neither sets is left out.
    """
    own = {name: getattr(entry, name) for name in Conditions.model_fields}
    chosen = {name: getattr(campaign, name) if value is None else value for name, value in own.items()}
    return {name: value for name, value in chosen.items() if value is not None}
