"""Creates the gateway's components and connects them to each other."""

import base64
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner

from .delivery.core_client import CoreClient
from .delivery.event_spans import EventSpans
from .delivery.lanes import Lanes
from .delivery.shared_lanes import SharedLanes
from .fetching import Fetcher
from .http.access_log import write_access
from .http.api import Api
from .http.built_in import BuiltIn, workspace_app
from .http.consumer_links import ConsumerLinkApi
from .http.export import Exporter
from .http.gauges import gauges
from .http.health import probes
from .http.installation import Installation
from .http.media import MediaEndpoint
from .http.people import PeopleApi
from .http.routes import application
from .http.tokens import ApiTokens
from .inbound.capacity import CapacityGate
from .inbound.parse_worker import ParseWorker
from .inbound.webhooks import Webhooks
from .intake_priority import IntakePriority
from .journal import Journal, private_folder
from .media.consumer_links import ConsumerLinks
from .media.quarantine import Quarantine
from .media.signed_links import Links
from .media.source import MediaSource, emptied
from .media.storage.filesystem import FileStore
from .media.storage.interface import Store
from .media.worker import MediaWorker
from .observability.loop_lag import LoopLag
from .observability.redaction import Mask
from .observability.spans import AddSpan
from .replies.accept import Replies
from .replies.send_worker import SendWorker
from .settings import Address, LiveConnectors, Settings
from .settings.media_store import bucket_of
from .upkeep.compaction import Compactor
from .upkeep.connector_health import ConnectorHealth
from .upkeep.consumer_names import ConsumerNames
from .upkeep.erasures import Erasures
from .upkeep.failures import Failures
from .upkeep.message_log import log_recorded
from .upkeep.platform_reports import PlatformReports, informed
from .upkeep.reconciler import Reconciler
from .upkeep.reload import LiveEnds, LiveParts, Reloader, retention, source_limits
from .upkeep.retention import RetentionWorker
from .upkeep.tracing import open_spans

#: POSTs to the core in flight, each on its own persistent connection.
_CORE_CONNECTIONS = 32
#: Whose owner expires old data for all nodes.
_LEADING_SHARD = 0
#: Seconds after which a node that has lost its shards cannot write a file any more.
_DELETED_AGAIN_AFTER = 10.0
#: Seconds between two looks for what another node recorded, if its announcement was lost.
_LOOK_EVERY, _LOOK_SELDOM_EVERY = 1.0, 5.0
#: The same for batches: with fewer in flight, each holds more events.
_BATCH_CONNECTIONS = 8
#: Files being fetched at the same time, and files that are fetched and being made safe, or wait for a sandbox.
_PARALLEL_MEDIA = 128


