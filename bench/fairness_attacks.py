"""Attacks without any proof, each in a process of its own: `python -m bench.fairness_attacks NAME PORT`.

An attack goes on until its process is ended. A connection that the server closes is opened again, so that the attacks
run on any version of the gateway.
"""

import asyncio
import contextlib
import resource
import sys
from collections.abc import Awaitable, Callable

from bench.deliveries import PATH

#: The longest body that a webhook of the first version accepts.
_BODY_BYTES = 4_000_000
_AGAIN_AFTER = 0.05
_HOLD_SECONDS = 600.0
#: Seconds between the first connections: faster ones overflow the queue of a server, which never learns of them.
_STAGGER = 0.002

Connection = Callable[[int], Awaitable[None]]


def _head(path: str, length: int, media_type: str, signature: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: attack\r\nContent-Type: {media_type}\r\n{signature}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


async def _forged_form(port: int) -> None:
    """Post a form that is slow to decode, with a signature that only looks like one."""
    body = b"Body=" + b"%e4" * (_BODY_BYTES // 3 - 2)
    form = "application/x-www-form-urlencoded"
    signature = "X-Twilio-Signature: " + "A" * 27 + "="
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(_head("/webhooks/twilio", len(body), form, signature) + body)
        await writer.drain()
        await reader.readline()


async def _half_body(port: int) -> None:
    """Send half of a body, and wait."""
    signature = "X-Hub-Signature-256: sha256=" + "0" * 64
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(_head(PATH, _BODY_BYTES, "application/json", signature))
        writer.write(bytes(_BODY_BYTES // 2))
        await writer.drain()
        await asyncio.wait_for(reader.read(), _HOLD_SECONDS)


async def _idle(port: int) -> None:
    """Connect, and send nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        await asyncio.wait_for(reader.read(), _HOLD_SECONDS)


#: What each connection does, and how many there are at the same time.
ATTACKS: dict[str, tuple[Connection, int]] = {
    "forged-forms": (_forged_form, 20),
    "half-bodies": (_half_body, 150),
    "idle-sockets": (_idle, 1150),
}


async def _again_and_again(connection: Connection, port: int, number: int) -> None:
    await asyncio.sleep(number * _STAGGER)
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            await connection(port)
        await asyncio.sleep(_AGAIN_AFTER)


async def _attack(name: str, port: int) -> None:
    connection, count = ATTACKS[name]
    await asyncio.gather(*(_again_and_again(connection, port, number) for number in range(count)))


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_attack(sys.argv[1], int(sys.argv[2])))
