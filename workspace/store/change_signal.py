"""Signal that wakes the live update streams after a write."""

import asyncio


class ChangeSignal:
    """`count` grows with every change. `closed` asks the streams to end."""

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
        """Wait for a change after count `seen`. Returns False if there was none within `seconds`."""
        if self.count != seen:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
