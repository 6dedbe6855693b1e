"""Instance families: one file each and one line in `FAMILIES`; equal parameters give equal instances, byte for byte."""

from __future__ import annotations

import numpy as np

from benchmarks.families import linked, mesh, tiered
from benchmarks.families.family import Family, Size
from benchmarks.families.targets import place_target
from models.instance import Instance

__all__ = ["FAMILIES", "Family", "Size", "generate"]

GENERATION = 1
"""Version of what the families draw: raised whenever equal parameters begin to give other instances."""

ATTEMPTS = 100
"""Draws before a family gives up on a size that yields no trade-off."""

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("tiered", "devices under edge servers under the cloud, around the published scenario", tiered.draw),
        Family("mesh", "sparse random geometric network, several hops needed", mesh.draw),
        Family("dense", "completely linked, independent energies and latencies", linked.draw_dense),
        Family(
            "correlated",
            "completely linked by fast links, energy ≈ constant − latency: the hard case",
            linked.draw_correlated,
        ),
        Family(
            "deep",
            "a small tiered network under a DNN of 50 to 200 blocks",
            tiered.draw,
            fewest_blocks=50,
            most_blocks=200,
        ),
    )
}


def generate(family: str, *, nodes: int, blocks: int, exits: int, seed: int, tightness: float = 0.5) -> Instance:
    """Generate one instance.

    Parameters
    ----------
    family : str
        A key of `FAMILIES`.
    nodes, blocks, exits : int
        Sizes of the network and of the DNN.
    seed : int
        Of `numpy.random.default_rng`; a draw without a trade-off is followed by the next of the same stream.
    tightness : float
        In (0, 1]: where the latency target lies between the least-latency and the least-energy deployment.

    Returns
    -------
    Instance

    Raises
    ------
    ValueError
        If a parameter is out of range, or no draw of this size has a trade-off.
    """
    chosen = FAMILIES.get(family)
    if chosen is None:
        raise ValueError(f"family = {family!r}: must be one of {', '.join(FAMILIES)}")
    _check(chosen, nodes, blocks, exits, seed, tightness)
    tightness = float(tightness)
    rng = np.random.default_rng(seed)
    size = Size(nodes, blocks, exits)
    for _ in range(ATTEMPTS):
        instance = place_target(chosen.draw(rng, size), tightness)
        if instance is not None:
            provenance = (
                f"finbench generate {family} --nodes {nodes} --blocks {blocks} --exits {exits} --seed {seed} "
                f"--tightness {tightness!r} (generation {GENERATION})"
            )
            name = f"{family}-n{nodes}-l{blocks}-e{exits}-t{tightness!r}-s{seed}"
            return instance.model_copy(update={"name": name, "provenance": provenance})
    raise ValueError(f"nodes = {nodes}, blocks = {blocks}: no draw of this size trades energy for latency")


def _check(family: Family, nodes: int, blocks: int, exits: int, seed: int, tightness: float) -> None:
    rules = (
        ("nodes", nodes, nodes >= 2, "must be at least 2"),
        (
            "blocks",
            blocks,
            family.fewest_blocks <= blocks <= family.most_blocks,
            f"must be between {family.fewest_blocks} and {family.most_blocks}",
        ),
        ("exits", exits, 1 <= exits <= blocks, f"must be between 1 and the number of blocks ({blocks})"),
        ("seed", seed, seed >= 0, "must be at least 0"),
        ("tightness", tightness, 0 < tightness <= 1, "must be in (0, 1]"),
    )
    for field, value, holds, rule in rules:
        if not holds:
            raise ValueError(f"{field} = {value}: {rule}")
