"""Running sanitizers, and a function that passes bytes to them."""

import os
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import pytest_asyncio

from normalizer.media import Clean, Limits
from normalizer.sandbox import zygote_client
from normalizer.sanitizer import Sanitizer

from .media_samples import descriptor

Sanitize = Callable[[bytes], Coroutine[Any, Any, Clean]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sanitizer() -> AsyncIterator[Sanitizer]:
    """One sanitizer for all tests of a file. They run on the event loop of their module."""
    running = Sanitizer(Limits(), sandboxes=2)
    await running.start()
    yield running
    await running.close()


@pytest.fixture
def sanitize(sanitizer: Sanitizer) -> Sanitize:
    return sanitize_with(sanitizer)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hostile_sanitizer() -> AsyncIterator[Sanitizer]:
    """A sanitizer whose decoder attacks when a file says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zygote_client, "_MODULE", "tests.normalizer.hostile_decoder")
        running = Sanitizer(Limits(), sandboxes=2)
        await running.start()
        yield running
        await running.close()


def sanitize_with(sanitizer: Sanitizer) -> Sanitize:
    async def call(content: bytes) -> Clean:
        source = descriptor(content)
        try:
            return await sanitizer.sanitize(source)
        finally:
            os.close(source)

    return call
