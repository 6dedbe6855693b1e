"""What the file of a size ladder says."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from finbench.benchmarks.campaigns.campaign import (
    FamilyEntry,
    Many,
    MethodEntry,
    Seed,
    Some,
    check_families,
    check_size,
    load_plugins,
    named,
    read_regular_document,
)
from finbench.benchmarks.campaigns.campaign_file import FromFile
from finbench.benchmarks.campaigns.conditions import MemoryLimit, TimeLimit
from finbench.benchmarks.methods import Choice
from finbench.models.fields import SCHEMA_VERSION, SchemaVersion
from finbench.models.instance import Name
from finbench.models.io import find_file, validate


class LadderCampaign(FromFile):
    """The fields of a ladder campaign's file."""

    schema_version: SchemaVersion = SCHEMA_VERSION
    """Version of the file format."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Name, and the folder of its results."""
    provenance: str = ""
    """Where its choices come from."""
    time_limit_s: TimeLimit
    """Limit for each run [s]."""
    memory_limit_gib: MemoryLimit = 8.0
    """Memory that each run may take beyond what its process held before [GiB]."""
    strikes: Annotated[int, Field(ge=1)] = 2
    """Runs that meet a limit before the method stops climbing."""
    seed: Seed = 0
    """Seed handed to every method."""
    plugins: Many[Name] = ()
    """Python files that bring methods or families; paths relative to the campaign's file."""
    methods: Many[MethodEntry] = ()
    """Methods where a ladder names none of its own."""
    families: Some[FamilyEntry]
    """One ladder each."""

    def methods_of(self, ladder: FamilyEntry) -> tuple[Choice, ...]:
        """Return the methods that climb a ladder, each with all its options.

        Raises
        ------
        InputError
            If there is no such method or option, or a value breaks the option's rule.
        """
        return tuple(choice for method in ladder.methods or self.methods for choice in method.expanded())

    def check(self) -> None:
        """Check the rules that no single field of the file can tell.

        Raises
        ------
        InputError
            If a family, a method or an option does not exist, a value breaks its rule, a ladder has no method, or there
            are more runs than a campaign may have.
        """
        check_families(self.families, ())
        for ladder in self.families:
            check_size(ladder, ladder.methods or self.methods)
            self.methods_of(ladder)


def load_ladder_campaign(name_or_path: str) -> LadderCampaign:
    """Read a ladder campaign by shipped name or path.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule; also where a method, an option or a family that it names does not
        exist.
    """
    path = find_file(name_or_path, "ladders")
    campaign = validate(read_regular_document(path), LadderCampaign, path)
    load_plugins(campaign.plugins, path)
    with named(path):
        campaign.check()
    return campaign.read_from(path)
