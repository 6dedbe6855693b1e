"""The kinds of files that people write and keep: the class that checks each, and how a file's kind is told."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from finbench.models.deployment import DeploymentFile
from finbench.models.instance import DNN, Application, Device, Network
from finbench.models.io import Document, InputError, load_instance, validate


class FileKind(StrEnum):
    """The kinds of files that have a schema."""

    INSTANCE = "instance"
    NETWORK = "network"
    DNN = "dnn"
    APPLICATION = "application"
    DEVICE = "device"
    DEPLOYMENT = "deployment"
    CERTIFICATE = "certificate"
    CAMPAIGN = "campaign"
    LADDER = "ladder"
    MIGRATION = "migration"
    DAY = "day"


TELLING = {
    "claim": FileKind.CERTIFICATE,
    "periods": FileKind.DAY,
    "fixed_cost_per_block": FileKind.MIGRATION,
    "repository": FileKind.MIGRATION,
    "cost_per_s": FileKind.MIGRATION,
    "deployments": FileKind.DEPLOYMENT,
    "network": FileKind.INSTANCE,
    "nodes": FileKind.NETWORK,
    "blocks": FileKind.DNN,
    "measured": FileKind.DEVICE,
    "source": FileKind.APPLICATION,
    "strikes": FileKind.LADDER,
    "time_limit_s": FileKind.CAMPAIGN,
}
"""The kind that a field tells, the most telling field first. A ladder that leaves `strikes` out reads as a campaign."""


def kind_of(document: Document, file: Path) -> FileKind:
    """Return the kind of a file that holds `document`; raise InputError where no field tells it."""
    for field, kind in TELLING.items():
        if field in document:
            return kind
    raise InputError(file, f"is none of our files: a kind is told by one of the fields {', '.join(TELLING)}")


def model_of(kind: FileKind) -> type[BaseModel]:
    """Return the class that checks what a file of a kind says."""
    from finbench.benchmarks.campaigns.campaign import Campaign
    from finbench.benchmarks.campaigns.ladder import LadderCampaign
    from finbench.models.day import Day
    from finbench.models.file_schema import InstanceFile
    from finbench.models.moving import Migration
    from finbench.models.verify.certificate import Certificate

    models: dict[FileKind, type[BaseModel]] = {
        FileKind.INSTANCE: InstanceFile,
        FileKind.NETWORK: Network,
        FileKind.DNN: DNN,
        FileKind.APPLICATION: Application,
        FileKind.DEVICE: Device,
        FileKind.DEPLOYMENT: DeploymentFile,
        FileKind.CERTIFICATE: Certificate,
        FileKind.CAMPAIGN: Campaign,
        FileKind.LADDER: LadderCampaign,
        FileKind.MIGRATION: Migration,
        FileKind.DAY: Day,
    }
    return models[kind]


def schema_of(kind: FileKind) -> Document:
    """Return the JSON Schema of a kind of file."""
    from finbench.models.file_schema import file_schema

    return file_schema(model_of(kind), f"finbench {kind} file")


def check_file(document: Document, file: Path) -> None:
    """Raise InputError where a file that holds `document` breaks a rule of its kind."""
    kind = kind_of(document, file)
    if kind is FileKind.INSTANCE:
        load_instance(file)
        return
    model = model_of(kind)
    versioned = "schema_version" in model.model_fields
    validate({name: value for name, value in document.items() if versioned or name != "schema_version"}, model, file)
