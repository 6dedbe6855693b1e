"""What in an instance is probably a slip: a value in another unit, or one that no machine, cable or DNN of today has.

All of it follows from single values and their neighbours, without a search for deployments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from finbench.models.instance import DNN, Application, Instance, Link, Node
from finbench.models.nowhere import block_without_node
from finbench.models.tolerances import accurate_enough

DAY_S = 86_400.0
LIGHT_M_PER_S = 299_792_458.0

LEAST_CROSSING_S = 1e-9
"""Light gets 30 cm far in it."""

RATES = (1e6, 1e19)
"""Operations per second: the slowest microcontroller that is worth it, and ten of the fastest machines of 2025."""

POWERS = (1e-4, 1e8)
"""Watt: an accelerator that sleeps most of the time, and a large computing centre."""

EFFICIENCIES = (1e5, 1e15)
"""Operations per Joule: a microcontroller without hardware for it, and ten times the best accelerators of 2025."""

BIT_ENERGIES = (1e-14, 1e-3)
"""Joule per bit and end: a wire on a board, and a satellite modem."""

NEIGHBOURS = 100.0
"""An output so many times larger or smaller than both tensors beside it is probably in another unit."""

FEWEST_OPS = 1000.0
LONGEST_DELAY_S = 2.0
"""Seconds: twice that of two hops over a geostationary satellite."""

FASTEST_TARGET_S = 1e-6


class Slip(NamedTuple):
    """What is probably a slip, and the kind by which equal ones are summed up."""

    kind: str
    line: str
    unserved: str | None = None
    """Name of an application that cannot be served because of it."""


def slips(instance: Instance) -> Iterator[Slip]:
    """Yield what is probably a slip, each with its object, field and value."""
    largest = max((dnn.input_bits for dnn in instance.dnns), default=0.0)
    largest = max(largest, max((block.output_bits for dnn in instance.dnns for block in dnn.blocks), default=0.0))
    yield from chain.from_iterable(_of_node(node) for node in instance.network.nodes)
    for link in instance.network.links:
        yield from _of_link(link, largest)
    yield from chain.from_iterable(_of_dnn(dnn) for dnn in instance.dnns)
    yield from chain.from_iterable(_of_application(instance, app) for app in instance.applications)


def summed_up(found: Iterable[Slip]) -> list[str]:
    """Return the first line of every kind, and how many more there are like it."""
    lines: dict[str, str] = {}
    more: dict[str, int] = {}
    for kind, line, _ in found:
        if kind in lines:
            more[kind] = more.get(kind, 0) + 1
        else:
            lines[kind] = line
    return [f"{line} (and {more[kind]} more like it)" if kind in more else line for kind, line in lines.items()]


def _outside(kind: str, value: float, limits: tuple[float, float], line: str, unit: str) -> Iterator[Slip]:
    if not limits[0] <= value <= limits[1]:
        yield Slip(kind, f"{line}: outside what is known, {limits[0]:g} to {limits[1]:g} {unit}")


def _of_node(node: Node) -> Iterator[Slip]:
    label, rate, power = f"node '{node.name}'", node.compute_ops_per_s, node.power_w
    if rate is None:
        return
    yield from _outside("rate", rate, RATES, f"{label}: compute_ops_per_s = {rate:g}", "operations/s")
    if power == 0:
        yield Slip("no power", f"{label}: power_w = 0: computing there costs no energy")
        return
    yield from _outside("power", power, POWERS, f"{label}: power_w = {power:g}", "W")
    told = f"{label}: compute_ops_per_s = {rate:g}, power_w = {power:g}: {rate / power:g} operations per Joule"
    yield from _outside("efficiency", rate / power, EFFICIENCIES, told, "operations/J")


def _of_link(link: Link, largest_bits: float) -> Iterator[Slip]:
    seconds = largest_bits / link.bandwidth_bit_per_s + link.delay_s
    if LEAST_CROSSING_S <= seconds <= DAY_S and link.delay_s <= LONGEST_DELAY_S and _usual_energies(link):
        return
    label = f"link '{link.source}->{link.target}'"
    rate = f"{label}: bandwidth_bit_per_s = {link.bandwidth_bit_per_s:g}: the largest tensor ({largest_bits:g} bit)"
    if seconds > DAY_S:
        yield Slip("slow", f"{rate} takes {seconds / DAY_S:.3g} days to cross")
    if largest_bits > 0 and seconds < LEAST_CROSSING_S:
        metres = seconds * LIGHT_M_PER_S
        yield Slip("fast", f"{rate} crosses in {seconds:.2g} s, in which light gets {metres:.2g} m far")
    if link.delay_s > LONGEST_DELAY_S:
        yield Slip("delay", f"{label}: delay_s = {link.delay_s:g}: longer than over a satellite")
    for field in ("tx_energy_j_per_bit", "rx_energy_j_per_bit"):
        value = getattr(link, field)
        if value > 0:
            yield from _outside(f"energy {field}", value, BIT_ENERGIES, f"{label}: {field} = {value:g}", "J/bit")


def _usual_energies(link: Link) -> bool:
    least, most = BIT_ENERGIES
    return all(e == 0 or least <= e <= most for e in (link.tx_energy_j_per_bit, link.rx_energy_j_per_bit))


def _of_dnn(dnn: DNN) -> Iterator[Slip]:
    bits = [dnn.input_bits, *(block.output_bits for block in dnn.blocks)]
    for i, block in enumerate(dnn.blocks, start=1):
        label = f"dnn '{dnn.name}': block {i}"
        if 0 < block.ops < FEWEST_OPS:
            yield Slip("ops", f"{label}: ops = {block.ops:g}: fewer than {FEWEST_OPS:g} operations")
        if i == len(dnn.blocks):
            continue
        own, before, after = bits[i], bits[i - 1], bits[i + 1]
        beside = [each for each in (before, after) if each > 0]
        if own == 0:
            yield Slip("no bits", f"{label}: output_bits = 0: the next block gets nothing")
        elif len(beside) == 2 and (own > NEIGHBOURS * max(beside) or NEIGHBOURS * own < min(beside)):
            told = f"{NEIGHBOURS:g} times off both tensors beside it ({before:g} and {after:g} bit)"
            yield Slip("tensor", f"{label}: output_bits = {own:g}: over {told}")


def _of_application(instance: Instance, app: Application) -> Iterator[Slip]:
    label = f"application '{app.name}'"
    if app.max_latency_s > DAY_S or app.max_latency_s < FASTEST_TARGET_S:
        rule = f"between {FASTEST_TARGET_S:g} s and a day is usual"
        yield Slip("target", f"{label}: max_latency_s = {app.max_latency_s:g}: {rule}")
    best = max(exit_.accuracy for choice in app.choices for exit_ in instance.dnn_of(choice).exits)
    if not accurate_enough(best, app.min_accuracy):
        yield Slip(
            "accuracy", f"{label}: min_accuracy = {app.min_accuracy:g}: no exit has more than {best:g}", app.name
        )
        return
    block = block_without_node(instance, app)
    if block is not None:
        yield Slip("nowhere", f"{label}: cannot be served: {block}", app.name)
