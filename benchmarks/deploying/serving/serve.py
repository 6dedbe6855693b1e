"""A served run: samples arise, pass the processes of nodes and the shaped links, and leave at their exits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from finbench.benchmarks.deploying.joint_run import Answering, leaving, relative_difference
from finbench.benchmarks.deploying.manifest import Manifest
from finbench.benchmarks.deploying.serving.messages import arrays_of, payload_of
from finbench.benchmarks.deploying.serving.node_processes import NodeProcesses, ServingError
from finbench.benchmarks.deploying.serving.options import ServingOptions
from finbench.benchmarks.deploying.serving.served_run import (
    ServedLink,
    ServedRun,
    served_application,
    served_parts,
)
from finbench.models.tolerances import SPLIT_TOLERANCE
from finbench.models.versions import package_version

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = Mapping[str, Sequence[Mapping[str, NDArray[np.generic]]]]

PATIENCE_S = 30.0
"""Longest wait for any sample to leave, beside several times what the plan takes [s]."""

PATIENCE = 20.0
"""How many times the plan's longest latency is waited for."""


@dataclass
class _Journey:
    """What is known of the samples that have left, by application and number of the sample."""

    left: dict[tuple[int, int], tuple[int, float]] = field(default_factory=dict)
    """Exit and latency [s]."""
    answers: dict[tuple[int, int], bytes] = field(default_factory=dict)


def serve(
    folder: Path,
    manifest: Manifest,
    samples: Samples,
    options: ServingOptions,
    *,
    bind: str = "127.0.0.1",
    machine: str = "",
    whole: Mapping[str, Answering] | None = None,
    told: Callable[[int, int], None] = lambda *_: None,
) -> ServedRun:
    """Serve a folder of parts, and return what was measured.

    Every node is a process of its own. A transfer takes as long as the links of its route say; a part runs as long as
    it does on this machine. The latency of a sample counts from when it has arisen at its source to when the last part
    that it needed has answered.

    Parameters
    ----------
    folder : Path
    manifest : Manifest
    samples : mapping of str to sequence
        Samples by application, used in turn.
    options : ServingOptions
    bind : str
        Address that the nodes listen on.
    machine : str
        What it is measured on, told in the provenance.
    whole : mapping of str to Answering, optional
        The whole model of each application, to compare answers with.
    told : function, optional
        Called with the number of samples that have left, and of all.

    Raises
    ------
    InputError
        If a node refuses its parts.
    ServingError
        If a node ends, or no sample leaves for a long time.
    """
    with NodeProcesses(folder, manifest, threads=options.threads, bind=bind) as nodes:
        journey = _Samples(manifest, samples, options, nodes, told).journey()
        seen = nodes.seen(PATIENCE_S)
    times: dict[tuple[int, int], list[float]] = {(h, k): each for one in seen for h, k, each in one["parts"]}
    return ServedRun(
        instance=manifest.instance,
        content_hash=manifest.content_hash,
        method=manifest.method,
        provenance=_provenance(options, machine),
        rate_per_s=options.rate,
        applications=tuple(
            served_application(
                app,
                [journey.left[h, n] for n in range(options.samples)],
                None
                if whole is None
                else _others(manifest, h, journey, samples[app.application], whole[app.application]),
            )
            for h, app in enumerate(manifest.applications, start=1)
        ),
        parts=served_parts(manifest, times),
        links=tuple(_links(manifest, [link for one in seen for link in one["links"]])),
    )


