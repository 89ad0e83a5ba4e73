"""One running sanitizer for all tests of a file, and a way to hand bytes to it."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from normalizer.media import Clean, Limits
from normalizer.sanitizer import Sanitizer

from .media_samples import descriptor

Sanitize = Callable[[bytes], Awaitable[Clean]]


@pytest_asyncio.fixture
async def sanitizer() -> AsyncIterator[Sanitizer]:
    running = Sanitizer(Limits(), cells=2)
    await running.start()
    yield running
    await running.close()


@pytest.fixture
def sanitize(sanitizer: Sanitizer) -> Sanitize:
    async def call(content: bytes) -> Clean:
        source = descriptor(content)
        try:
            return await sanitizer.sanitize(source)
        finally:
            os.close(source)

    return call
