"""The only way to safe media: a file of unknown bytes goes in, renditions that we made come out."""

import asyncio
import logging
import os
import threading
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor

from .media import Clean, Limits, MediaFailed
from .renditions.pipelines import OnProgress, Pipelines, Stage
from .sandbox.pool import Isolation, Pool
from .scanner import Scanner

__all__ = ["OnProgress", "Sanitizer", "Stage"]

_log = logging.getLogger(__name__)

#: The priority of encoding threads, lower than that of the threads that answer requests, like that of sandboxes.
_NICENESS = 10


class Sanitizer:
    """Makes media safe. One instance serves the whole process; `sanitize` may be called concurrently."""

    def __init__(
        self,
        limits: Limits,
        *,
        sandboxes: int | None = None,
        isolation: Isolation = "full",
        scanner: Scanner | None = None,
    ) -> None:
        self._sandboxes = sandboxes or os.cpu_count() or 1
        self._pool = Pool(self._sandboxes, isolation)
        # Threads, not processes: encoding releases the interpreter lock and reads the pixels where the sandbox
        # wrote them.
        self._threads = ThreadPoolExecutor(self._sandboxes, "encode", _lower_priority)
        self._pipelines = self._under(limits, scanner)
        #: Files under earlier limits.
        self._replaced: set[asyncio.Task[None]] = set()

    def _under(self, limits: Limits, scanner: Scanner | None) -> Pipelines:
        return Pipelines(limits, scanner, self._pool, self._threads, self._sandboxes)

    async def start(self) -> None:
        """Start the decoder processes, test their isolation, and check that the scanner accepts files of our size.

        Raise SandboxUnavailable or ScannerMisfit. If the scanner cannot be reached, log a warning and start anyway.
        """
        await self._pool.start()
        try:
            await check_scanner(self._pipelines.scanner, self._pipelines.limits)
        except BaseException:
            await self.close()
            raise

    def use(self, limits: Limits, scanner: Scanner | None) -> None:
        """Make the next files safe under other limits, or with another scanner."""
        if (limits, scanner) == (self._pipelines.limits, self._pipelines.scanner):
            return
        replaced, self._pipelines = self._pipelines, self._under(limits, scanner)
        closing = asyncio.create_task(replaced.close_when_unused())
        self._replaced.add(closing)
        closing.add_done_callback(self._replaced.discard)

    async def close(self) -> None:
        """End all decoder processes."""
        await self._pool.close()
        await self._pipelines.close()
        for closing in self._replaced:
            closing.cancel()
        self._threads.shutdown(wait=False)

    @property
    def missing_layers(self) -> dict[str, str]:
        """The isolation layers that are missing, each with the reason. Empty if all are in place."""
        return dict(self._pool.missing)

    @property
    def offers_originals(self) -> bool:
        """Whether the original is a rendition of files that cannot be shown."""
        return self._pipelines.offers_originals

    @property
    def scanner(self) -> Scanner | None:
        """The scanner that is in use."""
        return self._pipelines.scanner

    @property
    def ready(self) -> bool:
        """Whether decoder processes are available."""
        return self._pool.ready

    async def sanitize(
        self,
        source: int,
        *,
        declared: str | None = None,  # noqa: ARG002  # accepted, so that callers need not filter it out
        progress: OnProgress | None = None,
        owner: Hashable | None = None,
    ) -> Clean:
        """Return the renditions of the file behind the readable descriptor `source`, read from its start.

        Files wait for a free sandbox. Owners, such as the conversations of the files, take turns for them.
        Raise MediaRejected or MediaFailed. `declared`, the platform's claim, has no influence.
        """
        report = progress or _ignore_progress
        # A separate file description: it has its own position, and the sandbox cannot write through it.
        readonly = os.open(f"/proc/self/fd/{source}", os.O_RDONLY | os.O_CLOEXEC)
        pipelines = self._pipelines
        try:
            with pipelines.use():
                size = os.fstat(readonly).st_size
                return await pipelines.clean(readonly, size, report, owner)
        finally:
            os.close(readonly)

    async def scanner_error(self) -> MediaFailed | None:
        """Return why files cannot be scanned now, or None if they can or no scanner is configured."""
        scanner = self._pipelines.scanner
        return await scanner.error() if scanner else None


async def check_scanner(scanner: Scanner | None, limits: Limits) -> None:
    """Raise ScannerMisfit if the scanner refuses files of our size; log a warning if it cannot be reached."""
    if scanner is None:
        return
    try:
        await scanner.check(limits.largest)
    except MediaFailed as exc:
        _log.warning("media wait for the scanner: %s", exc.detail)


def _lower_priority() -> None:
    """Lower the priority of this thread below request threads."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _ignore_progress(stage: Stage, share: float | None) -> None:
    """Ignore progress when the caller did not ask for it."""
