"""Deployments that a campaign found, simulated: what samples meet there, beside what the plans say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from finbench.benchmarks.campaigns.origins import Origin
from finbench.benchmarks.execution.plan import Run
from finbench.benchmarks.rows.decisions import turned_away
from finbench.benchmarks.rows.journal import Journal, Place
from finbench.benchmarks.rows.row import Row
from finbench.benchmarks.rows.served import plan_id
from finbench.models.deployment import Deployment
from finbench.models.instance import Instance
from finbench.models.io import InputError

MOST_SEEDS = 2**32
"""Seeds that a simulation takes."""

Served = dict[str, Any]
"""A line of `served.jsonl`."""


def simulate_found(
    journal: Journal,
    runs: Sequence[Run],
    rows: Mapping[Place, Row],
    told: Callable[[int, int], None] = lambda _done, _all: None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Simulate every deployment that was found, each once, unless it was before under the same conditions.

    Parameters
    ----------
    journal : Journal
    runs : sequence of Run
        Those that ask for it (`Run.simulated_samples`) and have a row with a deployment are simulated.
    rows : mapping
        The rows of runs.
    told : callable
        Told after every simulation how many of how many are done.
    stopped : callable
        Whether to end before the next.
    """
    missing = list(_missing(journal, runs, rows))
    for done, (run, row, samples) in enumerate(missing, start=1):
        if stopped():
            return
        instance = _built(run.task.origin)
        if instance.content_hash != row["content_hash"]:
            raise InputError(run.task.origin.name, "is not the instance that was run: did its file change?")
        journal.add_served(simulated_line(instance, row["deployments"], samples, run.task.seed))
        told(done, len(missing))


@lru_cache(maxsize=1)
def _built(origin: Origin) -> Instance:
    return origin.build()


def _missing(journal: Journal, runs: Sequence[Run], rows: Mapping[Place, Row]) -> Iterator[tuple[Run, Row, int]]:
    """Yield the runs to simulate, with their rows and numbers of samples; of equal deployments the first."""
    known = {(line["content_hash"], line["plan_id"], line["how"]) for line in journal.served()}
    for run in runs:
        row, samples = rows.get(run.place), run.simulated_samples
        if samples is None or row is None or not row["found"] or not row["deployments"]:
            continue
        key = (row["content_hash"], plan_id(row["deployments"]), _how(samples, run.task.seed))
        if key not in known:
            known.add(key)
            yield run, row, samples


def _how(samples: int, seed: int) -> str:
    return f"{samples} samples, seed {seed}"


def simulated_line(instance: Instance, deployments: Sequence[Mapping[str, Any]], samples: int, seed: int) -> Served:
    """Return the line of a deployment that is simulated now.

    Parameters
    ----------
    instance : Instance
    deployments : sequence of mapping
        Decisions for the served applications, as a row has them; the others are turned away.
    samples, seed : int
    """
    from finbench.benchmarks.simulation.options import SimulationOptions
    from finbench.benchmarks.simulation.simulate import simulate

    decisions = {"deployments": list(deployments), "rejected": turned_away(deployments, instance)}
    deployment = Deployment.model_validate(decisions)
    # Without a rate nobody knows how often samples come: they come one at a time.
    rated = all(app.rate_per_s for app in instance.applications)
    arrivals = "poisson" if rated else "alone"
    asked = SimulationOptions.model_validate({"samples": samples, "arrivals": arrivals, "seed": seed % MOST_SEEDS})
    found = simulate(instance, deployment, asked)
    return {
        "content_hash": instance.content_hash,
        "plan_id": plan_id(deployments),
        "by": "simulated",
        "how": _how(samples, seed),
        "arrivals": arrivals,
        "applications": [
            {
                "application": one.application,
                "samples": one.samples,
                "energy_j": one.energy_j.value,
                "planned_energy_j": one.planned_energy_j,
                "latency_s": one.latency_s.value,
                "planned_latency_s": one.planned_latency_s,
                "p95_s": one.p95_s.value,
                "max_latency_s": one.max_latency_s,
                "within": one.within.value,
                "exits": [
                    {"exit": exit_, "share": share, "latency_s": mean, "planned_latency_s": unhindered}
                    for exit_, (share, mean, unhindered) in sorted(one.exits.items())
                ],
            }
            for one in found.applications
        ],
        "parts": [{"subject": one.station.subject, "added_s": one.waiting_s} for one in found.stations],
    }
