"""Turns tracing on, if `traces.url` says where to."""

import asyncio
from contextlib import AsyncExitStack

from gateway.events.trace_context import CONTEXT
from gateway.observability.spans import AddSpan, Span
from gateway.settings import Settings


def open_spans(settings: Settings, stack: AsyncExitStack) -> AddSpan | None:
    """Return what takes the spans; None if nothing is traced. What must be closed is pushed onto `stack`."""
    traces = settings.traces
    CONTEXT.sample = traces.sample if traces.url else None
    if traces.url is None:
        return None
    from gateway.observability.traces import Traces  # only if it is used: an extra installs it

    exported = Traces(traces.url)
    stack.push_async_callback(asyncio.to_thread, exported.close)

    def add(span: Span) -> None:
        if CONTEXT.is_sampled(span.trace):
            exported.add(span)

    return add
