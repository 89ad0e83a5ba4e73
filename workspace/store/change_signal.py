"""Wakes the live streams when something has been written."""

import asyncio


class ChangeSignal:
    def __init__(self) -> None:
        self.count = 0
        self.closed = False
        self._changed = asyncio.Event()

    def announce(self) -> None:
        self.count += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        self.closed = True
        self.announce()

    async def wait(self, seen: int, seconds: float) -> bool:
        """Wait until something is announced after `seen`; False when `seconds` passed without."""
        if self.count != seen:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
