"""The process of one node of a served plan.

    python -m finbench.benchmarks.deploying.serving.node_process CONTROL PARENT

CONTROL is the file descriptor of a socket to the command that serves, PARENT its process. The node ends when that
socket is closed, as the kernel does when the command is killed, and is killed itself when the command ends before.
"""

from __future__ import annotations

import hmac
import os
import socket
import sys
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from finbench.benchmarks.deploying.manifest import Manifest, SplitLink, load_manifest
from finbench.benchmarks.deploying.serving.messages import Message, MessageError, packed, payload_of, receive
from finbench.benchmarks.deploying.serving.node_work import Left, NodeWork
from finbench.benchmarks.deploying.serving.shaped_link import ShapedLink
from finbench.models.io import InputError
from finbench.models.processes import dies_with

GREETING_S = 10.0
"""Longest wait for the first message of a connection [s]."""

MOST_SAMPLE_BYTES = 2**31
"""Longest sample that the command may send."""


class NodeProcess:
    """A node, the connections of its links, and the command that it belongs to."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = Lock()
        told = self._next()
        self._node: str = told["node"]
        self._secret: str = told["secret"]
        self._manifest: Manifest = load_manifest(Path(told["folder"]))
        self._work = NodeWork(Path(told["folder"]), self._manifest, self._node, told["threads"], self._left)
        self._listener = _listening(told["bind"])

    def serve(self) -> None:
        """Join the links, then take samples until the command has enough."""
        self._tell({"kind": "ready", "port": self._listener.getsockname()[1]})
        Thread(target=self._accept, daemon=True).start()
        peers = self._next()["peers"]
        for link in self._manifest.links:
            if link.source == self._node:
                self._work.join(link, ShapedLink(self._connected(link, peers[link.target]), link))
        self._tell({"kind": "joined"})
        while (message := self._message()) is not None:
            told = message.told()
            if told["kind"] == "stop":
                self._tell({"kind": "seen", **self._work.seen()})
            else:
                self._work.arise(told["application"], told["sample"], message.payload)

    def _connected(self, link: SplitLink, address: list[Any]) -> socket.socket:
        connection = socket.create_connection((address[0], address[1]), timeout=GREETING_S)
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(packed({"secret": self._secret, "source": link.source}))
        return connection

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        """Take the messages of one connection; at a malformed one, close it with one line."""
        who = "a connection"
        with connection:
            try:
                source = self._greeted(connection)
                who = f"link {source}->{self._node}"
                most = self._work.most_bytes(source)
                while (message := receive(connection, most)) is not None:
                    self._work.receive(source, message)
            except MessageError as error:
                line = f"finbench: node {self._node}: {who}: closed: {error}"
                print("".join(each if each.isprintable() else "?" for each in line), file=sys.stderr, flush=True)

    def _greeted(self, connection: socket.socket) -> str:
        """Return the node that a connection comes from, which must know the secret of this run."""
        connection.settimeout(GREETING_S)
        greeting = receive(connection, 0)
        connection.settimeout(None)
        told = {} if greeting is None else greeting.told()
        source, secret = told.get("source"), told.get("secret")
        if not isinstance(secret, str) or not hmac.compare_digest(secret.encode(), self._secret.encode()):
            raise MessageError("greeting: does not know the secret of this run")
        if not any((link.source, link.target) == (source, self._node) for link in self._manifest.links):
            raise MessageError("greeting: names no link to this node")
        return str(source)

    def _left(self, left: Left) -> None:
        app = self._manifest.applications[left.application - 1]
        exit_ = next(each for each in app.exits if each.exit == left.exit)
        head = {key: getattr(left, key) for key in ("application", "sample", "exit", "score", "arose_s", "left_s")}
        self._tell({"kind": "left", **head}, payload_of(left.answers, app.parts[exit_.part - 1].answers))

    def _tell(self, head: dict[str, Any], payload: bytes = b"") -> None:
        with self._lock:
            self._control.sendall(packed(head, payload) + payload)

    def _message(self) -> Message | None:
        return receive(self._control, MOST_SAMPLE_BYTES)

    def _next(self) -> dict[str, Any]:
        message = self._message()
        if message is None:
            os._exit(0)
        return message.told()


def _listening(address: str) -> socket.socket:
    """Return a socket that listens at an address; raise InputError where this machine has none such."""
    try:
        return socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        raise InputError("--bind", f"{address}: cannot be listened on: {error.strerror}") from None


def main() -> None:
    """Run a node until its command closes the connection."""
    dies_with(int(sys.argv[2]))
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        NodeProcess(control).serve()
    except InputError as error:
        control.sendall(packed({"kind": "failed", "line": str(error)}))
    except (OSError, MessageError):
        pass  # the command has ended
    os._exit(0)


if __name__ == "__main__":
    main()
