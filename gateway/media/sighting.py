"""Sightings: what the bytes of an original are, and what follows for its attachment."""

import asyncio
import os
from dataclasses import dataclass, replace

from connectors import ConnectorConfig
from gateway.events.attachments import Source
from gateway.journal import Outcome
from gateway.settings.shown_kinds import SWITCHES, shown_kinds
from normalizer.events import Kind
from normalizer.file_type import (
    ORIGINAL_ENDINGS,
    UNSUPPORTED,
    Recognised,
    kind_after,
    recognise,
)
from normalizer.media import Clean, MediaRejected


@dataclass(frozen=True, slots=True)
class Sighting:
    """The content of an original, and its size in bytes."""

    content: Recognised
    size: int

    def refuse_unsupported(self, *, offers_originals: bool) -> None:
        """Raise MediaRejected for a file that no decoder reads: it does not have to wait for the scanner."""
        is_offered = offers_originals and self.content.media_type in ORIGINAL_ENDINGS
        if self.content.format is None and not is_offered:
            raise MediaRejected("unsupported_type", UNSUPPORTED)

    def completed(self, outcome: Outcome, declared: Kind) -> Outcome:
        """Return an outcome with the kind that follows from the bytes, and with the source."""
        source: Source = {"media_type": self.content.media_type, "bytes": self.size}
        kind = kind_after(declared, outcome.kind or self.content.kind)
        return replace(outcome, kind=kind, source=source)


async def look_at(original: int) -> Sighting:
    """Return what the bytes behind a descriptor are."""
    content = await asyncio.to_thread(recognise, original)
    return Sighting(content, os.fstat(original).st_size)


def refuse_disabled_original(clean: Clean, config: ConnectorConfig) -> None:
    """Raise the refusal of a file of which only the original is there if the connector shows no documents."""
    if clean.refusal is not None and "document" not in shown_kinds(config):
        raise clean.refusal


def refuse_disabled(kind: Kind | None, config: ConnectorConfig) -> None:
    """Raise MediaRejected if the connector's settings turn this kind off."""
    for switched, switch in SWITCHES.items():
        if kind == switched and kind not in shown_kinds(config):
            raise MediaRejected("disabled", f"the connector's setting {switch} is off")
