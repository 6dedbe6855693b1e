"""`melbourne`: users under base stations of a city's centre, in real places.

A fifth of the nodes are stations, drawn from the 125 of the data, the rest users, drawn from the 816 (`PLACES`). A user
sends to the nearest station, by radio. The rate falls with the distance d: B log2(1 + SNR), where the signal-to-noise
ratio is `SNR_AT_100_M` at 100 m and falls with d^`PATH_LOSS`, no nearer than `NEAREST_M`. Stations are joined to their
nearest ones by fibre, and have a slice of a measured server each, as in `zoo`. Joules per bit of radio and of
fibre are those of the catalogue (`5g-mmwave-2021`, `edge-router`); radio, sizes of servers and which stations are
joined are ours. Devices, applications, load and targets are as in `campus`.
"""

from __future__ import annotations

from functools import cache
from math import log2
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from finbench.benchmarks.families.campus import fill
from finbench.benchmarks.families.campus_network import DEVICE_KINDS
from finbench.benchmarks.families.family import SharedSize
from finbench.benchmarks.families.joined import joined_pairs
from finbench.benchmarks.families.tiered import EDGE, MOBILE
from finbench.benchmarks.families.zoo import SERVERS, TIGHTNESSES, measured_node, slices
from finbench.models.catalogue_files import load_link_kind
from finbench.models.fields import Frozen, Name
from finbench.models.instance import Instance, Link, Network, Node
from finbench.models.io import data_directory, read_document, validate

PLACES = "melbourne"
STATION_SHARE = 0.2
MOST_NODES = 125 + 816

BAND_HZ = 100e6
SNR_AT_100_M = 100.0
"""20 dB."""
PATH_LOSS = 3.5
NEAREST_M = 10.0
RADIO_DELAY_S = 5e-3
FIBRE_BIT_PER_S = 1e10
FIBRE_M_PER_S = 2.04e8
NEIGHBOURS = 3
"""Stations that a station is joined to, at least."""

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere of the earth's mean radius."""

Points = NDArray[np.float64]


class Places(Frozen):
    """Where stations and users are, latitude and longitude [degree]."""

    name: Name
    provenance: str
    stations: Annotated[tuple[tuple[float, float], ...], Field(min_length=1, strict=False)]
    users: Annotated[tuple[tuple[float, float], ...], Field(min_length=1, strict=False)]


def draw(rng: np.random.Generator, size: SharedSize) -> Instance:
    """Draw an instance."""
    return fill(rng, draw_network(rng, size.nodes), size, TIGHTNESSES)[0]


@cache
def places() -> Places:
    """Return the places of stations and users."""
    path = data_directory() / "places" / f"{PLACES}.toml"
    document = read_document(path)
    document.pop("schema_version")
    return validate({**document, **{k: [tuple(p) for p in document[k]] for k in ("stations", "users")}}, Places, path)


def draw_network(rng: np.random.Generator, count: int) -> Network:
    """Draw a network of `count` nodes: users first, then stations."""
    known = places()
    n_stations = min(len(known.stations), max(1, round(STATION_SHARE * count)))
    n_stations = max(n_stations, count - len(known.users))
    stations = _in_metres(known.stations)[rng.permutation(len(known.stations))[:n_stations]]
    users = _in_metres(known.users)[rng.permutation(len(known.users))[: count - n_stations]]
    kinds = rng.integers(0, len(DEVICE_KINDS), len(users))
    devices = [_device(kind, k) for k, kind in enumerate(kinds)]
    machines = [str(rng.choice(SERVERS)) for _ in range(n_stations)]
    whole = [measured_node(machine, f"station{k}", EDGE.name, None) for k, machine in enumerate(machines)]
    servers = slices(whole, devices)
    distance = np.hypot(*(users[:, None] - stations[None, :]).transpose(2, 0, 1))
    nearest = distance.argmin(axis=1)
    radio = [_radio(devices[k], servers[s], float(distance[k, s])) for k, s in enumerate(nearest)]
    fibre = [_fibre(servers[a], servers[b], float(np.hypot(*(stations[a] - stations[b])))) for a, b in _pairs(stations)]
    nodes = (*devices, *servers)
    return Network(name="melbourne", provenance=known.provenance, nodes=nodes, links=(*radio, *fibre))


def _pairs(stations: Points) -> list[tuple[int, int]]:
    return joined_pairs(stations, NEIGHBOURS) if len(stations) > 1 else []


def _in_metres(points: tuple[tuple[float, float], ...]) -> Points:
    """Return places on a plane [m], shape (N, 2): the centre of the city is small."""
    degrees = np.array(points)
    middle = np.radians(np.array(places().stations)[:, 0].mean())
    metres: Points = degrees * METRES_PER_DEGREE * np.array([1.0, np.cos(middle)])
    return metres


def radio_bit_per_s(distance_m: float) -> float:
    """Return the rate over a distance, to six significant digits."""
    ratio = SNR_AT_100_M * (max(distance_m, NEAREST_M) / 100) ** -PATH_LOSS
    return float(f"{BAND_HZ * log2(1 + ratio):.6g}")


def _device(kind: int, number: int) -> Node:
    own = DEVICE_KINDS[kind]
    power = float(f"{own.compute_ops_per_s * own.energy_j_per_op:.6g}")
    return Node(
        name=f"{own.name}{number}",
        tier=MOBILE.name,
        compute_ops_per_s=own.compute_ops_per_s,
        power_w=power,
        memory_bytes=own.memory_bytes,
    )


def _radio(device: Node, station: Node, distance_m: float) -> Link:
    costs = load_radio()
    return Link(
        source=device.name,
        target=station.name,
        bandwidth_bit_per_s=radio_bit_per_s(distance_m),
        tx_energy_j_per_bit=costs,
        rx_energy_j_per_bit=0.0,
        delay_s=RADIO_DELAY_S,
    )


@cache
def load_radio() -> float:
    """Return the Joules per bit that a device takes to send."""
    return load_link_kind("5g-mmwave-2021", "melbourne").up.tx_energy_j_per_bit


@cache
def load_fibre() -> tuple[float, float]:
    """Return the Joules per bit at both ends of a fibre."""
    up = load_link_kind("edge-router", "melbourne").up
    return up.tx_energy_j_per_bit, up.rx_energy_j_per_bit


def _fibre(one: Node, other: Node, distance_m: float) -> Link:
    sent, received = load_fibre()
    return Link(
        source=one.name,
        target=other.name,
        bandwidth_bit_per_s=FIBRE_BIT_PER_S,
        tx_energy_j_per_bit=sent,
        rx_energy_j_per_bit=received,
        delay_s=float(f"{distance_m / FIBRE_M_PER_S:.6g}"),
    )