@dataclass(frozen=True, slots=True)
class Components:
    """The components that the service starts and stops."""

    application: web.Application
    sanitizer: Sanitizer
    lanes: Lanes
    reloader: Reloader
    #: Background tasks by name, in the order in which they start.
    background: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the components are made of."""

    installation: Installation
    connectors: LiveConnectors
    journal: Journal
    fetcher: Fetcher
    core: CoreClient
    sanitizer: Sanitizer
    #: Bearer tokens of the API; that of the built-in workspace too.
    tokens: ApiTokens
    workspace: BuiltIn
    priority: IntakePriority
    capacity: CapacityGate
    store: Store
    quarantine: Quarantine
    lanes: Lanes
    source: MediaSource
    media: MediaWorker
    spans: AddSpan | None
    texts: SendWorker
    names: ConsumerNames
    reports: PlatformReports
    retention: RetentionWorker
    erasures: Erasures
    health: ConnectorHealth


def connect(installation: Installation, journal: Journal, stack: AsyncExitStack) -> Components:
    """Create every component, and push onto `stack` whatever must be closed."""
    parts = _parts(installation, journal, stack)
    journal.informed = informed(parts.connectors)
    for subscriber in (parts.lanes, parts.media, parts.texts, parts.names, parts.reports):
        journal.subscribe(subscriber.recorded)
    journal.subscribe(log_recorded)
    journal.ownership.workers += [parts.lanes, parts.media, parts.texts]
    journal.ownership.on_gain += [parts.names.look, parts.reports.look]
    app, reloader = _application(parts, stack)
    return Components(app, parts.sanitizer, parts.lanes, reloader, _background(parts))


def _parts(installation: Installation, journal: Journal, stack: AsyncExitStack) -> _Parts:
    settings = installation.settings
    connectors = LiveConnectors(settings.connectors)
    sanitizer = _sanitizer(settings, stack)
    fetcher = _fetcher(settings, stack)
    tokens = ApiTokens(settings.gateway.api_tokens)
    spans = open_spans(settings, stack)
    workspace, core = _core(installation, tokens, spans, stack)
    priority = IntakePriority()
    ownership = journal.ownership
    lanes = _lanes(settings, journal, core, priority)
    capacity = _capacity(installation, connectors, journal, lanes)
    store, quarantine = _storage(installation, journal, capacity)
    source = _media_source(installation, journal, fetcher, quarantine)
    media = MediaWorker(
        journal,
        connectors,
        source,
        sanitizer,
        store,
        keep_photos=settings.media.max_photos_per_conversation,
        parallel=_PARALLEL_MEDIA,
        spans=spans,
    )
    expiry = _expiry(settings, journal, store, quarantine, media)
    return _Parts(
        installation,
        connectors,
        journal,
        fetcher,
        core,
        sanitizer,
        tokens,
        workspace,
        priority,
        capacity,
        store,
        quarantine,
        lanes,
        source,
        media,
        spans,
        SendWorker(journal, connectors, fetcher, public_url=installation.public_url),
        ConsumerNames(journal, connectors, fetcher, owns=ownership.owns_connector),
        PlatformReports(
            journal,
            connectors,
            fetcher,
            ConsumerLinks(journal.key, installation.public_url).seal,
            owns=ownership.owns_connector,
        ),
        expiry,
        Erasures(journal, expiry, workspace.forget),
        ConnectorHealth(connectors, fetcher, journal=journal),
    )


def _application(parts: _Parts, stack: AsyncExitStack) -> tuple[web.Application, Reloader]:
    installation, journal, connectors = parts.installation, parts.journal, parts.connectors
    settings = installation.settings
    links = Links(journal.key, installation.public_url)
    consumers = ConsumerLinks(journal.key, installation.public_url)
    webhooks = Webhooks(
        journal, connectors, installation.public_url, parts.capacity, parts.priority
    )
    stack.callback(webhooks.close)
    api = Api(
        journal,
        links,
        connectors,
        link_seconds=round(settings.media.link_lifetime),
        failures=Failures(journal, connectors, parts.lanes),
        replies=Replies(journal, connectors, parts.fetcher),
        health=parts.health,
        progress=parts.media.progress,
    )
    exporter = Exporter(journal, links, parts.workspace.describe)
    consumer_api = ConsumerLinkApi(
        journal,
        consumers,
        connectors,
        installation.public_url,
        round(settings.media.link_lifetime),
    )
    app = application(
        webhooks,
        api,
        PeopleApi(journal, connectors, parts.erasures, exporter, parts.lanes.flush),
        MediaEndpoint(journal, links, parts.store, consumers),
        consumer_api,
        tokens=parts.tokens,
        probes=probes(journal, parts.capacity, parts.lanes, parts.sanitizer, parts.store),
        refresh_gauges=gauges(
            installation.data, journal, parts.lanes, lambda: parts.sanitizer.scanner
        ),
        public_url=installation.public_url,
        trusted_proxies=settings.gateway.trusted_proxies,
        workspace=parts.workspace.application,
    )
    links_last = (api.set_link_seconds, consumer_api.set_link_seconds)
    return app, _reloader(parts, LiveEnds(webhooks, parts.tokens.replace, links_last, write_access))


def _reloader(parts: _Parts, live: LiveEnds) -> Reloader:
    components = LiveParts(
        parts.connectors,
        parts.journal,
        parts.fetcher,
        parts.core,
        parts.lanes,
        parts.sanitizer,
        parts.source,
        parts.media,
        parts.quarantine,
        parts.retention,
        live,
        configured_scanner,
    )
    return Reloader(parts.installation.settings, components)


def _background(parts: _Parts) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
    """Return the background tasks in the order in which they start."""
    journal, capacity = parts.journal, parts.capacity
    connectors = parts.connectors
    return {
        "journal": journal.watch,
        "loop lag": LoopLag().run,
        "lanes": parts.lanes.run,
        "media worker": parts.media.run,
        "parse worker": ParseWorker(
            journal, connectors, parts.priority, capacity.parsed, parts.spans
        ).run,
        "capacity": capacity.watch,
        "retention": parts.retention.run,
        "erasures": parts.erasures.run,
        "reconciler": Reconciler([parts.lanes.pick_up, parts.media.pick_up]).run,
        **_among_nodes(parts),
        "compactor": Compactor(journal, capacity.is_short_of_room).run,
        "send worker": parts.texts.run,
        "connector health": parts.health.run,
        "consumer names": parts.names.run,
        "platform reports": parts.reports.run,
    }


def _among_nodes(parts: _Parts) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
    """Return what only a node that shares the journal has to do."""
    if not isinstance(parts.lanes, SharedLanes):
        return {}
    often, seldom = parts.lanes.look_for_news, (parts.media.pick_up, parts.texts.pick_up)
    return {
        "news of lanes": Reconciler([often], _LOOK_EVERY).run,
        "news of files and texts": Reconciler(seldom, _LOOK_SELDOM_EVERY).run,
    }


def _lanes(
    settings: Settings, journal: Journal, core: CoreClient, priority: IntakePriority
) -> Lanes:
    kind = SharedLanes if journal.ownership.shared else Lanes
    return kind(
        journal,
        core,
        workers=_CORE_CONNECTIONS if settings.core.batch == 1 else _BATCH_CONNECTIONS,
        priority=priority,
        batch=settings.core.batch,
    )


def _expiry(
    settings: Settings,
    journal: Journal,
    store: Store,
    quarantine: Quarantine,
    media: MediaWorker,
) -> RetentionWorker:
    ownership = journal.ownership
    return RetentionWorker(
        journal,
        store,
        quarantine,
        retention(settings),
        media.is_in_progress,
        leads=lambda: ownership.owns(_LEADING_SHARD),
        again_after=_DELETED_AGAIN_AFTER if ownership.shared else 0.0,
    )


def _capacity(
    installation: Installation, connectors: LiveConnectors, journal: Journal, lanes: Lanes
) -> CapacityGate:
    # What waits to be parsed in a database is not on this disk, and another node may parse what this one accepted.
    shared = journal.ownership.shared
    return CapacityGate(
        installation.data,
        backlog=lambda: lanes.waiting,
        unread=lambda: 0 if shared else journal.unread_bytes,
        to_come=journal.bytes_to_come,
        connectors=() if shared else connectors,
        backlog_of_each=journal.backlog_of_connectors,
    )


def _storage(
    installation: Installation, journal: Journal, capacity: CapacityGate
) -> tuple[Store, Quarantine]:
    """Create the store of `gateway.media`, and the quarantine of originals."""
    store: Store
    store = files = FileStore(
        private_folder(installation.data / "media"), capacity.has_no_room_for_media
    )
    shared, bucket = None, bucket_of(installation.settings.gateway.media)
    if bucket is not None:
        from .media.shared_originals import SharedOriginals  # an extra, imported only if it is used
        from .media.storage.opening import open_bucket

        store, opened, keys = open_bucket(bucket, files)
        shared = SharedOriginals(opened, keys, journal.key)
    quarantine = Quarantine(
        private_folder(installation.data / "quarantine"),
        installation.settings.media.quarantine_max_bytes,
        capacity.is_short_of_room,
        shared,
    )
    return store, quarantine


def configured_scanner(settings: Settings) -> Scanner | None:
    """Create the scanner of `media.scanner`; None if none is configured."""
    where = settings.media.scanner
    if where is None:
        return None
    return Scanner(f"tcp://{where}" if isinstance(where, Address) else str(where))


def _sanitizer(settings: Settings, stack: AsyncExitStack) -> Sanitizer:
    media, scanner = settings.media, configured_scanner(settings)
    sanitizer = Sanitizer(media.limits(), isolation=media.isolation, scanner=scanner)
    stack.push_async_callback(sanitizer.close)
    return sanitizer


def _fetcher(settings: Settings, stack: AsyncExitStack) -> Fetcher:
    fetch = settings.fetch
    fetcher = Fetcher(
        allow_private_hosts=fetch.allow_private_hosts,
        extra_hosts=fetch.extra_hosts,
        own_origins=fetch.own_origins,
        redact=Mask(settings.secrets()).text,
    )
    stack.push_async_callback(fetcher.aclose)
    return fetcher


def _media_source(
    installation: Installation, journal: Journal, fetcher: Fetcher, quarantine: Quarantine
) -> MediaSource:
    return MediaSource(
        journal,
        fetcher,
        quarantine,
        scratch=emptied(private_folder(installation.data / "scratch")),
        limits=source_limits(installation.settings),
    )


def _core(
    installation: Installation,
    tokens: ApiTokens,
    spans: AddSpan | None,
    stack: AsyncExitStack,
) -> tuple[BuiltIn, CoreClient]:
    """Create the client of the core that receives the events, and the pages.

    The core is the configured one or the built-in workspace, of which a configured core leaves the operators' pages.
    """
    settings = installation.settings.core
    keys = [secret.get_secret_value() for secret in settings.secrets]
    token = secrets.token_urlsafe(32)
    tokens.add_internal(token)
    url = str(settings.url)
    if settings.url is None:
        keys = keys or ["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()]
        url = f"{installation.url}/workspace/events"
    workspace = BuiltIn(workspace_app(installation, keys, token))
    core = CoreClient(
        url, keys, connections=_CORE_CONNECTIONS, spans=EventSpans(spans) if spans else None
    )
    stack.push_async_callback(core.close)
    return workspace, core
