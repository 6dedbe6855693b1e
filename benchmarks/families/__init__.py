"""Instance families: one file each and one line in `FAMILIES`; equal parameters give equal instances, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from math import inf

import numpy as np

from finbench.benchmarks.families import campus, linked, melbourne, mesh, published_many, tiered, zoo
from finbench.benchmarks.families.family import MOST_LINKED_NODES, Family, SharedFamily, SharedSize, Size
from finbench.benchmarks.families.service_dnns import CATALOGUE, PUBLISHED
from finbench.benchmarks.families.settings import Setting, read_settings, settled
from finbench.benchmarks.families.targets import place_target
from finbench.benchmarks.families.tiered_links import FAST, LINK_CHOICES, TYPICAL
from finbench.benchmarks.plugins.installed import installed_names, load_installed
from finbench.benchmarks.plugins.plugin import enter, plugin_of
from finbench.models.instance import Instance
from finbench.models.io import InputError

__all__ = [
    "FAMILIES",
    "SHARED_FAMILIES",
    "Family",
    "SharedFamily",
    "SharedSize",
    "Size",
    "find_family",
    "generate",
    "generate_shared",
    "register_family",
]

GENERATION = 1
"""Version of what the families draw. It is raised whenever equal parameters begin to give other instances."""

ATTEMPTS = 100
"""Draws before a family gives up on a size that yields no trade-off."""

TIERS = ("mobile", "edge", "cloud")

_LINKS = f"links of {tiered.bandwidths_of(FAST)}, or typical ones of {tiered.bandwidths_of(TYPICAL)}"

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "tiered",
            f"devices under edge servers under the cloud, around the published scenario; {_LINKS}",
            tiered.draw,
            links=LINK_CHOICES,
            tiers=TIERS,
        ),
        Family("mesh", "sparse random geometric network, several hops needed", mesh.draw, tiers=("device", "server")),
        Family(
            "dense",
            "completely linked, independent energies and latencies",
            linked.draw_dense,
            most_nodes=MOST_LINKED_NODES,
        ),
        Family(
            "correlated",
            "completely linked by fast links, energy ≈ constant − latency: the hard case",
            linked.draw_correlated,
            most_nodes=MOST_LINKED_NODES,
        ),
        Family(
            "deep",
            "a small tiered network under a DNN of 50 to 200 blocks",
            tiered.draw,
            fewest_blocks=50,
            most_blocks=200,
            links=LINK_CHOICES,
            tiers=TIERS,
        ),
    )
}
"""Families of instances with one application."""

SHARED_FAMILIES: dict[str, SharedFamily] = {
    family.name: family
    for family in (
        SharedFamily(
            "campus", "devices, edge clusters and clouds that many applications share", campus.draw, 3, tiers=TIERS
        ),
        SharedFamily(
            "zoo",
            "devices that were measured, around a real backbone whose cities compute; 20 nodes or more",
            zoo.draw,
            zoo.FEWEST_NODES,
            tiers=("mobile", "edge"),
            dnns=(PUBLISHED, CATALOGUE),
        ),
        SharedFamily(
            "melbourne",
            "users under the nearest of the base stations of Melbourne's centre, by radio as fast as it is near",
            melbourne.draw,
            3,
            most_nodes=melbourne.MOST_NODES,
            tiers=("mobile", "edge"),
            dnns=(PUBLISHED, CATALOGUE),
        ),
        SharedFamily(
            "published-many",
            "users of the three published DNNs on slices divided among them; a part draws the whole node's power",
            published_many.draw,
            published_many.FEWEST_NODES,
            tiers=TIERS,
        ),
        SharedFamily(
            "published-many-divided",
            "the same users, with the power of a slice divided as its rate is",
            published_many.draw_divided,
            published_many.FEWEST_NODES,
            tiers=TIERS,
        ),
    )
}
"""Families of instances with many applications."""


def find_family(name: str) -> Family | SharedFamily:
    """Return the family of that name, of one application or of many.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in FAMILIES and name not in SHARED_FAMILIES:
        load_installed("family", name)
    if name in FAMILIES:
        return FAMILIES[name]
    if name in SHARED_FAMILIES:
        return SHARED_FAMILIES[name]
    known = ", ".join(dict.fromkeys([*FAMILIES, *SHARED_FAMILIES, *installed_names("family")]))
    raise InputError(f"family = {name!r}", f"no such family; families: {known}")


