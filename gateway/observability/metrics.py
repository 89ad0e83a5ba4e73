"""All Prometheus metrics. They are defined here, so that operators find them in one place."""

from prometheus_client import Counter, Gauge, Histogram

#: Seconds: from what people barely notice to what an operator calls late.
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

DELIVERIES = Counter(
    "airlock_deliveries_total",
    "Webhook requests: accepted, unproven, unproven_taken (signature: report), too_large, incomplete, unavailable",
    ["connector", "outcome"],
)
REFUSALS = Counter(
    "airlock_refusals_total",
    "Refused webhook requests: no_proof, unproven, too_large, too_slow, incomplete, no_room, failed, unavailable",
    ["connector", "reason"],
)
JOURNAL_COMMITS = Counter(
    "airlock_journal_commits_total", "Group commits of the journal, each with one fsync"
)
EVENTS = Counter(
    "airlock_events_posted_total",
    "Events posted to the core: taken (accepted), again (to be retried), gone (410)",
    ["verdict"],
)
ATTACHMENTS = Counter(
    "airlock_attachments_total",
    "Attachments by their kind, their final state and its reason",
    ["connector", "kind", "state", "reason"],
)
FETCHED = Counter(
    "airlock_fetched_bytes_total",
    "Bytes of fetched files, whether they are shown or refused",
    ["connector"],
)
DELIVERED = Histogram(
    "airlock_message_seconds",
    "Seconds from a message's webhook to its acceptance by the core",
    ["connector"],
    buckets=_BOUNDS,
)
READY = Histogram(
    "airlock_ready_seconds",
    "Seconds from a message's webhook until its file was ready",
    ["kind"],
    buckets=_BOUNDS,
)
INCOMPLETE = Counter(
    "airlock_incomplete_attachments_total",
    "Attachments that are ready although a part of the file is missing, damaged or beyond a limit",
    ["kind"],
)
SOUND = Counter("airlock_sound_seconds_total", "Seconds of sound that was made safe", ["connector"])
PAGES = Counter("airlock_document_pages_total", "Pages of documents that are shown", ["connector"])
TEXTS = Gauge("airlock_texts_waiting", "Parts of agents' texts that are not sent yet")
HEALTHY = Gauge(
    "airlock_connector_healthy",
    "1 if the platform accepted our credentials at the last check, otherwise 0",
    ["connector"],
)
BACKLOG = Gauge("airlock_lanes_waiting", "Conversations with events waiting for the core")
PENDING = Gauge(
    "airlock_attachments_pending", "Attachments that are neither ready, rejected nor failed yet"
)
QUARANTINE = Gauge(
    "airlock_quarantine_bytes",
    "Bytes of originals that wait until they can be scanned and sanitized",
)
EVENTS_WAITING = Gauge("airlock_events_waiting", "Events that the core has yet to accept")
OLDEST_EVENT = Gauge(
    "airlock_oldest_event_seconds",
    "Age of the oldest event that the core has yet to accept; 0 if none",
)
CORE = Gauge(
    "airlock_core_state",
    "1 for the state of the core: ok, down (events are retried), gone (it answered 410, forwarding has stopped)",
    ["state"],
)
SCANNER = Gauge(
    "airlock_scanner_state",
    "1 for the state of the malware scanner: ok, unavailable (media wait), none (not configured)",
    ["state"],
)
DISK = Gauge("airlock_disk_free_bytes", "Free bytes on the disk of the data folder")
LAST_ACCEPTED = Gauge(
    "airlock_last_delivery_timestamp_seconds",
    "Unix time of the last accepted delivery; 0 if there was none since the start",
    ["connector"],
)
LOOP_LAG = Gauge(
    "airlock_event_loop_lag_seconds",
    "Worst delay of the event loop in the last half minute; deliveries waited as long",
)
SHARDS_OWNED = Gauge("airlock_shards_owned", "Shards of the journal whose work this node does")
TAKEOVERS = Counter(
    "airlock_takeovers_total",
    "Shards that this node took over, because their node was lost or because they were free",
    ["reason"],
)
FENCED = Counter(
    "airlock_fenced_total", "Operations that were refused because another node owned the shard"
)
SESSION_SECONDS_LEFT = Gauge(
    "airlock_lease_seconds_left",
    "Seconds for which this node may rely on its shards without a further answer of the database",
)
ROUND_TRIP = Histogram(
    "airlock_journal_round_trip_seconds",
    "Seconds for one group of works in a session of the database: writer, intake (deliveries), wakes",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
OLDEST_UNREAD = Gauge(
    "airlock_oldest_unread_seconds",
    "For how long the oldest delivery of this node's connectors has waited to be parsed; 0 if there is none",
)
OLDEST_TRANSACTION = Gauge(
    "airlock_database_oldest_transaction_seconds",
    "Age of the oldest transaction in the database; a long one slows down everything that waits in the journal",
)
WAKES = Counter(
    "airlock_wakes_total",
    "Notifications between nodes: sent, received, lost (another way of looking found the work later)",
    ["direction"],
)
RELOADS = Counter(
    "airlock_reloads_total",
    "Times that the settings were read again: applied, unchanged, refused (they contain mistakes)",
    ["outcome"],
)
RELOADED = Gauge(
    "airlock_last_reload_successful",
    "0 if the settings contained mistakes when they were last read again, otherwise 1",
)
BUILD = Gauge("airlock_build_info", "1, with the versions that run", ["version", "python"])
