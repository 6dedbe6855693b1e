"""Which version of a Python package is installed."""

from __future__ import annotations


def package_version(distribution: str) -> str | None:
    """Return the installed version of a distribution, None where it is not installed; it is not imported for that."""
    from importlib import metadata  # with all that reads e-mail, which metadata are written like

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
