"""Waiting for a descriptor on whatever event loop runs."""

import asyncio


async def readable(descriptor: int) -> None:
    """Returns when reading would not block; leaves nothing behind when cancelled."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
