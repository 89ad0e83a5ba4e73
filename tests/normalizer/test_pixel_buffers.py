"""The pool of pixel buffers: what large photos in a row leave behind is bounded."""

from collections.abc import AsyncIterator

import pytest

from normalizer.canvas import Canvas, PixelLayout
from normalizer.renditions.pixel_buffers import _MAX_SPARE_BYTES, PixelBuffer, PixelBufferPool

LARGE = PixelLayout(4096, 4096)
SMALL = PixelLayout(64, 64)


@pytest.fixture
async def pool() -> AsyncIterator[PixelBufferPool]:
    pool = PixelBufferPool(Canvas(4096), keep=2)
    yield pool
    pool.close()


def used(pool: PixelBufferPool, layout: PixelLayout) -> PixelBuffer:
    """Take a buffer and paint all of a picture."""
    buffer = pool.take()
    buffer.view(layout)[:] = b"x" * layout.size
    return buffer


async def test_a_second_large_buffer_is_closed_instead_of_wiped(pool: PixelBufferPool) -> None:
    assert LARGE.size == _MAX_SPARE_BYTES
    first, second = used(pool, LARGE), used(pool, LARGE)
    assert pool.admit(first, LARGE)
    assert not pool.admit(second, LARGE)
    with pytest.raises(OSError, match="Bad file descriptor"):
        second.wipe(LARGE)


async def test_a_wiped_buffer_is_used_again_without_its_pixels(pool: PixelBufferPool) -> None:
    buffer = used(pool, LARGE)
    assert pool.admit(buffer, LARGE)
    assert buffer.wipe(LARGE)
    pool.give_back(buffer)
    assert pool.take() is buffer
    assert bytes(buffer.view(SMALL)) == bytes(SMALL.size)


async def test_room_is_free_again_after_reuse_or_discard(pool: PixelBufferPool) -> None:
    for _ in range(3):
        buffer = used(pool, LARGE)
        assert pool.admit(buffer, LARGE)
        assert buffer.wipe(LARGE)
        pool.give_back(buffer)
        assert pool.take() is buffer
        assert pool.admit(buffer, LARGE)
        pool.discard(buffer)


async def test_small_buffers_are_kept_side_by_side(pool: PixelBufferPool) -> None:
    buffers = [used(pool, SMALL) for _ in range(2)]
    for buffer in buffers:
        assert pool.admit(buffer, SMALL)
        assert buffer.wipe(SMALL)
        pool.give_back(buffer)
    assert {pool.take(), pool.take()} == set(buffers)
