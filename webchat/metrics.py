"""Counters for operators, in the text format of Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """The metrics of one web channel, in a registry of its own: several may run in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._delivered = self._counter("events_delivered", "Events that the gateway took")
        self._refused = self._counter("lanes_stopped", "Lanes whose delivery was refused for good")
        self._given_up = self._counter("events_given_up", "Events given up after 7 days")
        self.uploaded = self._counter("uploaded_bytes", "Bytes of uploads written to disk")
        self.streams = self._gauge("streams", "Streams and long polls that are open")
        self.waiting = self._gauge("outbox_events", "Events that the gateway has not taken yet")
        self.waiting_seconds = self._gauge("outbox_age_seconds", "Age of the oldest such event")
        self.upload_bytes = self._gauge("upload_bytes", "Bytes reserved for uploads on disk")

    def delivered(self, events: int) -> None:
        self._delivered.inc(events)

    def refused(self) -> None:
        self._refused.inc()

    def given_up(self, events: int) -> None:
        self._given_up.inc(events)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"webchat_{name}", text, registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"webchat_{name}", text, registry=self._registry)
