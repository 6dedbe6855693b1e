"""`dense` and `correlated`: (nearly) completely linked networks, the partners of comparison for path algorithms.

In `dense` energies and latencies are independent. In `correlated` energy is a constant minus latency, up to 2 % noise,
for operations and for bits: every quick step is dear, non-dominated labels explode, and greedy choices fail. Users of
resource-constrained shortest paths know this as the hard case. It is hard only where moving is cheap beside computing
(else an optimum moves once), so the links of `correlated` are a hundred times as fast and as frugal as those of
`dense`: a difference between the two families is one of links as well as of correlation.

Up to `COMPLETE` nodes every ordered pair is linked, beyond that each node sends to `OUT_LINKS` others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finbench.benchmarks.families.family import Size
from finbench.benchmarks.families.profiles import accuracy_target, around, random_dnn
from finbench.models.instance import Accounting, Application, Instance, Link, Network, Node

COMPLETE = 200
OUT_LINKS = 40
NOISE = 0.02

SECONDS_PER_OP = (1e-10, 1e-9)
SECONDS_PER_BIT = (1e-9, 1e-8)
CORRELATED_SECONDS_PER_BIT = (1e-11, 1e-10)
JOULES_PER_SECOND = 10.0
"""Exchange rate between energy and time."""


@dataclass(frozen=True)
class _Costs:
    """Time and energy of a unit of work at every node or on every link."""

    time: NDArray[np.float64]
    energy: NDArray[np.float64]


def draw_dense(rng: np.random.Generator, size: Size) -> Instance:
    """Draw an instance with independent energies and latencies."""
    return _draw(rng, size, SECONDS_PER_BIT, correlated=False)


def draw_correlated(rng: np.random.Generator, size: Size) -> Instance:
    """Draw an instance with energy ≈ constant − latency."""
    return _draw(rng, size, CORRELATED_SECONDS_PER_BIT, correlated=True)


def _draw(rng: np.random.Generator, size: Size, seconds_per_bit: tuple[float, float], *, correlated: bool) -> Instance:
    computing = _costs(rng, size.nodes, SECONDS_PER_OP, correlated)
    nodes = tuple(
        Node(name=f"n{k}", compute_ops_per_s=_digits(1 / time), power_w=_digits(energy / time))
        for k, (time, energy) in enumerate(zip(computing.time, computing.energy, strict=True))
    )
    pairs = _pairs(rng, size.nodes)
    sending = _costs(rng, len(pairs), seconds_per_bit, correlated)
    links = tuple(
        Link(
            source=f"n{a}",
            target=f"n{b}",
            bandwidth_bit_per_s=_digits(1 / time),
            tx_energy_j_per_bit=_digits(energy),
            rx_energy_j_per_bit=0.0,
        )
        for (a, b), time, energy in zip(pairs, sending.time, sending.energy, strict=True)
    )
    dnn = random_dnn(rng, size.blocks, size.exits)
    dnn = dnn.model_copy(update={"input_bits": around(rng, 1e6, 2)})
    app = Application(name="app", dnn=dnn.name, source="n0", max_latency_s=0.0, min_accuracy=accuracy_target(dnn))
    return Instance(
        name="correlated" if correlated else "dense",
        accounting=Accounting.FULL_DEPTH,
        network=Network(name="linked", nodes=nodes, links=links),
        dnns=(dnn,),
        applications=(app,),
    )


def _costs(rng: np.random.Generator, count: int, span: tuple[float, float], correlated: bool) -> _Costs:
    low, high = span
    time = rng.uniform(low, high, count)
    if not correlated:
        return _Costs(time, JOULES_PER_SECOND * rng.uniform(low, high, count))
    noise = 1 + NOISE * rng.uniform(-1, 1, count)
    return _Costs(time, JOULES_PER_SECOND * (low + high - time) * noise)


def _pairs(rng: np.random.Generator, count: int) -> list[tuple[int, int]]:
    if count <= COMPLETE:
        return [(a, b) for a in range(count) for b in range(count) if a != b]
    drawn = rng.integers(0, count, (count, OUT_LINKS))
    ring = {(a, (a + 1) % count) for a in range(count)}
    return sorted(ring | {(a, int(b)) for a, others in enumerate(drawn) for b in others if a != b})


def _digits(value: float) -> float:
    return float(f"{value:.9g}")
