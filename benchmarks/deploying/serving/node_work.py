"""What a node does with samples: it runs parts, first come, first served, and sends on what they make."""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from time import monotonic
from typing import Any

from finbench.benchmarks.deploying.answers import leaves
from finbench.benchmarks.deploying.joint_run import loaded_part
from finbench.benchmarks.deploying.manifest import Manifest, ModelPart, SplitLink
from finbench.benchmarks.deploying.serving.messages import (
    Message,
    MessageError,
    TransferHead,
    arrays_of,
    check_tensors,
    payload_of,
)
from finbench.benchmarks.deploying.serving.shaped_link import ShapedLink

WARM_RUNS = 3
"""Runs of every part before the first sample, in which the runtime takes its memory."""


@dataclass(frozen=True)
class Arrived:
    """A sample at a part, with all that the part reads."""

    application: int
    part: int
    sample: int
    arose_s: float
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Left:
    """A sample that has left at an exit."""

    application: int
    sample: int
    exit: int
    score: float
    arose_s: float
    left_s: float
    answers: Mapping[str, Any] = field(repr=False)


@dataclass
class SeenLink:
    """What a receiver has seen of a link: of each message its bytes, those that came first, and three moments."""

    messages: list[tuple[int, int, float, float, float]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return number and bytes of messages, and rate [bit/s] and delay [s] where they could be seen.

        Of the longest messages, whose first x bytes of y came after a and the last one after b since the link began:
        the rate is 8 (y − x)/(b − a), the delay a − 8 x/rate, with the least a and the least b of all, since a busy
        machine adds to them and never takes away.
        """
        longest = max((each[0] for each in self.messages), default=0)
        largest = [each for each in self.messages if each[0] == longest]
        a = min((begin - start for _, _, start, begin, _ in largest), default=0.0)
        b = min((end - start for _, _, start, _, end in largest), default=0.0)
        first = largest[0][1] if largest else 0
        rate = 8 * (longest - first) / (b - a) if b > a and longest > first else None
        return {
            "messages": len(self.messages),
            "bytes": sum(each[0] for each in self.messages),
            "bits_per_s": rate,
            "delay_s": None if rate is None else max(0.0, a - 8 * first / rate),
        }


class NodeWork:
    """One node of the plan."""

    def __init__(self, folder: Path, manifest: Manifest, node: str, threads: int, tell: Callable[[Left], None]) -> None:
        """Load the node's parts, and begin to work.

        Parameters
        ----------
        folder : Path
        manifest : Manifest
        node : str
        threads : int
            Threads that run one operator.
        tell : function
            Called with every sample that leaves here.

        Raises
        ------
        InputError
            If a part cannot be loaded.
        """
        self._manifest = manifest
        self._node = node
        self._tell = tell
        self._links: dict[str, ShapedLink] = {}
        self._lock = Lock()
        self._times: dict[tuple[int, int], list[float]] = {}
        self._seen: dict[str, SeenLink] = {}
        self._queue: queue.SimpleQueue[Arrived] = queue.SimpleQueue()
        self._models = {
            (h, k): loaded_part(folder, app, k, threads)
            for h, app in enumerate(manifest.applications, start=1)
            for k, part in enumerate(app.parts, start=1)
            if part.node == node
        }
        self._warm_up()
        places = next(each.parallel for each in manifest.nodes if each.name == node)
        for _ in range(min(places, os.cpu_count() or 1)):
            Thread(target=self._work, daemon=True).start()

    def join(self, link: SplitLink, sending: ShapedLink) -> None:
        """Take the sending end of a link that leaves this node."""
        self._links[link.target] = sending

    def arise(self, application: int, sample: int, payload: bytes) -> None:
        """Take a sample that arises here now."""
        app = self._manifest.applications[application - 1]
        values = arrays_of(payload, app.sample, app.sample)
        self._feed(application, 1, sample, monotonic(), values)

    def most_bytes(self, source: str) -> int:
        """Return the longest payload that may come over the link from a node."""
        sizes = [
            sum(spec.stored_bytes for spec in part.inputs)
            for app in self._manifest.applications
            for part in app.parts
            if (source, self._node) in zip(part.route, part.route[1:], strict=False)
        ]
        return max(sizes, default=0)

    def receive(self, source: str, message: Message) -> None:
        """Take a message from a link: run the part that it feeds, or pass it on.

        Raises
        ------
        MessageError
            If it is not what the manifest lets come over this link.
        """
        head = message.transfer()
        part = self._part(head)
        if head.hop >= len(part.route) or part.route[head.hop - 1 : head.hop + 1] != (source, self._node):
            raise MessageError(f"hop {head.hop} of part {head.part} does not lead from '{source}' to '{self._node}'")
        check_tensors(len(message.payload), head.tensors, part.inputs)
        moments = (head.started_s, message.begun_s, message.ended_s)
        seen = self._seen.setdefault(source, SeenLink())
        seen.messages.append((len(message.payload), min(head.first_bytes, len(message.payload)), *moments))
        if head.hop + 1 < len(part.route):
            self._links[part.route[head.hop + 1]].send(head.model_copy(update={"hop": head.hop + 1}), message.payload)
            return
        values = arrays_of(message.payload, head.tensors, part.inputs)
        self._queue.put(Arrived(head.application, head.part, head.sample, head.arose_s, values))

    def _part(self, head: TransferHead) -> ModelPart:
        apps = self._manifest.applications
        if head.application > len(apps) or head.part > len(apps[head.application - 1].parts):
            raise MessageError(f"part {head.part} of application {head.application}: there is none")
        return apps[head.application - 1].parts[head.part - 1]

    def _warm_up(self) -> None:
        import numpy as np

        for (h, k), model in self._models.items():
            part = self._manifest.applications[h - 1].parts[k - 1]
            zeros = {spec.name: np.zeros(spec.shape, spec.dtype) for spec in part.inputs}
            for _ in range(WARM_RUNS):
                model.run(zeros, [spec.name for spec in (*part.outputs, *part.answers)][:1])

    def _work(self) -> None:
        while True:
            arrived = self._queue.get()
            try:
                self._run(arrived)
            except Exception as error:  # noqa: BLE001  (whatever it is, the node cannot go on)
                line = " ".join(f"finbench: node {self._node}: {type(error).__name__}: {error}".split())
                print(line, file=sys.stderr, flush=True)
                os._exit(1)

    def _run(self, arrived: Arrived) -> None:
        """Run a part on a sample; let the sample leave, or send on what the part makes."""
        app = self._manifest.applications[arrived.application - 1]
        part = app.parts[arrived.part - 1]
        names = tuple(dict.fromkeys(spec.name for spec in (*part.outputs, *part.answers)))
        begun = monotonic()
        made = self._models[arrived.application, arrived.part].run(arrived.values, names)
        with self._lock:
            self._times.setdefault((arrived.application, arrived.part), []).append(monotonic() - begun)
        exit_ = app.exit_after.get(arrived.part)
        if exit_ is not None:
            answers = {spec.name: made[spec.name] for spec in part.answers}
            goes, score = leaves(tuple(answers.values()), exit_, app)
            if goes:
                at = monotonic()
                self._tell(Left(arrived.application, arrived.sample, exit_.exit, score, arrived.arose_s, at, answers))
                return
        self._feed(arrived.application, arrived.part + 1, arrived.sample, arrived.arose_s, made)

    def _feed(self, application: int, number: int, sample: int, arose_s: float, made: Mapping[str, Any]) -> None:
        """Bring what a part reads to where it runs."""
        part = self._manifest.applications[application - 1].parts[number - 1]
        if not part.route:
            values = {spec.name: made[spec.name] for spec in part.inputs}
            self._queue.put(Arrived(application, number, sample, arose_s, values))
            return
        head = TransferHead(
            application=application, part=number, hop=1, sample=sample, arose_s=arose_s, tensors=part.inputs
        )
        self._links[part.route[1]].send(head, payload_of(made, part.inputs))

    def seen(self) -> dict[str, Any]:
        """Return how long every part ran each time [s], and what was seen of the links that lead here."""
        with self._lock:
            parts = [[h, k, list(times)] for (h, k), times in self._times.items()]
            links = [{"source": source, "target": self._node, **seen.summary()} for source, seen in self._seen.items()]
        return {"parts": parts, "links": links}