def register_family(family: Family | SharedFamily) -> Family | SharedFamily:
    """Put a family into the registry, and return it.

    Raises
    ------
    InputError
        If the name is taken or malformed.
    """
    own, other = (FAMILIES, SHARED_FAMILIES) if isinstance(family, Family) else (SHARED_FAMILIES, FAMILIES)
    if family.name in other:
        raise InputError(plugin_of(family.draw).origin, f"family '{family.name}': the name is taken")
    enter("family", own, family.name, family, family.draw)
    return family


def generate(
    family: str,
    *,
    nodes: int,
    blocks: int,
    exits: int,
    seed: int,
    tightness: float = 0.5,
    links: str | None = None,
    settings: tuple[str, ...] = (),
) -> Instance:
    """Generate one instance.

    Parameters
    ----------
    family : str
        A family of instances with one application.
    nodes, blocks, exits : int
        Sizes of the network and of the DNN.
    seed : int
        Of `numpy.random.default_rng`. A draw without a trade-off is followed by the next one of the same stream.
    tightness : float
        In (0, 1]: where the latency target lies between the least-latency and the least-energy deployment.
    links : str or None
        For a family that offers a choice (`Family.links`): `fast` links, around the published scenario's, or `typical`
        ones; None: the family's first choice.
    settings : tuple of str
        Parameters to set, such as `edge.compute_ops_per_s=1e11..5e11` (`families.settings`).

    Returns
    -------
    Instance

    Raises
    ------
    ValueError
        If a parameter is out of range, or no draw of this size has a trade-off.
    """
    chosen = find_family(family)
    if not isinstance(chosen, Family):
        raise ValueError(f"family = {family!r}: must be one of {', '.join(FAMILIES)}")
    _check(chosen, nodes, blocks, exits, seed, tightness)
    _check_links(chosen, links)
    tightness = float(tightness)
    rng = np.random.default_rng(seed)
    size = Size(nodes, blocks, exits, links or FAST, read_settings(family, settings, chosen.tiers))
    said, named = ("", "") if size.links == FAST else (f" --links {links}", f"-{links}")
    said, named = said + _said(size.settings), named + _named(size.settings)
    own = rng.spawn(1)[0]
    for _ in range(ATTEMPTS):
        drawn = chosen.draw(rng, size)
        if size.settings:
            drawn = drawn.model_copy(update={"network": settled(drawn.network, size.settings, own)})
        instance = place_target(drawn, tightness)
        if instance is not None:
            provenance = (
                f"finbench generate {family} --nodes {nodes} --blocks {blocks} --exits {exits} --seed {seed} "
                f"--tightness {tightness!r}{said} (generation {GENERATION})"
            )
            name = f"{family}-n{nodes}-l{blocks}-e{exits}-t{tightness!r}{named}-s{seed}"
            return instance.model_copy(update={"name": name, "provenance": provenance})
    raise ValueError(f"nodes = {nodes}, blocks = {blocks}: no draw of this size trades energy for latency")


def _said(settings: Sequence[Setting]) -> str:
    """Return settings as the command line says them."""
    return "".join(f" --set {each}" for each in settings)


def _named(settings: Sequence[Setting]) -> str:
    """Return a part of an instance's name that equal settings share."""
    return f"-set{sha256(_said(settings).encode()).hexdigest()[:8]}" if settings else ""


