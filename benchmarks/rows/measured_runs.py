"""A served run as a line of `served.jsonl`, so that tables and report show it beside the plan and its simulation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finbench.benchmarks.deploying.serving.served_run import ServedApplication, ServedLink, ServedRun
from finbench.benchmarks.rows.reading import RUNS
from finbench.benchmarks.rows.served import SERVED, load_served
from finbench.models.io import InputError, write_text


def measured_line(run: ServedRun) -> dict[str, Any]:
    """Return what `served.jsonl` says of a served run; energy was not measured.

    Raises
    ------
    InputError
        If the run does not say which deployment was served.
    """
    if not run.plan_id:
        raise InputError("--results", "the parts do not say which deployment they are of: split them anew")
    return {
        "content_hash": run.content_hash,
        "plan_id": run.plan_id,
        "by": "measured",
        "how": "; ".join(run.provenance.splitlines()),
        "arrivals": "alone" if run.rate_per_s is None else "poisson",
        "applications": [_load(app) for app in run.applications],
        "parts": list(_parts(run)),
    }


def check_results(folder: Path) -> None:
    """Refuse what is no folder of results, or one whose lines of served deployments cannot be read."""
    if not (folder / RUNS).is_file():
        raise InputError(folder, f"has no {RUNS}: must be a folder of results")
    load_served(folder)


def append_measured(folder: Path, run: ServedRun) -> Path:
    """Add a served run to a folder of results, and return the file; raise InputError where that cannot be done."""
    lines = [*load_served(folder), measured_line(run)]
    text = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    write_text(folder / SERVED, text)
    return folder / SERVED


def _load(app: ServedApplication) -> dict[str, Any]:
    exits = [
        {"exit": one.exit, "share": one.share, "latency_s": one.mean_s, "planned_latency_s": one.planned_s}
        for one in app.exits
        if one.mean_s is not None
    ]
    return {
        "application": app.application,
        "samples": app.samples,
        "latency_s": app.mean_s,
        "planned_latency_s": app.planned_mean_s,
        "p95_s": app.p95_s,
        "max_latency_s": app.max_latency_s,
        "within": app.within,
        "exits": exits,
    }


def _parts(run: ServedRun) -> Iterator[dict[str, Any]]:
    """Yield what each part and link took beyond the plan [s], on average."""
    for part in run.parts:
        if part.mean_s is not None:
            where = f"blocks {part.first_block} to {part.last_block}"
            subject = f"{part.node}: {part.application}, {where}"
            yield {"subject": subject, "added_s": part.mean_s - part.planned_s}
    for link in run.links:
        if link.bits_per_s is not None and link.delay_s is not None:
            yield {"subject": f"{link.source}->{link.target}", "added_s": _added(link, link.bits_per_s, link.delay_s)}


def _added(link: ServedLink, rate: float, delay_s: float) -> float:
    bits = 8 * link.bytes / link.messages
    return bits / rate + delay_s - bits / link.planned_bits_per_s - link.planned_delay_s
