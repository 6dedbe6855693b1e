"""Messages between processes: a head, and arrays whose lengths are checked before they are read.

A message is `fbp1`, the lengths of its head (32 bit) and of its payload (64 bit), the head in JSON, and the payload:
arrays one after the other, little-endian and row by row. Nothing in it is ever executed or unpickled.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from finbench.benchmarks.deploying.manifest import Tensors, TensorSpec
from finbench.models.fields import Frozen, Index, NonNegative

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.generic]]

MARK = b"fbp1"
"""What every message begins with."""

MOST_HEAD_BYTES = 2**20
"""Longest head that is read."""

_BEGIN = struct.Struct("!4sIQ")


class MessageError(ValueError):
    """A message that is malformed, too long, or cut off: one line says why."""


class TransferHead(Frozen):
    """What a message on a link says of itself."""

    application: Index
    """Number of the application in the manifest."""
    part: Index
    """Number of the part that the transfer feeds."""
    hop: Index
    """Number of the link on the part's route."""
    sample: Annotated[int, Field(ge=0)] = 0
    """Number of the sample."""
    arose_s: NonNegative
    """When the sample arose, by the machine's clock [s]."""
    started_s: NonNegative = 0.0
    """When the link began to serve it [s]."""
    first_bytes: Annotated[int, Field(ge=0)] = 0
    """Bytes of the payload that leave together with the head."""
    tensors: Tensors
    """What the payload holds."""


@dataclass(frozen=True)
class Message:
    """A message as it came in."""

    head: bytes
    payload: bytes
    begun_s: float
    """When its beginning had come in [s]."""
    ended_s: float
    """When all of it had [s]."""

    def told(self) -> dict[str, Any]:
        """Return what its head says."""
        try:
            found = json.loads(self.head)
        except ValueError:
            raise MessageError("head: is not JSON") from None
        if not isinstance(found, dict):
            raise MessageError("head: is no table")
        return found

    def transfer(self) -> TransferHead:
        """Return its head as that of a transfer; raise MessageError where it is none."""
        try:
            return TransferHead.model_validate_json(self.head)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[0]
            raise MessageError(f"head: {'.'.join(map(str, found['loc']))[:60]}: {found['msg'][:80]}") from None


def packed(head: Mapping[str, Any] | TransferHead, payload: bytes = b"") -> bytes:
    """Return the bytes of a message up to its payload."""
    text = head.model_dump_json() if isinstance(head, TransferHead) else json.dumps(head)
    return _BEGIN.pack(MARK, len(text.encode()), len(payload)) + text.encode()


def payload_of(arrays: Arrays, specs: Sequence[TensorSpec]) -> bytes:
    """Return arrays as the payload of a message, in the order of `specs`."""
    import numpy as np

    return b"".join(
        np.ascontiguousarray(arrays[spec.name], np.dtype(spec.dtype).newbyteorder("<")).tobytes() for spec in specs
    )


def arrays_of(payload: bytes, said: Sequence[TensorSpec], expected: Sequence[TensorSpec]) -> dict[str, Any]:
    """Return the arrays of a payload.

    Raises
    ------
    MessageError
        If it does not say that it holds the tensors that are expected, or has another length than they.
    """
    import numpy as np

    check_tensors(len(payload), said, expected)
    arrays, begin = {}, 0
    for spec in expected:
        kind = np.dtype(spec.dtype).newbyteorder("<")
        count = spec.stored_bytes // kind.itemsize
        flat = np.frombuffer(payload, kind, count, begin)
        arrays[spec.name] = flat.astype(spec.dtype, copy=False).reshape(spec.shape)
        begin += spec.stored_bytes
    return arrays


def check_tensors(length: int, said: Sequence[TensorSpec], expected: Sequence[TensorSpec]) -> None:
    """Refuse a payload of other tensors than those expected, or of another length [byte]."""
    if tuple(said) != tuple(expected):
        names = ", ".join(f"'{spec.name[:40]}'" for spec in expected)
        raise MessageError(f"tensors: must be {names} with their types and sizes")
    needed = sum(spec.stored_bytes for spec in expected)
    if length != needed:
        raise MessageError(f"payload: has {length} bytes: must have {needed}")


def receive(connection: socket.socket, most_bytes: int) -> Message | None:
    """Return the next message; None where the other side has closed the connection after the last one.

    Parameters
    ----------
    connection : socket
    most_bytes : int
        Longest payload that may come; a longer one is refused before it is read.

    Raises
    ------
    MessageError
        If what comes in is no message, too long, or ends before its end.
    """
    begin = _exactly(connection, _BEGIN.size, may_end=True)
    if begin is None:
        return None
    begun_s = monotonic()
    mark, head_bytes, payload_bytes = _BEGIN.unpack(begin)
    if mark != MARK:
        raise MessageError("does not begin as a message does")
    if head_bytes > MOST_HEAD_BYTES or payload_bytes > most_bytes:
        raise MessageError(f"has {head_bytes} + {payload_bytes} bytes: at most {MOST_HEAD_BYTES} + {most_bytes} may be")
    head, payload = _exactly(connection, head_bytes) or b"", _exactly(connection, payload_bytes) or b""
    return Message(head, payload, begun_s, monotonic())


def _exactly(connection: socket.socket, number: int, *, may_end: bool = False) -> bytes | None:
    """Return so many bytes; None where there are none at all and that may be."""
    found = bytearray(number)
    view, have = memoryview(found), 0
    while have < number:
        try:
            came = connection.recv_into(view[have:])
        except OSError as error:
            raise MessageError(f"the connection broke: {error.strerror or type(error).__name__}") from None
        if came == 0 and have == 0 and may_end:
            return None
        if came == 0:
            raise MessageError(f"ends after {have} of {number} bytes")
        have += came
    return bytes(found)
