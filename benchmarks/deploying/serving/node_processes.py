"""The processes of all nodes of a served plan: started together, joined, and ended together."""

from __future__ import annotations

import os
import secrets
import select
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from finbench.benchmarks.deploying.manifest import Manifest
from finbench.benchmarks.deploying.serving.messages import Message, MessageError, packed, receive
from finbench.models.io import InputError

START_S = 120.0
"""Longest wait for the nodes to load their parts and join their links [s]."""

_MODULE = "finbench.benchmarks.deploying.serving.node_process"


class ServingError(RuntimeError):
    """A node that ended or does not answer: one line says which."""


@dataclass
class _Running:
    """One node's process, and the command's end of the socket to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket


class NodeProcesses:
    """The nodes of a plan as processes, as long as a `with` block lasts."""

    def __init__(self, folder: Path, manifest: Manifest, *, threads: int, bind: str) -> None:
        """Take what will be started.

        Parameters
        ----------
        folder : Path
            Of the parts.
        manifest : Manifest
        threads : int
            Threads that run one operator.
        bind : str
            Address that the nodes listen on.
        """
        self._manifest = manifest
        self._setup = {"folder": str(folder.absolute()), "threads": threads, "bind": bind}
        self._most_bytes = max(
            sum(spec.stored_bytes for spec in part.answers) for app in manifest.applications for part in app.parts
        )
        self._nodes: dict[str, _Running] = {}

    def __enter__(self) -> Self:
        """Start the nodes; return when all of them are joined.

        Raises
        ------
        InputError
            If a node refuses its parts.
        ServingError
            If one ends or does not answer in time.
        """
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the nodes."""
        self._end()

    def _start(self) -> None:
        secret = secrets.token_hex(16)
        for node in self._manifest.nodes:
            ours, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno()), str(os.getpid())]
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),))
            self._nodes[node.name] = _Running(process, ours)
            self._tell(node.name, {**self._setup, "node": node.name, "secret": secret})
        until = monotonic() + START_S
        here = str(self._setup["bind"])
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(here, here)
        peers = {name: [address, self._awaited(name, "ready", until)["port"]] for name in self._nodes}
        for name in self._nodes:
            self._tell(name, {"kind": "peers", "peers": peers})
        for name in self._nodes:
            self._awaited(name, "joined", until)

    def _end(self) -> None:
        for node in self._nodes.values():
            node.process.kill()
            node.control.close()
        for node in self._nodes.values():
            node.process.wait()

    def arise(self, node: str, application: int, sample: int, payload: bytes) -> None:
        """Have a sample arise at a node."""
        self._tell(node, {"kind": "sample", "application": application, "sample": sample}, payload)

    def left(self, timeout_s: float) -> list[tuple[dict[str, Any], bytes]]:
        """Return what nodes tell of samples that have left, as soon as there is one; none after a time [s]."""
        controls = {node.control: name for name, node in self._nodes.items()}
        ready, _, _ = select.select(list(controls), [], [], max(0.0, timeout_s))
        found = []
        for control in ready:
            message = self._message(controls[control])
            found.append((message.told(), message.payload))
        return found

    def seen(self, timeout_s: float) -> list[dict[str, Any]]:
        """Return what every node has seen of its parts and links."""
        for name in self._nodes:
            self._tell(name, {"kind": "stop"})
        return [self._awaited(name, "seen", monotonic() + timeout_s) for name in self._nodes]

    def _tell(self, name: str, head: dict[str, Any], payload: bytes = b"") -> None:
        try:
            self._nodes[name].control.sendall(packed(head, payload) + payload)
        except OSError:
            raise self._gone(name) from None

    def _awaited(self, name: str, kind: str, until: float) -> dict[str, Any]:
        ready, _, _ = select.select([self._nodes[name].control], [], [], max(0.0, until - monotonic()))
        if not ready:
            raise ServingError(f"node '{name}': does not answer")
        told = self._message(name).told()
        if told["kind"] == "failed":
            raise InputError(*told["line"].split(": ", 1))
        return told if told["kind"] == kind else self._awaited(name, kind, until)

    def _message(self, name: str) -> Message:
        try:
            message = receive(self._nodes[name].control, self._most_bytes)
        except MessageError:
            message = None
        if message is None:
            raise self._gone(name)
        return message

    def _gone(self, name: str) -> ServingError:
        """Return the error for a node that has ended."""
        code = self._nodes[name].process.wait(timeout=10)
        why = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return ServingError(f"node '{name}': {why}")
