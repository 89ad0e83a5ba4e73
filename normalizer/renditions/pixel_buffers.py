"""The memory in which pixels leave sandboxes, reused because allocating it takes longer than decoding into it.

A buffer is wiped before it is used for another customer's photo, and only when no sandbox can write to it.
"""

import asyncio
import ctypes
import fcntl
import mmap
import os
from collections import deque

from normalizer.canvas import Canvas, PixelLayout

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

#: Memory that is unused for so long is returned to the system.
_IDLE_SECONDS = 10.0

#: All buffers together that no job uses, wiped or still to be wiped. Large photos in a row would otherwise hold
#: several times the memory of the jobs: wiping comes after encoding, at low priority.
_MAX_SPARE_BYTES = 64 << 20


class PixelBuffer:
    """One canvas: a descriptor for a sandbox, and the same memory mapped here."""

    def __init__(self, size: int) -> None:
        self.descriptor = os.memfd_create("canvas", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, size)
        # A sandbox that shrank it would kill the gateway: reading missing memory raises SIGBUS.
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
        self._memory = mmap.mmap(self.descriptor, size)
        #: What the last picture left occupied, in bytes.
        self.occupied = 0

    def view(self, layout: PixelLayout) -> memoryview:
        """Return the pixels of a picture. The view keeps the memory alive, even after the buffer is closed."""
        return memoryview(self._memory)[: layout.size]

    def part(self, start: int, layout: PixelLayout) -> memoryview:
        """Return the pixels of a picture that begins at the byte `start`."""
        return memoryview(self._memory)[start : start + layout.size]

    def wipe(self, layout: PixelLayout) -> bool:
        """Clear the picture. Return False if the sandbox has written elsewhere too."""
        held = os.fstat(self.descriptor).st_blocks * 512
        if held > -(-layout.size // mmap.PAGESIZE) * mmap.PAGESIZE:
            return False
        first = ctypes.c_char.from_buffer(self._memory)
        ctypes.memset(ctypes.addressof(first), 0, layout.size)
        return True

    def close(self) -> None:
        """Close the buffer. The memory is released with its last view."""
        os.close(self.descriptor)
        del self._memory


class PixelBufferPool:
    """A pool of at most `keep` wiped buffers."""

    def __init__(self, canvas: Canvas, keep: int) -> None:
        self._size, self._keep = canvas.size, keep
        self._free: deque[PixelBuffer] = deque()
        self._spare_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def take(self) -> PixelBuffer:
        """Return a buffer without pixels."""
        if not self._free:
            return PixelBuffer(self._size)
        buffer = self._free.pop()
        self._spare_bytes -= buffer.occupied
        return buffer

    def admit(self, buffer: PixelBuffer, layout: PixelLayout) -> bool:
        """Whether a used buffer may be wiped and kept. Otherwise it is closed: its memory is needed."""
        if self._spare_bytes + layout.size > _MAX_SPARE_BYTES:
            buffer.close()
            return False
        buffer.occupied = layout.size
        self._spare_bytes += layout.size
        return True

    def give_back(self, buffer: PixelBuffer) -> None:
        """Take back an admitted buffer that is wiped and out of every sandbox's reach."""
        if len(self._free) >= self._keep:
            self.discard(buffer)
            return
        self._free.append(buffer)
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.close)

    def discard(self, buffer: PixelBuffer) -> None:
        """Close an admitted buffer."""
        self._spare_bytes -= buffer.occupied
        buffer.close()

    def close(self) -> None:
        """Return the memory of all wiped buffers to the system."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._free:
            self.discard(self._free.pop())
