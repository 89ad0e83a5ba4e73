"""Downloads: streams files from allowed hosts into a descriptor, within limits of size, time and concurrency."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import structlog

from connectors import Connector, Download
from gateway.backoff import retry_after
from normalizer.media import MediaFailed

from .body import plain_chunks, read_reply
from .circuit_breaker import Attempt
from .deadlines import Budget, Deadlines
from .errors import Blocked, Unreachable
from .file_writer import FileWriter
from .host_limits import HostLimits
from .redirects import Gate, RedirectFollower
from .refusals import Refusals, log_refusal
from .verification import Fetched, announced_size, declared_type, refuse_above, verify_claims

log = structlog.get_logger(__name__)


class Downloads:
    """Makes one attempt for each download; `threads` decrypt, hash and write."""

    def __init__(
        self,
        redirects: RedirectFollower,
        hosts: HostLimits,
        deadlines: Deadlines,
        *,
        clock: Callable[[], datetime],
        threads: Executor,
        transport: httpx.AsyncBaseTransport,
        refusals: Refusals,
    ) -> None:
        self._refusals = refusals
        self._redirects = redirects
        self._host_limits = hosts
        self._deadlines = deadlines
        self._clock = clock
        self._threads = threads
        self._transport = transport

    async def download(
        self,
        connector: Connector[Any],
        download: Download,
        into: int,
        limit: int,
        arriving: Callable[[str], None] | None = None,
    ) -> Fetched:
        """Download a file; see `Fetcher.download`."""
        refuse_above(limit, download.size)
        writer = FileWriter(into, download.decrypt, limit=limit, threads=self._threads)
        gate = self._gate(Budget(self._deadlines.download), arriving)
        try:
            async with self._redirects.open(
                connector, download.call, self._transport, gate
            ) as response:
                await self._write_body(connector, download, response, writer, limit)
        except Blocked as exc:
            log.warning("blocked_host", platform=connector.name, detail=str(exc))
            raise MediaFailed("blocked_host", str(exc)) from exc
        size, digest = writer.result()
        verify_claims(download, size, digest)
        log.info("downloaded", platform=connector.name, host=response.url.host, bytes=size)
        return Fetched(size, digest.hex(), declared_type(response, download))

    async def _write_body(
        self,
        connector: Connector[Any],
        download: Download,
        response: httpx.Response,
        writer: FileWriter,
        limit: int,
    ) -> None:
        if response.status_code >= 300:
            reply = await read_reply(response, "download", self._deadlines)
            refusal = self._refusals.masked(connector, connector.refusal(reply), download.call)
            log_refusal(connector, "download", refusal)
            raise refusal
        if response.status_code != 200:
            raise Unreachable(f"HTTP {response.status_code} instead of a file", sent=True)
        refuse_above(limit, announced_size(response))
        async with aclosing(plain_chunks(response, self._deadlines)) as chunks:
            async for chunk in chunks:
                await writer.write(chunk)
        await writer.finish()

    def _gate(self, budget: Budget, arriving: Callable[[str], None] | None) -> Gate:
        @asynccontextmanager
        async def gate(name: str) -> AsyncIterator[Callable[[httpx.Response], None]]:
            if arriving is not None:
                arriving(name)
            async with self._host_limits.turn(name) as attempt:
                try:
                    async with budget.running():
                        yield lambda response: self._record_outcome(attempt, response)
                except Unreachable:
                    attempt.failed()
                    raise

        return gate

    def _record_outcome(self, attempt: Attempt, response: httpx.Response) -> None:
        """Record whether the host works. A file that is gone or forbidden does not count against its host."""
        if response.status_code in {408, 429} or response.status_code >= 500:
            attempt.failed(retry_after(response.headers.get("retry-after", ""), self._clock()))
        else:
            attempt.worked()