class _Samples:
    """Samples on their way."""

    def __init__(
        self,
        manifest: Manifest,
        samples: Samples,
        options: ServingOptions,
        nodes: NodeProcesses,
        told: Callable[[int, int], None],
    ) -> None:
        self._manifest = manifest
        self._options = options
        self._nodes = nodes
        self._told = told
        self._found = _Journey()
        self._payloads = [
            [payload_of(sample, app.sample) for sample in samples[app.application]] for app in manifest.applications
        ]
        self._all = options.samples * len(manifest.applications)
        self._patience_s = PATIENCE_S + PATIENCE * max(app.exits[-1].planned_s for app in manifest.applications)

    def journey(self) -> _Journey:
        """Let all samples arise and leave."""
        order = [(h, n) for n in range(self._options.samples) for h in range(1, len(self._manifest.applications) + 1)]
        if self._options.rate is None:
            for each in order:
                self._arise(*each)
                self._until(lambda each=each: each in self._found.left)  # type: ignore[misc]
        else:
            begin = monotonic()
            for moment, each in self._moments(self._options.rate):
                self._until(lambda moment=moment: monotonic() >= begin + moment, begin + moment)  # type: ignore[misc]
                self._arise(*each)
            self._until(lambda: len(self._found.left) == self._all)
        return self._found

    def _moments(self, rate: float) -> list[tuple[float, tuple[int, int]]]:
        """Return when samples arise, by rising time [s]: in each application after exponential times."""
        import numpy as np

        draw = np.random.default_rng([self._options.seed, 1])
        moments = []
        for h in range(1, len(self._manifest.applications) + 1):
            times = np.cumsum(draw.exponential(1 / rate, self._options.samples))
            moments += [(float(moment), (h, n)) for n, moment in enumerate(times)]
        return sorted(moments)

    def _arise(self, h: int, n: int) -> None:
        payloads = self._payloads[h - 1]
        self._nodes.arise(self._manifest.applications[h - 1].source, h, n, payloads[n % len(payloads)])

    def _until(self, done: Callable[[], bool], moment: float | None = None) -> None:
        """Take note of samples that leave, until something is so; at a moment [s] it is looked at again."""
        last = monotonic()
        while not done():
            wait = self._patience_s if moment is None else moment - monotonic()
            for told, payload in self._nodes.left(wait):
                last = monotonic()
                key = (told["application"], told["sample"])
                self._found.left[key] = (told["exit"], max(0.0, told["left_s"] - told["arose_s"]))
                self._found.answers[key] = payload
                self._told(len(self._found.left), self._all)
            if moment is None and monotonic() - last >= self._patience_s:
                raise ServingError(f"no sample has left for {self._patience_s:.0f} s")


def _others(
    manifest: Manifest, h: int, journey: _Journey, samples: Sequence[Mapping[str, Any]], whole: Answering
) -> int:
    """Return how many samples of an application the whole model answers otherwise, or at another exit."""
    app = manifest.applications[h - 1]
    found = 0
    known = [leaving(whole, sample, app) for sample in samples]
    for (number, n), payload in journey.answers.items():
        if number != h:
            continue
        theirs, (exit_number, _) = known[n % len(known)], journey.left[number, n]
        part = app.parts[next(each.part for each in app.exits if each.exit == exit_number) - 1]
        ours = list(arrays_of(payload, part.answers, part.answers).values())
        same = exit_number == theirs.exit and all(
            relative_difference(one, other) <= SPLIT_TOLERANCE for one, other in zip(ours, theirs.answers, strict=True)
        )
        found += not same
    return found


def _links(manifest: Manifest, seen: Sequence[Mapping[str, Any]]) -> list[ServedLink]:
    by_pair = {(one["source"], one["target"]): one for one in seen}
    nothing = {"messages": 0, "bytes": 0, "bits_per_s": None, "delay_s": None}
    return [
        ServedLink(
            source=link.source,
            target=link.target,
            planned_bits_per_s=link.bandwidth_bit_per_s,
            planned_delay_s=link.delay_s,
            **{key: by_pair.get((link.source, link.target), nothing)[key] for key in nothing},
        )
        for link in manifest.links
    ]


def _provenance(options: ServingOptions, machine: str) -> str:
    threads = "1 thread" if options.threads == 1 else f"{options.threads} threads"
    runtime = f"ONNX Runtime {package_version('onnxruntime')}, {threads} for an operator"
    where = ", ".join(each for each in (machine, runtime) if each)
    arising = "each when the one before had left" if options.rate is None else f"{options.rate:g}/s at random moments"
    return "\n".join(
        (
            f"measured by finbench serve on {datetime.now(UTC):%Y-%m-%d}: {where}",
            f"every node a process of this machine, links shaped; {options.samples} samples of each application, "
            f"{arising}, seed {options.seed}",
        )
    )
