"""Messages between the gateway, the zygote and the sandboxes: one JSON object a packet, with descriptors."""

import array
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

#: Every message is small; a larger one was not written by our code.
MAX_BYTES = 8192


class BadMessage(Exception):
    """A message that our code does not send."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that keep packets whole and carry descriptors."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    packet = json.dumps(message).encode()
    if len(packet) > MAX_BYTES:
        raise BadMessage(f"the message has {len(packet)} bytes, more than allowed")
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
    sock.sendmsg([packet], rights if descriptors else [])


def receive(sock: socket.socket, descriptors: int = 0) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and at most `descriptors` descriptors. Raise EOFError if the other end is gone."""
    space = socket.CMSG_SPACE(descriptors * 4) if descriptors else 0
    packet, ancillary, flags, _ = sock.recvmsg(MAX_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    received = [fd for item in ancillary for fd in _rights(item)]
    if not packet:
        raise EOFError
    if flags & socket.MSG_TRUNC:
        raise BadMessage("the message is too long")
    try:
        message = json.loads(packet)
    except (ValueError, RecursionError) as exc:
        raise BadMessage("the message is not JSON") from exc
    if not isinstance(message, dict):
        raise BadMessage("the message is not a JSON object")
    return message, received


def _rights(item: tuple[int, int, bytes]) -> list[int]:
    level, kind, content = item
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        return []
    numbers = array.array("i")
    numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return list(numbers)
