"""What transfers take of the deployments of each group, from the costs that the page draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from finbench.benchmarks.analysis.transfers import HARDLY, TransferPart, TransferShare, links_of, part, transfer_share
from finbench.benchmarks.report.cells import PageTable, counted, percentage, text
from finbench.benchmarks.report.pictures import MOST_APPLICATIONS
from finbench.models.instance import Instance

Table = Mapping[str, Any]


def shares_by_group(
    groups: Sequence[Sequence[str]], placements: Sequence[int | None], drawn: Sequence[Table]
) -> dict[str, TransferShare]:
    """Return what transfers take, group by group.

    Parameters
    ----------
    groups : sequence of sequence of str
        Groups of each run.
    placements : sequence of int or None
        The number of each run's placement.
    drawn : sequence of mapping
        The placements, as `pictures.Gallery` makes them.
    """
    known = [_parts(placement) for placement in drawn]
    by_group: defaultdict[str, list[TransferPart]] = defaultdict(list)
    for names, number in zip(groups, placements, strict=True):
        if number is not None:
            for name in names:
                by_group[name] += known[number]
    return {name: transfer_share(parts) for name, parts in by_group.items()}


def _parts(placement: Table) -> list[TransferPart]:
    parts = []
    for decision in placement["applications"]:
        blocks = decision["blocks"]
        computing_j, transfer_j, computing_s, transfer_s = (sum(block[k] for block in blocks) for k in (3, 4, 5, 6))
        moves = any(len(block[2]) > 1 for block in blocks)
        parts.append(part(transfer_s, computing_s + transfer_s, transfer_j, computing_j + transfer_j, moves))
    return parts


def links_by_group(runs: pd.DataFrame, instances: Mapping[str, Instance]) -> dict[str, str]:
    """Return what the links of each group's instances carry, in words."""
    hashes = runs[runs["content_hash"].isin(list(instances))].groupby("group", sort=False)["content_hash"].unique()
    return {str(group): links_of(instances[key] for key in keys) for group, keys in hashes.items()}


def transfer_sentence(shares: Mapping[str, TransferShare]) -> str | None:
    """Return in words where transfers take time; None where no deployment sends anything."""
    moving = {name: share for name, share in shares.items() if share.moving}
    if not moving:
        return None
    hardly = {name: share for name, share in moving.items() if share.hardly_counts}
    others = [name for name in moving if name not in hardly]
    said = []
    if hardly:
        where = "in every group" if not others else f"in {_listed(list(hardly))}"
        energies = [share.energy for share in hardly.values()]
        said.append(
            f"Transfers take next to no time {where} (at most {100 * HARDLY:g} % of the latency of half of the "
            f"deployments that send anything; {_range(energies)} of their energy): such results say little about slow "
            "links."
        )
    if others:
        named = [f"{name} ({_range([moving[name].latency])} of the latency, median)" for name in others]
        said.append(f"{'They' if hardly else 'Transfers'} take time in {_listed(named)}.")
    return " ".join(said)


def transfer_table(shares: Mapping[str, TransferShare], links: Mapping[str, str]) -> PageTable | None:
    """Return what transfers take by group; None where nothing is known of any deployment."""
    if not shares:
        return None
    columns = ("group", "links", "deployments", "of them sending", "latency median [%]", "latency most [%]")
    rows = tuple(
        (
            text(name),
            text(links.get(name, "not known").removeprefix("links of ")),
            counted(share.deployments),
            counted(share.moving),
            *map(percentage, (share.latency, share.most_latency, share.energy)),
        )
        for name, share in shares.items()
    )
    note = (
        "Parts that transfers take of latency and energy, over the deployments of applications that send anything; of "
        f"a system that many share, the first {MOST_APPLICATIONS} applications count."
    )
    title = "Transfers beside computing, by group"
    return PageTable(title, (*columns, "energy median [%]"), rows, 2, note)


def _range(parts: Sequence[float]) -> str:
    least, most = (f"{100 * part:.2g}" for part in (min(parts), max(parts)))
    return f"{least} %" if least == most else f"{least} to {most} %"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{'; '.join(names[:-1])} and {names[-1]}"
