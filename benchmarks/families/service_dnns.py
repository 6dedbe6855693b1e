"""The DNNs that applications of shared families run: the published ones with early exits, or those of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from finbench.models.catalogue import entries
from finbench.models.catalogue_files import load_catalogue_dnn
from finbench.models.instance import DNN
from finbench.models.io import data_directory, read_document, validate

PUBLISHED, CATALOGUE = "published", "catalogue"

PARAMETER_BYTES = {
    "blenet-mnist": (2e3, 3e4, 2e5),
    "balexnet-cifar10": (2e4, 2e5, 6e5, 1e6, 4e6),
    "balexnet-cifar100": (2e4, 2e5, 6e5, 1e6, 4e6),
    "bresnet-cifar10": (1e5, 3e5, 3e5, 1.2e6, 5e6),
    "bresnet-cifar100": (1e5, 3e5, 3e5, 1.2e6, 5e6),
}
"""Parameters of the published DNNs' blocks [byte] (ours)."""


@cache
def published_dnns() -> tuple[DNN, ...]:
    """Return the shipped DNNs with early exits, with parameters."""
    return tuple(_with_parameters(name) for name in PARAMETER_BYTES)


@cache
def catalogue_dnns() -> tuple[DNN, ...]:
    """Return the DNNs of the catalogue, which were counted from models of real architectures and have one exit each."""
    return tuple(load_catalogue_dnn(name, "families") for name in entries("dnns"))


DNNS: dict[str, Callable[[], tuple[DNN, ...]]] = {PUBLISHED: published_dnns, CATALOGUE: catalogue_dnns}
"""The choices that families offer, by name."""


def _with_parameters(name: str) -> DNN:
    path = data_directory() / "dnns" / f"{name}.toml"
    document = read_document(path)
    del document["schema_version"]
    for block, size in zip(document["blocks"], PARAMETER_BYTES[name], strict=True):
        block["parameter_bytes"] = size
    document["provenance"] += " Parameters: ours, 32-bit weights, of the order of such networks, growing with depth."
    return validate(document, DNN, path)
