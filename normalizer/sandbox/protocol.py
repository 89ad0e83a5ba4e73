"""Messages between the gateway, the zygote and the cells: one JSON object a packet, with descriptors."""

import array
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

#: Every message is small; what does not fit in here was not written by our code.
MAX_BYTES = 8192


class BadMessage(Exception):
    """The other side sent something that no code of ours sends."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends that keep packets whole and carry descriptors."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    packet = json.dumps(message).encode()
    if len(packet) > MAX_BYTES:
        raise BadMessage(f"a message of {len(packet)} bytes")
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    sock.sendmsg([packet], rights if descriptors else [])


def receive(sock: socket.socket, descriptors: int = 0) -> tuple[dict[str, Any], list[int]]:
    """The next message and at most so many descriptors; raises EOFError when the other end is gone."""
    space = socket.CMSG_SPACE(descriptors * 4) if descriptors else 0
    packet, ancillary, flags, _ = sock.recvmsg(MAX_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    received = [fd for item in ancillary for fd in _rights(item)]
    if not packet:
        raise EOFError
    if flags & socket.MSG_TRUNC:
        raise BadMessage("a message that is too long")
    try:
        message = json.loads(packet)
    except (ValueError, RecursionError) as exc:
        raise BadMessage("a message that is no JSON") from exc
    if not isinstance(message, dict):
        raise BadMessage("a message that is no object")
    return message, received


def _rights(item: tuple[int, int, bytes]) -> list[int]:
    level, kind, content = item
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        return []
    numbers = array.array("i")
    numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return list(numbers)
