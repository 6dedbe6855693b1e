"""Links of a tiered network: as fast as the published scenario's, or as slow as links of our time.

`fast` links carry 0.1 to 4.5 Tbit/s around the published values, so that transfers take next to no
time beside computing.
`typical` links are of two media. A device sends by radio; servers are joined by cables (backhaul). A medium draws its
bandwidth B log-uniformly; both ends take a power while they send and receive, so that a bit costs e = P/B; the delay is
that of the medium. What goes from a device to a cloud server takes both media, one after the other: the smaller
bandwidth, and the sums of delays and of Joules per bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Protocol

import numpy as np

from finbench.benchmarks.families.profiles import around

FAST, TYPICAL = "fast", "typical"
LINK_CHOICES = (FAST, TYPICAL)
"""What links may be, the default first."""

SPREAD = 3
"""Fast links lie within this factor of their tier's published bandwidth."""


class LinkEnd(Protocol):
    """What a link needs to know of the tiers that it joins."""

    @property
    def name(self) -> str:
        """Name of the tier."""

    @property
    def radio_j_per_bit(self) -> float:
        """Published energy of a bit that is sent or received."""

    @property
    def bandwidth_bit_per_s(self) -> float:
        """Published bandwidth of a link into the tier."""


@dataclass(frozen=True)
class Medium:
    """What carries bits, and what that takes."""

    least_bit_per_s: float
    most_bit_per_s: float
    delay_s: float
    """Typical one; drawn within a factor of two."""
    send_w: float
    """Typical power of a sender; drawn within a factor of two."""
    receive_w: float
    """Typical power of a receiver; drawn within a factor of two."""


RADIO = Medium(5e6, 200e6, 2e-3, 1.0, 0.5)
"""Wireless and cellular access: a hand-held sender has about a watt."""

BACKHAUL = Medium(1e9, 10e9, 5e-4, 5.0, 5.0)
"""Ports of switches and servers, and the cables between them."""

Costs = Mapping[str, Any]
"""Bandwidth, delay and Joules per bit, named as the fields of `Link`."""


def fast(rng: np.random.Generator, sender: LinkEnd, receiver: LinkEnd) -> Costs:
    """Draw the costs of a link around the published ones."""
    return {
        "bandwidth_bit_per_s": around(rng, receiver.bandwidth_bit_per_s, SPREAD),
        "tx_energy_j_per_bit": around(rng, sender.radio_j_per_bit / 4, 2),
        "rx_energy_j_per_bit": around(rng, receiver.radio_j_per_bit / 4, 2),
    }


def typical(rng: np.random.Generator, sender: LinkEnd, receiver: LinkEnd) -> Costs:
    """Draw the costs of a link of the media between two tiers."""
    if sender.name != "mobile":
        return _over(rng, BACKHAUL)
    radio = _over(rng, RADIO)
    if receiver.name != "cloud":
        return radio
    cable = _over(rng, BACKHAUL)
    passed_on = radio["rx_energy_j_per_bit"] + cable["tx_energy_j_per_bit"] + cable["rx_energy_j_per_bit"]
    return {
        "bandwidth_bit_per_s": min(radio["bandwidth_bit_per_s"], cable["bandwidth_bit_per_s"]),
        "delay_s": _digits(radio["delay_s"] + cable["delay_s"]),
        "tx_energy_j_per_bit": radio["tx_energy_j_per_bit"],
        "rx_energy_j_per_bit": _digits(passed_on),
    }


DRAWS = {FAST: fast, TYPICAL: typical}
"""How the costs of a link are drawn, by choice of links."""


def bandwidths(choice: str, published: tuple[float, ...]) -> tuple[float, float]:
    """Return the least and the most bandwidth that a choice of links draws [bit/s]; `published` are those of tiers."""
    if choice == FAST:
        return min(published) / SPREAD, max(published) * SPREAD
    return RADIO.least_bit_per_s, BACKHAUL.most_bit_per_s


def _over(rng: np.random.Generator, medium: Medium) -> dict[str, float]:
    middle = sqrt(medium.least_bit_per_s * medium.most_bit_per_s)
    bandwidth = around(rng, middle, sqrt(medium.most_bit_per_s / medium.least_bit_per_s))
    return {
        "bandwidth_bit_per_s": bandwidth,
        "delay_s": around(rng, medium.delay_s, 2),
        "tx_energy_j_per_bit": _digits(around(rng, medium.send_w, 2) / bandwidth),
        "rx_energy_j_per_bit": _digits(around(rng, medium.receive_w, 2) / bandwidth),
    }


def _digits(value: float) -> float:
    return float(f"{value:.6g}")
