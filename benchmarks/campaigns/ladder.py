"""What the file of a size ladder says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from finbench.benchmarks.campaigns.campaign import FamilyEntry, Many, MethodEntry, Some, Table
from finbench.models.instance import Positive
from finbench.models.io import find_file, read_document, validate


class ScaleCampaign(Table):
    """What a scale campaign's file holds."""

    schema_version: Literal[1] = 1
    """Version of the file format."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Name, and the folder of its results."""
    provenance: str = ""
    """Where its choices come from."""
    time_limit_s: Positive
    """Limit for each run [s]."""
    memory_limit_gib: Positive = 8.0
    """What each run may take beyond what its process held before [GiB]."""
    strikes: Annotated[int, Field(ge=1)] = 2
    """Runs at a limit after which a method stops climbing."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed handed to every method."""
    methods: Many[MethodEntry] = ()
    """Methods where a ladder names none of its own."""
    families: Some[FamilyEntry]
    """One ladder each."""


def load_scale_campaign(name_or_path: str) -> ScaleCampaign:
    """Read a scale campaign by shipped name or path.

    Raises
    ------
    InputError
        If the file cannot be read or breaks a rule.
    """
    path = find_file(name_or_path, "ladders")
    return validate(read_document(path), ScaleCampaign, path)
