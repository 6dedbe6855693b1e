"""The rules by which a topology becomes an instance's network, and what was assumed on the way.

Sites of other networks (external) are left out. Cables that end nowhere else than where they begin, or at a site that
is left out, go; parallel cables become one link with the sum of their bandwidths and the length of the shortest. A site
whose label another has too gets a number. Of several parts that no cable joins the largest is kept, if asked for. A
cable leads both ways unless its file says one. The delay is what the file says, else that of light in fibre over the
cable's length; without a length, over the great circle between its sites times a path factor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Annotated, Any

from pydantic import Field

from finbench.benchmarks.imports.distances import FIBRE_KM_PER_S, fibre_delay_s, great_circle_km
from finbench.benchmarks.imports.topology import Cable, Site, SiteGraph
from finbench.models.catalogue import LinkKind
from finbench.models.fields import Frozen, NonNegative, Positive
from finbench.models.instance import Network
from finbench.models.io import InputError, validate

Pair = tuple[str, str]


class ImportRules(Frozen):
    """What to do where a topology leaves something open."""

    bandwidth_bit_per_s: Positive | None = None
    """Bandwidth of cables whose file says none [bit/s]; left out: such a file is refused."""
    delay_s: NonNegative | None = None
    """Delay of cables of unknown length [s]; left out: such a file is refused."""
    path_factor: Annotated[float, Field(ge=1, le=10)] = 1.5
    """Length of a cable over the great circle between its ends, where its own length is unknown."""
    keep_external: bool = False
    """Keep nodes that belong to other networks."""
    largest_part: bool = False
    """Of several unconnected parts keep the largest; otherwise such a file is refused."""


@dataclass(frozen=True)
class ImportedNetwork:
    """A network, and what was assumed to make it."""

    network: Network
    assumed: tuple[str, ...]
    """One sentence each; the provenance says them too."""


def network_of(topology: SiteGraph, rules: ImportRules, kind: LinkKind, file: str) -> ImportedNetwork:
    """Return the network of a topology.

    Parameters
    ----------
    topology : SiteGraph
    rules : ImportRules
    kind : LinkKind
        The energies per bit of links that say none.
    file : str
        Named in errors.

    Raises
    ------
    InputError
        Where the rules refuse the topology, or a field breaks its own.
    """
    assumed: list[str] = []
    sites = _kept_sites(topology, rules, assumed)
    cables = _kept_cables(topology, sites, file, assumed)
    sites = _one_part(sites, cables, rules, file, assumed)
    names = _names(sites, assumed)
    bundles = _bundles(cables, names, assumed)
    places = {site.key: site.place for site in sites}
    links = list(_links(bundles, places, names, rules, kind, file, assumed))
    provenance = " ".join([f"From {topology.source}.", *assumed])
    document = {
        "name": topology.name,
        "provenance": provenance,
        "nodes": [{"power_w": 0.0, **site.said, "name": names[site.key]} for site in sites],
        "links": links,
    }
    return ImportedNetwork(validate(document, Network, file), tuple(assumed))


def _kept_sites(topology: SiteGraph, rules: ImportRules, assumed: list[str]) -> list[Site]:
    kept = [site for site in topology.sites if rules.keep_external or not site.external]
    if len(kept) < len(topology.sites):
        assumed.append(f"{len(topology.sites) - len(kept)} external nodes left out.")
    return kept


def _kept_cables(topology: SiteGraph, sites: Sequence[Site], file: str, assumed: list[str]) -> list[Cable]:
    there, known = {site.key for site in sites}, {site.key for site in topology.sites}
    for cable in topology.cables:
        for end in cable.ends:
            if end not in known:
                raise InputError(
                    file, f"link '{'->'.join(cable.ends)[:120]}': {end[:60]!r}: must be a node of the file"
                )
    kept = [cable for cable in topology.cables if there.issuperset(cable.ends)]
    loops = sum(cable.ends[0] == cable.ends[1] for cable in kept)
    if loops:
        assumed.append(f"{loops} links from a node to itself left out.")
    return [cable for cable in kept if cable.ends[0] != cable.ends[1]]


def _one_part(
    sites: list[Site], cables: Sequence[Cable], rules: ImportRules, file: str, assumed: list[str]
) -> list[Site]:
    """Return the sites of the only part, or of the largest where that was asked for."""
    if not sites:
        raise InputError(file, "nodes: none is left to import")
    neighbours: dict[str, list[str]] = {site.key: [] for site in sites}
    for one, other in (cable.ends for cable in cables):
        if one in neighbours and other in neighbours:
            neighbours[one].append(other)
            neighbours[other].append(one)
    parts = list(_parts(neighbours))
    if len(parts) > 1:
        if not rules.largest_part:
            rule = "--largest-part keeps the largest"
            raise InputError(file, f"has {len(parts)} parts that no link joins; {rule}")
        largest = max(parts, key=len)
        assumed.append(f"{len(sites) - len(largest)} nodes outside the largest connected part left out.")
        return [site for site in sites if site.key in largest]
    return sites


def _parts(neighbours: dict[str, list[str]]) -> Iterator[set[str]]:
    seen: set[str] = set()
    for start in neighbours:
        if start in seen:
            continue
        part, waiting = {start}, [start]
        while waiting:
            new = [other for other in neighbours[waiting.pop()] if other not in part]
            part.update(new)
            waiting += new
        seen |= part
        yield part


def _names(sites: Sequence[Site], assumed: list[str]) -> dict[str, str]:
    """Return a name of its own for every site."""
    labels = {site.key: _printable(site.label) or _printable(site.key) or "node" for site in sites}
    counts = Counter(labels.values())
    repeated = sorted(label for label, count in counts.items() if count > 1)
    if repeated:
        assumed.append(f"{len(repeated)} repeated names numbered, such as '{repeated[0]}'.")
    taken, names = {label for label, count in counts.items() if count == 1}, {}
    numbers: Counter[str] = Counter()
    for key, label in labels.items():
        name = label
        while counts[label] > 1 and (name == label or name in taken):
            numbers[label] += 1
            name = f"{label} {numbers[label]}"
        taken.add(name)
        names[key] = name
    return names


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:100]


def _bundles(cables: Sequence[Cable], names: dict[str, str], assumed: list[str]) -> dict[Pair, list[Cable]]:
    """Return the cables of every directed pair of sites that are kept."""
    bundles: dict[Pair, list[Cable]] = {}
    for cable in cables:
        one, other = cable.ends
        if one in names and other in names:
            for pair in [(one, other)] if cable.one_way else [(one, other), (other, one)]:
                bundles.setdefault(pair, []).append(cable)
    several = {frozenset(pair) for pair, bundle in bundles.items() if len(bundle) > 1}
    if several:
        assumed.append(f"Parallel links of {len(several)} pairs of nodes joined: bandwidths added, shortest length.")
    return bundles


def _links(
    bundles: dict[Pair, list[Cable]],
    places: dict[str, tuple[float, float] | None],
    names: dict[str, str],
    rules: ImportRules,
    kind: LinkKind,
    file: str,
    assumed: list[str],
) -> Iterator[dict[str, Any]]:
    """Yield every link, and at the end say what was assumed of them."""
    counts: Counter[str] = Counter()
    silent = sum(cable.bandwidth_bit_per_s is None for bundle in bundles.values() for cable in bundle)
    if silent and rules.bandwidth_bit_per_s is None:
        total = sum(map(len, bundles.values()))
        example = next("->".join(names[key] for key in pair) for pair, bundle in bundles.items() if _unknown(bundle))
        rule = 'give one, such as --bandwidth "10 Gbit/s"'
        raise InputError(file, f"link '{example}': bandwidth: {silent} of {total} links say none; {rule}")
    for pair, bundle in bundles.items():
        said = bundle[0].said
        bandwidth = fsum(_bandwidth(cable, rules, counts) for cable in bundle)
        yield {
            "source": names[pair[0]],
            "target": names[pair[1]],
            "bandwidth_bit_per_s": float(f"{bandwidth:.12g}"),
            "tx_energy_j_per_bit": said.get("tx_energy_j_per_bit", kind.up.tx_energy_j_per_bit),
            "rx_energy_j_per_bit": said.get("rx_energy_j_per_bit", kind.up.rx_energy_j_per_bit),
            "delay_s": _delay_s(pair, bundle, places, names, rules, file, counts),
        }
        counts["energy"] += "tx_energy_j_per_bit" not in said or "rx_energy_j_per_bit" not in said
    assumed += _told(counts, rules, kind)


def _unknown(bundle: Sequence[Cable]) -> bool:
    return any(cable.bandwidth_bit_per_s is None for cable in bundle)


def _bandwidth(cable: Cable, rules: ImportRules, counts: Counter[str]) -> float:
    if cable.bandwidth_bit_per_s is not None:
        return cable.bandwidth_bit_per_s
    counts["bandwidth"] += 1
    assert rules.bandwidth_bit_per_s is not None, "refused before"
    return rules.bandwidth_bit_per_s


def _delay_s(
    pair: Pair,
    bundle: Sequence[Cable],
    places: dict[str, tuple[float, float] | None],
    names: dict[str, str],
    rules: ImportRules,
    file: str,
    counts: Counter[str],
) -> Any:
    for cable in bundle:
        if "delay_s" in cable.said:
            return cable.said["delay_s"]
    lengths = [cable.length_km for cable in bundle if cable.length_km is not None]
    if lengths:
        if min(lengths) < 0:
            raise InputError(file, f"link '{names[pair[0]]}->{names[pair[1]]}': length_km = {min(lengths):g}: below 0")
        counts["length"] += 1
        return fibre_delay_s(min(lengths))
    one, other = (places[key] for key in pair)
    if one is not None and other is not None:
        counts["circle"] += 1
        return fibre_delay_s(rules.path_factor * great_circle_km(one, other))
    if rules.delay_s is None:
        without = names[pair[0]] if one is None else names[pair[1]]
        told = f"link '{names[pair[0]]}->{names[pair[1]]}': delay: node '{without}' has no coordinates"
        raise InputError(file, f'{told} and the link no length; give one, such as --delay "1 ms"')
    counts["delay"] += 1
    return rules.delay_s


def _told(counts: Counter[str], rules: ImportRules, kind: LinkKind) -> Iterator[str]:
    fibre = f"at {FIBRE_KM_PER_S:,.0f} km/s (fibre, group index 1.468)"
    if counts["bandwidth"]:
        yield f"Bandwidth of {counts['bandwidth']} links assumed: {rules.bandwidth_bit_per_s:g} bit/s."
    if counts["circle"]:
        yield f"Delay of {counts['circle']} links: {rules.path_factor:g} times the great circle {fibre}."
    if counts["length"]:
        yield f"Delay of {counts['length']} links: the length that the file gives, {fibre}."
    if counts["delay"]:
        yield f"Delay of {counts['delay']} links assumed: {rules.delay_s:g} s."
    if counts["energy"]:
        yield f"Energy per bit of {counts['energy']} links: link kind '{kind.name}' of the catalogue."
