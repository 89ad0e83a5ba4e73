"""What Prometheus may ask: counted where it happens, named here so that operators find it in one place."""

from prometheus_client import Counter, Gauge

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
BACKLOG = Gauge("airlock_lanes_waiting", "Conversations that have events for the core")
PENDING = Gauge(
    "airlock_attachments_pending", "Attachments that are not ready, rejected or failed yet"
)
QUARANTINE = Gauge(
    "airlock_quarantine_bytes", "Originals kept until they can be scanned and made safe"
)
