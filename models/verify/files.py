"""Certificate files."""

from __future__ import annotations

import json
from pathlib import Path

from finbench.models.deployment import Deployment, DeploymentFile
from finbench.models.io import read_document, validate
from finbench.models.verify.certificate import Certificate


def load_deployment_or_certificate(path: Path) -> Deployment | Certificate:
    """Read a file that holds one or the other; a certificate names its claim.

    Raises
    ------
    InputError
        If it cannot be read or breaks a rule.
    """
    document = read_document(path)
    if "claim" in document:
        return validate(document, Certificate, path)
    return validate(document, DeploymentFile, path).deployment


def dump_certificate(certificate: Certificate) -> str:
    """Return the certificate as JSON text."""
    return json.dumps(certificate.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
