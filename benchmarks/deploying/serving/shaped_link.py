"""A link of the plan on a connection of this machine: it takes d/B to pass d bits, and τ until they arrive.

Messages pass one after the other. One of d bits that begins at t has given its first x bits to the connection at
t + x/B + τ, the last one at t + d/B + τ; the next one begins at t + d/B at the earliest. Heads of messages, a few
hundred bytes, are not counted, since the plan does not count them either.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
from threading import Lock, Thread
from time import monotonic, sleep

from finbench.benchmarks.deploying.manifest import SplitLink
from finbench.benchmarks.deploying.serving.messages import TransferHead, packed

PIECE_S = 2e-3
"""How long a link takes for one piece of a message, about [s]."""

MOST_PIECES = 64

_AWAKE_S = 2e-4
"""Time before a moment that is spent awake, since a sleep ends late [s]."""


class ShapedLink:
    """The sending end of a link."""

    def __init__(self, connection: socket.socket, link: SplitLink) -> None:
        self._connection = connection
        self._link = link
        self._lock = Lock()
        self._free_s = 0.0
        self._waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        Thread(target=self._deliver, daemon=True).start()

    def send(self, head: TransferHead, payload: bytes) -> None:
        """Have a message delivered as the link allows; return at once."""
        rate, delay = self._link.bandwidth_bit_per_s / 8, self._link.delay_s
        ends = piece_ends(len(payload), len(payload) / rate)
        with self._lock:
            started = max(monotonic(), self._free_s)
            self._free_s = started + len(payload) / rate
            said = head.model_copy(update={"started_s": started, "first_bytes": ends[0]})
            begin = 0
            for end in ends:
                piece = payload[begin:end] if begin else packed(said, payload) + payload[:end]
                self._waiting.put((started + end / rate + delay, piece))
                begin = end

    def _deliver(self) -> None:
        while True:
            moment, piece = self._waiting.get()
            wait_until(moment)
            try:
                self._connection.sendall(piece)
            except OSError as error:
                name = f"{self._link.source}->{self._link.target}"
                print(f"finbench: link {name}: broke: {error.strerror}", file=sys.stderr, flush=True)
                os._exit(1)


def piece_ends(length: int, duration_s: float) -> list[int]:
    """Return where the pieces of a payload end: two at least, so that its rate can be seen, unless it is too short."""
    pieces = min(max(round(duration_s / PIECE_S), 2), MOST_PIECES, max(length, 1))
    return [length * k // pieces for k in range(1, pieces + 1)]


def wait_until(moment: float) -> None:
    """Sleep until a moment of the machine's clock [s]."""
    while (left := moment - monotonic()) > 0:
        sleep(max(0.0, left - _AWAKE_S))
