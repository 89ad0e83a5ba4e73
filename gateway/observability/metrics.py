"""What Prometheus may ask: counted where it happens, named here so that operators find it in one place."""

from prometheus_client import Counter, Gauge, Histogram

#: Seconds. What people notice, and what an operator calls late.
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

DELIVERIES = Counter(
    "airlock_deliveries_total",
    "Requests on webhooks: accepted, unproven, unproven_taken (signature: report), too_large, unavailable",
    ["connector", "outcome"],
)
JOURNAL_COMMITS = Counter(
    "airlock_journal_commits_total", "Group commits of the journal, each with one fsync"
)
EVENTS = Counter(
    "airlock_events_posted_total",
    "Events posted to the core: taken, again (to be repeated), gone",
    ["verdict"],
)
ATTACHMENTS = Counter(
    "airlock_attachments_total", "Attachments by how they ended", ["connector", "state", "reason"]
)
DELIVERED = Histogram(
    "airlock_message_seconds",
    "From a message's webhook until the core took it",
    ["connector"],
    buckets=_BOUNDS,
)
READY = Histogram(
    "airlock_ready_seconds",
    "From a message's webhook until its photo or video was ready",
    ["kind"],
    buckets=_BOUNDS,
)
TEXTS = Gauge("airlock_texts_waiting", "Parts of agents' texts that have yet to be sent")
HEALTHY = Gauge(
    "airlock_connector_healthy",
    "Whether the platform knew us when it was last asked",
    ["connector"],
)
BACKLOG = Gauge("airlock_lanes_waiting", "Conversations that have events for the core")
PENDING = Gauge(
    "airlock_attachments_pending", "Attachments that are not ready, rejected or failed yet"
)
QUARANTINE = Gauge(
    "airlock_quarantine_bytes", "MediaSource kept until they can be scanned and made safe"
)
