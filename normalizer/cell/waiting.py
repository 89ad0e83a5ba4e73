"""Waiting for a descriptor on whatever event loop runs."""

import asyncio


async def readable(descriptor: int) -> None:
    """Returns when reading would not block; leaves nothing behind when cancelled."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
