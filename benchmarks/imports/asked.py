"""What a command line or a script asks of an import, checked, and the network that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finbench.benchmarks.imports.attached import attachment, read_devices
from finbench.benchmarks.imports.network import DEFAULT_KIND, imported_network
from finbench.benchmarks.imports.network_rules import ImportedNetwork, ImportRules
from finbench.models.io import InputError, validate
from finbench.models.units import number_or_quantity, unit_of


@dataclass(frozen=True)
class AskedNetwork:
    """What was asked; numbers are in SI units, or texts with a unit."""

    source: str
    links: Path | None = None
    bandwidth: float | str | None = None
    delay: float | str | None = None
    path_factor: float = 1.5
    link: str = DEFAULT_KIND
    external: bool = False
    largest_part: bool = False
    devices: Path | None = None
    attach: tuple[str, ...] = ()
    attach_link: str | None = None
    attach_bandwidth: float | str | None = None
    attach_delay: float | str | None = None


def made_as_asked(asked: AskedNetwork) -> ImportedNetwork:
    """Return the network; raise InputError where what was asked, or the source, breaks a rule."""
    rules = {
        "bandwidth_bit_per_s": _number(asked.bandwidth, "bandwidth", "bandwidth_bit_per_s"),
        "delay_s": _number(asked.delay, "delay", "delay_s"),
        "path_factor": asked.path_factor,
        "keep_external": asked.external,
        "largest_part": asked.largest_part,
    }
    around: dict[str, Any] = {
        "link": asked.attach_link,
        "bandwidth_bit_per_s": _number(asked.attach_bandwidth, "attach-bandwidth", "bandwidth_bit_per_s"),
        "delay_s": _number(asked.attach_delay, "attach-delay", "delay_s") or 0.0,
    }
    in_file = read_devices(asked.devices) if asked.devices else ()
    return imported_network(
        asked.source,
        links=asked.links,
        rules=validate(rules, ImportRules, "import network"),
        kind=asked.link,
        attachments=[*in_file, *(attachment(text, **around) for text in asked.attach)],
    )


def _number(said: float | str | None, option: str, field: str) -> float | None:
    """Return the value of an option in SI units; it must not be negative."""
    if said is None:
        return None
    try:
        number = number_or_quantity(said, field)
    except ValueError as error:
        raise InputError(f"--{option}", str(error)) from None
    if number < 0 or (number == 0 and field != "delay_s"):
        rule = "at least 0" if field == "delay_s" else "greater than 0"
        raise InputError(f"--{option}", f"{str(said)[:60]!r}: must be {rule} [{unit_of(field)}]")
    return number
