"""The memory in which pixels leave cells, used again: getting it afresh takes longer than decoding into it.

Before another customer's photo comes onto a sheet it is wiped, and never while a cell can still write.
"""

import asyncio
import ctypes
import fcntl
import mmap
import os
from collections import deque

from normalizer.canvas import Canvas, PixelLayout

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

#: Memory nobody has needed for so long goes back to the system.
_IDLE_SECONDS = 10.0


class PixelBuffer:
    """One canvas: a descriptor to give to a cell, and the same memory seen from here."""

    def __init__(self, size: int) -> None:
        self.descriptor = os.memfd_create("canvas", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, size)
        # A cell that could shrink it would kill us: who reads memory that is gone gets SIGBUS.
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
        self._memory = mmap.mmap(self.descriptor, size)

    def view(self, layout: PixelLayout) -> memoryview:
        """The pixels of a picture; keeps the memory alive, even when the sheet is closed."""
        return memoryview(self._memory)[: layout.size]

    def wipe(self, layout: PixelLayout) -> bool:
        """Clears what was painted; False where a cell has written elsewhere too."""
        held = os.fstat(self.descriptor).st_blocks * 512
        if held > -(-layout.size // mmap.PAGESIZE) * mmap.PAGESIZE:
            return False
        first = ctypes.c_char.from_buffer(self._memory)
        ctypes.memset(ctypes.addressof(first), 0, layout.size)
        return True

    def close(self) -> None:
        """The memory goes with the last view of it."""
        os.close(self.descriptor)
        del self._memory


class PixelBufferPool:
    """Sheets at hand, at most `keep` of them."""

    def __init__(self, canvas: Canvas, keep: int) -> None:
        self._size, self._keep = canvas.size, keep
        self._free: deque[PixelBuffer] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def take(self) -> PixelBuffer:
        return self._free.pop() if self._free else PixelBuffer(self._size)

    def give_back(self, buffer: PixelBuffer) -> None:
        """Only for a sheet that is wiped and that no cell can reach."""
        if len(self._free) >= self._keep:
            buffer.close()
            return
        self._free.append(buffer)
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.close)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._free:
            self._free.pop().close()
