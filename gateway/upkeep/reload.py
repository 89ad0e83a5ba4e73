"""Settings that are read again while the gateway runs: what can change does, what cannot is named and stays.

A delivery is verified and parsed by the connector that was in force when it arrived. Texts and files take the one that
is in force when their next attempt begins.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from gateway.delivery.core_client import CoreClient
from gateway.delivery.lanes import Lanes
from gateway.fetching import Fetcher
from gateway.inbound.webhooks import Webhooks
from gateway.journal import Journal
from gateway.media.quarantine import Quarantine
from gateway.media.source import MediaSource
from gateway.media.worker import MediaWorker
from gateway.observability.metrics import RELOADED, RELOADS
from gateway.observability.redaction import Mask
from gateway.settings import Changes, ConfigError, LiveConnectors, Settings, compare
from gateway.settings.api_tokens import ScopedToken
from normalizer.media import MediaKind
from normalizer.sanitizer import Sanitizer, check_scanner
from normalizer.scanner import Scanner, ScannerMisfit

from .platform_reports import informed
from .retention import Retention, RetentionWorker

log = structlog.get_logger(__name__)

_NOT_IN_FORCE = "the settings from before stay in force; correct the file and reload once more"


@dataclass(frozen=True, slots=True)
class LiveEnds:
    """The endpoints that take over changed settings: webhooks, tokens, and how long links work."""

    webhooks: Webhooks
    set_tokens: Callable[[Iterable[ScopedToken]], None]
    set_link_seconds: Sequence[Callable[[int], None]]
    write_access: Callable[..., None]


@dataclass(frozen=True, slots=True)
class LiveParts:
    """The components that take over changed settings."""

    connectors: LiveConnectors
    journal: Journal
    fetcher: Fetcher
    core: CoreClient
    lanes: Lanes
    sanitizer: Sanitizer
    source: MediaSource
    media: MediaWorker
    quarantine: Quarantine
    retention: RetentionWorker
    ends: LiveEnds
    make_scanner: Callable[[Settings], Scanner | None]


class Reloader:
    """Takes over new settings; `settings` are those in force."""

    def __init__(self, settings: Settings, parts: LiveParts) -> None:
        self.settings = settings
        self._parts = parts
        #: Also the secrets of earlier settings: they may still be in somebody's error text.
        self._secrets = settings.secrets()
        RELOADED.set(1)

    async def reload(self, load: Callable[[], Settings]) -> bool:
        """Read the settings with `load`, which may block, and take them over; false if they are not valid."""
        try:
            new = await asyncio.to_thread(load)
            changes = compare(self.settings, new)
            await self._take_over(changes)
        except ConfigError as exc:
            return _refuse([str(mistake) for mistake in exc.mistakes])
        except (OSError, ScannerMisfit) as exc:
            return _refuse([str(exc)])
        except Exception as exc:
            # A mistake in a plugin's code must not end a gateway that runs.
            log.exception("reload_unexpected_error")
            return _refuse([f"{type(exc).__name__}; see the log for details"])
        RELOADS.labels("applied" if changes else "unchanged").inc()
        RELOADED.set(1)
        _log(changes)
        return True

    async def _take_over(self, changes: Changes) -> None:
        new, old = changes.settings, self.settings
        scanner = self._parts.sanitizer.scanner
        if (new.media.limits(), new.media.scanner) != (old.media.limits(), old.media.scanner):
            scanner = self._parts.make_scanner(new)
            # Before anything changes: a scanner that does not scan our largest files is a mistake in the settings.
            await check_scanner(scanner, new.media.limits())
        self._secrets |= new.secrets()
        self.settings = new
        _apply(self._parts, new, scanner, Mask(self._secrets))


def _apply(parts: LiveParts, new: Settings, scanner: Scanner | None, mask: Mask) -> None:
    """Hand each component its settings. Nothing waits in here: no request sees a part of the change."""
    parts.connectors.replace(new.connectors)
    parts.ends.webhooks.connectors_changed()
    parts.fetcher.allow(
        allow_private_hosts=new.fetch.allow_private_hosts,
        extra_hosts=new.fetch.extra_hosts,
        own_origins=new.fetch.own_origins,
        redact=mask.text,
    )
    parts.journal.informed = informed(parts.connectors)
    parts.journal.hold_ms = round(new.core.hold_seconds * 1000)
    parts.ends.write_access(on=new.log.access)
    parts.ends.set_tokens(new.gateway.api_tokens)
    for set_link_seconds in parts.ends.set_link_seconds:
        set_link_seconds(round(new.media.link_lifetime))
    parts.sanitizer.use(new.media.limits(), scanner)
    parts.source.limits = source_limits(new)
    parts.media.keep_photos = new.media.max_photos_per_conversation
    parts.quarantine.limit = new.media.quarantine_max_bytes
    parts.retention.retention = retention(new)
    if new.core.url is not None:
        keys = [secret.get_secret_value() for secret in new.core.secrets]
        if parts.core.point_to(str(new.core.url), keys):
            parts.lanes.resume()  # the 410 of another core says nothing about this one


def retention(settings: Settings) -> Retention:
    return Retention(
        media=settings.media.retention,
        texts=settings.gateway.text_retention,
        duplicates=settings.media.duplicate_window,
        taken=settings.core.replay_window,
    )


def source_limits(settings: Settings) -> dict[MediaKind, int]:
    """Return the largest number of bytes of each kind of file."""
    media = settings.media
    return {
        "photo": media.photo_max_bytes,
        "video": media.video_max_bytes,
        "audio": media.audio_max_bytes,
        "document": media.document_max_bytes,
        "contact": media.document_max_bytes,
    }


def _refuse(mistakes: list[str]) -> bool:
    RELOADS.labels("refused").inc()
    RELOADED.set(0)
    log.error("settings_not_reloaded", mistakes=mistakes, remedy=_NOT_IN_FORCE)
    return False


def _log(changes: Changes) -> None:
    log.info(
        "settings_reloaded",
        changed=list(changes.changed),
        connectors_added=list(changes.added),
        connectors_removed=list(changes.removed),
    )
    for setting in changes.kept:
        log.warning(
            "setting_needs_restart",
            setting=setting,
            remedy=f"{setting} cannot change while Airlock runs and stays as it was; restart Airlock to apply it",
        )
