"""The command that checks deployments and proofs in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from finbench.benchmarks.cli.exit_codes import CONTRADICTED, FOUND, NOTHING_FOUND
from finbench.benchmarks.cli.options import OVERRIDES, AsJson, InstanceName, loaded, takes
from finbench.benchmarks.cli.panels import SOLVE
from finbench.benchmarks.terminal import console
from finbench.benchmarks.terminal.verification_view import print_verification
from finbench.models.deployment import Deployment
from finbench.models.io import InputError
from finbench.models.verify.certificate import Certificate
from finbench.models.verify.files import load_deployment_or_certificate
from finbench.models.verify.verdict import Ruling, Verification, verify

commands = typer.Typer()

LARGEST_GAP = Fraction(10**300)
"""Gaps beyond this are told as this: JSON numbers are floats."""

EXIT_CODE = {Ruling.PROVEN: FOUND, Ruling.NOT_PROVEN: NOTHING_FOUND, Ruling.REFUTED: CONTRADICTED}


def _finite(claimed: float | None) -> float | None:
    """Return the claimed objective, if it is a number that an objective can be."""
    if claimed is not None and not isfinite(claimed):
        raise InputError("--claimed", f"{claimed}: must be a finite number")
    return claimed


@commands.command("verify", rich_help_panel=SOLVE)
@takes(overrides=OVERRIDES)
def verify_files(
    instance: InstanceName,
    files: Annotated[
        list[Path], typer.Argument(metavar="DEPLOYMENT|CERTIFICATE...", help="A deployment, a certificate, or both.")
    ],
    claimed: Annotated[
        float | None,
        typer.Option(help="An objective that somebody claims; it must be the exact one within 1e-6.", callback=_finite),
    ] = None,
    as_json: AsJson = False,
    *,
    overrides: dict[str, Any],
) -> None:
    """Check a deployment, and the proof that none is better, in exact arithmetic.

    The checker shares nothing with the methods. It says proven (exit code 0), not proven (4) or refuted (5), and the
    number that decides. Certificates come from `finbench solve … --certificate FILE`.

    Example: [bold]finbench verify balexnet-cifar10 deployment.json certificate.json[/bold]
    """
    deployment, certificate = _parts(files)
    found = verify(loaded(instance, overrides), deployment, certificate, claimed=claimed)
    if as_json:
        console.print_json(_to_json(found))
    else:
        print_verification(found)
    raise typer.Exit(EXIT_CODE[found.verdict])


def _parts(files: list[Path]) -> tuple[Deployment | None, Certificate | None]:
    """Read the files and tell deployment and certificate apart."""
    deployment: Deployment | None = None
    certificate: Certificate | None = None
    for file in files:
        part = load_deployment_or_certificate(file)
        if isinstance(part, Certificate):
            if certificate is not None:
                raise InputError(file, "is a second certificate: one at most")
            certificate = part
        else:
            if deployment is not None:
                raise InputError(file, "is a second deployment: one at most")
            deployment = part
    return deployment, certificate


def _to_json(found: Verification) -> dict[str, Any]:
    """Return the verdict with exact numbers as strings `numerator/denominator`."""
    evaluation = found.evaluation
    rows = () if evaluation is None else evaluation.rows
    return {
        "verdict": found.verdict.value,
        "sentence": found.sentence,
        "objective": None if evaluation is None or evaluation.objective is None else str(evaluation.objective),
        "lower_bound": None if found.bound is None else str(found.bound),
        "gap": None if found.gap is None else float(min(found.gap, LARGEST_GAP)),
        "cut_short": list(found.cut_short),
        "rows": [
            {
                "equation": row.equation,
                "subject": row.subject,
                "value": str(row.value),
                "limit": str(row.limit),
                "slack": str(row.slack),
                "holds": row.holds,
            }
            for row in rows
        ],
        "broken": [] if evaluation is None else list(evaluation.broken),
    }
