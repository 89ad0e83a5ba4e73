"""Media source: opens an original from quarantine, or fetches it from its platform."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors import Connector, MediaRef
from gateway.fault_points import fault_point
from gateway.fetching import Fetcher
from gateway.journal import AttachmentRow, Journal
from gateway.observability.metrics import FETCHED
from gateway.settings.shown_kinds import shown_kinds
from normalizer.media import MediaKind, MediaRejected

from .quarantine import Quarantine
from .scratch import scratch_file


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was received, readable from its start, and the name that its sender gave it."""

    descriptor: int
    name: str | None


class MediaSource:
    """Fetches originals and keeps them in quarantine until `release`.

    `limits` are the largest numbers of bytes by kind. What a file is shows only once it is fetched, so the largest
    limit of the kinds that its connector shows applies to every download.
    """

    def __init__(
        self,
        journal: Journal,
        fetcher: Fetcher,
        quarantine: Quarantine,
        *,
        scratch: Path,
        limits: Mapping[MediaKind, int],
    ) -> None:
        self._journal = journal
        self._fetcher = fetcher
        self._quarantine = quarantine
        self._scratch = scratch
        self.limits = limits

    def should_fetch(self, connector: Connector[Any], attachment: str) -> bool:
        """Whether the original is not in quarantine yet and would find room there."""
        stored = attachment in self._quarantine.attachments
        return not stored and self._quarantine.has_room(self._limit(connector))

    def first_host(self, connector: Connector[Any], media: Mapping[str, Any]) -> str:
        """Return the host that fetching a file contacts first; "" if the connector does not say."""
        return self._fetcher.first_host(lambda: connector.media(MediaRef(**media)))

    @asynccontextmanager
    async def original(
        self,
        connector: Connector[Any],
        row: AttachmentRow,
        arriving: Callable[[str], None] | None = None,
        *,
        is_first: bool = False,
    ) -> AsyncIterator[Original]:
        """Open the original of an attachment. `is_first` says that nobody can have fetched it before.

        `arriving` is called with each host to which the download leads, before it is contacted; what it raises ends
        the download. Raises what fetching raises: `connectors.Rejected`, MediaFailed or MediaRejected.
        """
        stored = await self._quarantine.open(row.id, elsewhere=not is_first)
        if stored is not None:
            try:
                yield Original(stored, row.view["name"])
            finally:
                os.close(stored)
            return
        with scratch_file(self._scratch) as descriptor:
            yield Original(descriptor, await self._fetch(connector, row, descriptor, arriving))

    async def secure(self, attachment: str) -> None:
        """Make the stored original of an attachment that is retried later survive a power cut, and this node."""
        await self._quarantine.secure(attachment)

    async def release(self, attachment: str, *, is_ended: bool = True) -> None:
        """Remove the stored original of an attachment; from this node alone unless it `is_ended`."""
        await self._quarantine.remove(attachment, everywhere=is_ended)

    async def _fetch(
        self,
        connector: Connector[Any],
        row: AttachmentRow,
        descriptor: int,
        arriving: Callable[[str], None] | None,
    ) -> str | None:
        ref, limit = MediaRef(**row.media), self._limit(connector)
        fault_point("before-fetch")
        download = await self._fetcher.run(connector, connector.media(ref), "lookup")
        fetched = await self._fetcher.download(connector, download, descriptor, limit, arriving)
        fault_point("after-fetch")
        FETCHED.labels(row.connector).inc(fetched.size)
        if download.name and not ref.name:
            # Only the look-up revealed the name, and a retry may use the stored original without another look-up.
            await self._journal.name_attachment(row.message, row.position, download.name)
        await self._quarantine.keep(row.id, descriptor, fetched.sha256)
        fault_point("after-keep")
        return ref.name or download.name

    def _limit(self, connector: Connector[Any]) -> int:
        kinds = shown_kinds(connector.config)
        if not kinds:
            raise MediaRejected("disabled", "the connector's settings turn every kind of file off")
        return max(self.limits[kind] for kind in kinds)


def emptied(path: Path) -> Path:
    """Remove scratch files left by a crash on file systems that do not support unnamed temporary files."""
    for file in path.iterdir():
        file.unlink()
    return path
