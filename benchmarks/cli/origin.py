"""Where deployment files come from, and whether they belong to the instance that they are used with."""

from __future__ import annotations

from pathlib import Path

from finbench.benchmarks.terminal.console import print_error
from finbench.models.deployment import Deployment, DeploymentOrigin
from finbench.models.instance import Instance
from finbench.models.io import load_deployment_file
from finbench.models.versions import package_version

SHOWN = 12
"""Digits of a content hash that people are shown."""


def origin_of(instance: Instance, method: str) -> DeploymentOrigin:
    """Return what a file shall say of a deployment that `method` has made for `instance`."""
    version = package_version("finbench")
    return DeploymentOrigin(instance=instance.name, content_hash=instance.content_hash, method=method, version=version)


def deployment_for(instance: Instance, file: Path) -> Deployment:
    """Read a deployment file; say in one line on standard error where it was made for another instance.

    Raises
    ------
    InputError
        If it cannot be read or breaks a rule.
    """
    read = load_deployment_file(file)
    made_for = read.made_for
    if made_for is not None and made_for.content_hash != instance.content_hash:
        other = f"'{made_for.instance}' (content hash {made_for.content_hash[:SHOWN]})"
        here = f"'{instance.name}' ({instance.content_hash[:SHOWN]})"
        print_error(f"{file}: was made by {made_for.method} for another instance, {other}, and is used with {here}")
    return read.deployment