def _check(family: Family, nodes: int, blocks: int, exits: int, seed: int, tightness: float) -> None:
    _check_rules(
        ("nodes", nodes, nodes >= 2, "must be at least 2"),
        ("nodes", nodes, nodes <= family.most_nodes, f"must be at most {family.most_nodes}"),
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


def _check_links(family: Family, links: str | None) -> None:
    choices = f"must be one of {', '.join(family.links)}" if family.links else f"family '{family.name}' has no choice"
    _check_rules(("links", links, links is None or links in family.links, choices))


def generate_shared(
    family: str,
    *,
    nodes: int,
    applications: int,
    load: float = 0.7,
    seed: int,
    penalty: float | None = None,
    shares: tuple[float, ...] | None = None,
    tightness: float | None = None,
    dnns: str | None = None,
    settings: tuple[str, ...] = (),
) -> Instance:
    """Generate one instance of many applications.

    Parameters
    ----------
    family : str
        A family of instances with many applications.
    nodes, applications : int
        Sizes.
    load : float
        Greater than 0: how full the system is; 1 is full. The family says what that means.
    seed : int
        Of `numpy.random.default_rng`; the load, penalty and shares take nothing from its stream.
    penalty : float or None
        Rejecting an application costs this many times the least power it could take, more than 1; None: nobody may be
        rejected.
    shares : tuple of float or None
        Menu of compute shares on edge servers, increasing, in (0, 1]; None: nothing is reserved. What the family
        promises of its loads holds without reservations.
    tightness : float or None
        Greater than 0: where every latency target lies, from the latency of the quickest split (0) to that of the most
        frugal one (1) and beyond; None: drawn for each application, as the family says.
    dnns : str or None
        For a family that offers a choice (`SharedFamily.dnns`): the `published` DNNs with early exits, or those of the
        `catalogue`; None: the family's first choice.
    settings : tuple of str
        Parameters to set, such as `edge.compute_ops_per_s=1e11..5e11` (`families.settings`).

    Returns
    -------
    Instance

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """
    chosen = find_family(family)
    if not isinstance(chosen, SharedFamily):
        raise ValueError(f"family = {family!r}: must be one of {', '.join(SHARED_FAMILIES)}")
    load, penalty = float(load), None if penalty is None else float(penalty)
    shares = None if shares is None else tuple(float(share) for share in shares)
    tightness = None if tightness is None else float(tightness)
    chosen_dnns = chosen.dnns[0] if dnns is None else dnns
    read = read_settings(family, settings, chosen.tiers)
    size = SharedSize(nodes, applications, load, penalty, shares, tightness, chosen_dnns, read)
    _check_shared(chosen, size, seed)
    instance = chosen.draw(np.random.default_rng(seed), size)
    options = f"--nodes {nodes} --applications {applications} --load {load!r} --seed {seed}"
    name = f"{family}-n{nodes}-a{applications}-u{load!r}"
    if penalty is not None:
        options, name = f"{options} --penalty {penalty!r}", f"{name}-p{penalty!r}"
    if shares is not None:
        menu = ",".join(f"{share:g}" for share in shares)
        options, name = f"{options} --shares {menu}", f"{name}-r{menu}"
    if tightness is not None:
        options, name = f"{options} --tightness {tightness!r}", f"{name}-t{tightness!r}"
    if size.dnns != chosen.dnns[0]:
        options, name = f"{options} --dnns {size.dnns}", f"{name}-{size.dnns}"
    options, name = options + _said(size.settings), name + _named(size.settings)
    provenance = f"finbench generate {family} {options} (generation {GENERATION})"
    return instance.model_copy(update={"name": f"{name}-s{seed}", "provenance": provenance})


def _check_shared(family: SharedFamily, size: SharedSize, seed: int) -> None:
    menu, most_applications = size.shares, f"must be at most {family.most_applications}"
    choices = f"must be {' or '.join(family.dnns)}"
    grows = menu is None or (len(menu) > 0 and all(a < b for a, b in pairwise((0.0, *menu))) and menu[-1] <= 1)
    _check_rules(
        ("nodes", size.nodes, size.nodes >= family.fewest_nodes, f"must be at least {family.fewest_nodes}"),
        ("nodes", size.nodes, size.nodes <= family.most_nodes, f"must be at most {family.most_nodes}"),
        ("applications", size.applications, size.applications >= 1, "must be at least 1"),
        ("applications", size.applications, size.applications <= family.most_applications, most_applications),
        ("load", size.load, 0 < size.load < inf, "must be greater than 0"),
        ("seed", seed, seed >= 0, "must be at least 0"),
        ("penalty", size.penalty, size.penalty is None or 1 < size.penalty < inf, "must be greater than 1"),
        ("shares", menu, grows, "must increase within (0, 1]"),
        ("tightness", size.tightness, size.tightness is None or 0 < size.tightness < inf, "must be greater than 0"),
        ("dnns", size.dnns, size.dnns in family.dnns, choices),
    )


def _check_rules(*rules: tuple[str, object, bool, str]) -> None:
    """Raise ValueError where a rule does not hold; each is a field, its value, whether its rule holds, and the rule."""
    for field, value, holds, rule in rules:
        if not holds:
            raise ValueError(f"{field} = {value}: {rule}")
