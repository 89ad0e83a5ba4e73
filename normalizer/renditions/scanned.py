"""Scanning a file while it is made safe."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from normalizer.media import Clean, MediaFailed, MediaRejected

from .originals import without_original


async def scan_while_cleaning(
    scan: Coroutine[Any, Any, bool],
    clean: Coroutine[Any, Any, Clean],
    on_cleaned: Callable[[], None],
) -> Clean:
    """Scan and clean at the same time. Malware outweighs every other error of the file."""
    scanning, cleaning = asyncio.create_task(scan), asyncio.create_task(clean)
    cleaning.add_done_callback(lambda _: on_cleaned())
    try:
        await asyncio.wait({scanning, cleaning}, return_when=asyncio.FIRST_EXCEPTION)
        if not scanning.done() and isinstance(cleaning.exception(), MediaRejected):
            # The rejection is final, unless the scanner finds malware.
            with contextlib.suppress(MediaFailed):
                await scanning
            return await cleaning
        is_encrypted = await scanning
        # The scanner did not see the inside of an encrypted file.
        return without_original(await cleaning) if is_encrypted else await cleaning
    finally:
        for task in (scanning, cleaning):
            task.cancel()
        await asyncio.gather(scanning, cleaning, return_exceptions=True)
