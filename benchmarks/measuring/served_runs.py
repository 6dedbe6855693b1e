"""Served runs as lines of a folder of results: what was measured at a deployment, beside what was simulated there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finbench.benchmarks.deploying.serving.served_run import ServedExit, ServedLink, ServedPart, ServedRun
from finbench.benchmarks.rows.journal import Journal
from finbench.benchmarks.rows.reading import load_rows
from finbench.benchmarks.rows.served import ServedColumns, plan_id
from finbench.models.deployment import Deployment
from finbench.models.io import InputError, read_document, validate

LONGEST_LINE = 1000


def load_served_run(path: Path) -> ServedRun:
    """Read the file of a served run, as `finbench serve` writes it; raise InputError where it cannot be read."""
    return validate(read_document(path), ServedRun, path)


def record(results: Path, run: ServedRun, deployment: Deployment) -> list[str]:
    """Add what was measured at a deployment to a folder of results; return the variants of the methods that found it.

    Parameters
    ----------
    results : Path
        The folder.
    run : ServedRun
    deployment : Deployment
        The one that was served.

    Raises
    ------
    InputError
        If the folder cannot be read or written, the run served other applications, or no run of the folder found that
        deployment on that instance.
    """
    line = measured_line(run, deployment)
    rows = [row for row in load_rows(results) if row["content_hash"] == run.content_hash]
    if not rows:
        raise InputError(results, f"has no run on '{run.instance}' (content hash {run.content_hash[:12]})")
    found = [row["variant"] for row in rows if row["found"] and plan_id(row["deployments"]) == line["plan_id"]]
    if not found:
        raise InputError(results, f"no run on '{run.instance}' found the deployment that was served")
    with Journal(results) as journal:
        journal.add_served(line)
    return list(dict.fromkeys(found))


def measured_line(run: ServedRun, deployment: Deployment) -> dict[str, Any]:
    """Return a served run as a line of `served.jsonl`; raise InputError if it served other applications."""
    decisions = deployment.model_dump(mode="json")["deployments"]
    names = sorted(one["application"] for one in decisions)
    if names != sorted(one.application for one in run.applications):
        raise InputError("deployment", f"has other applications than were served: {', '.join(names)[:200]}")
    line = {
        "content_hash": run.content_hash,
        "plan_id": plan_id(decisions),
        "by": "measured",
        "how": " ".join(run.provenance.split())[:LONGEST_LINE] or "not told",
        "arrivals": "alone" if run.rate_per_s is None else f"{run.rate_per_s:g} per second",
        "applications": [
            {
                "application": one.application,
                "samples": one.samples,
                "latency_s": one.mean_s,
                "planned_latency_s": one.planned_mean_s,
                "p95_s": one.p95_s,
                "max_latency_s": one.max_latency_s,
                "within": one.within,
                "exits": list(_exits(one.exits)),
            }
            for one in run.applications
        ],
        "parts": [*_parts(run.parts), *_links(run.links)],
    }
    validate(line, ServedColumns, "served run")
    return line


def _exits(exits: tuple[ServedExit, ...]) -> Iterator[dict[str, Any]]:
    for each in exits:
        if each.mean_s is not None:
            latencies = {"latency_s": each.mean_s, "planned_latency_s": each.planned_s}
            yield {"exit": each.exit, "share": each.share, **latencies}


def _parts(parts: tuple[ServedPart, ...]) -> Iterator[dict[str, Any]]:
    for each in parts:
        if each.mean_s is not None:
            one = each.first_block == each.last_block
            blocks = f"block {each.first_block}" if one else f"blocks {each.first_block} to {each.last_block}"
            subject = f"{each.node}: {each.application}, {blocks}"
            yield {"subject": subject, "added_s": each.mean_s - each.planned_s}


def _links(links: tuple[ServedLink, ...]) -> Iterator[dict[str, Any]]:
    """Yield for every link what a message of mean size took there beyond the plan."""
    for each in links:
        if each.bits_per_s is not None and each.messages:
            bits = 8 * each.bytes / each.messages
            added = bits / each.bits_per_s - bits / each.planned_bits_per_s
            added += 0.0 if each.delay_s is None else each.delay_s - each.planned_delay_s
            yield {"subject": f"{each.source}->{each.target}", "added_s": added}
