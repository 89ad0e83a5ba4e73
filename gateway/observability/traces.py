"""Exports spans to OpenTelemetry with OTLP over HTTP. Imported only if `traces.url` is set: an extra installs it.

The span of a message lasts from its webhook until the core has it. Below it are the spans of what happened on the way.
"""

from importlib.metadata import version

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from .spans import Span

_NS_PER_MS = 1_000_000


class _Ids(RandomIdGenerator):
    """Gives the next span the ids that it must have."""

    def __init__(self) -> None:
        self.trace = self.span = ""

    def generate_trace_id(self) -> int:
        return int(self.trace, 16) if self.trace else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return int(self.span, 16) if self.span else super().generate_span_id()


class Traces:
    """Exports spans, in a thread of the SDK. A collector that is away costs spans and nothing else."""

    def __init__(self, url: str, exporter: SpanExporter | None = None) -> None:
        self._ids = _Ids()
        resource = Resource.create(
            {"service.name": "airlock", "service.version": version("airlock-messaging")}
        )
        self._provider = TracerProvider(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        exporter = exporter or OTLPSpanExporter(endpoint=url, timeout=5)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("airlock")

    def add(self, span: Span) -> None:
        self._ids.trace, self._ids.span = span.trace, span.id
        context = Context()
        if span.parent:
            flags = TraceFlags(TraceFlags.SAMPLED)
            above = SpanContext(
                int(span.trace, 16), int(span.parent, 16), is_remote=False, trace_flags=flags
            )
            context = set_span_in_context(NonRecordingSpan(above), context)
        made = self._tracer.start_span(
            span.name,
            context,
            SpanKind.CLIENT if span.is_call else SpanKind.SERVER,
            span.attributes,
            start_time=span.start * _NS_PER_MS,
        )
        if span.error:
            made.set_status(Status(StatusCode.ERROR, span.error))
        made.end(span.end * _NS_PER_MS)

    def close(self) -> None:
        """Export what is left; this may take seconds."""
        self._provider.shutdown()
