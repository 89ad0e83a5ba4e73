"""Calls: runs the flows of connectors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar

import httpx
import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random

from connectors import Call, Connector, Flow, Purpose, Rejected, Reply
from normalizer.media import MediaFailed

from .body import read_reply
from .deadlines import Deadlines
from .errors import Ambiguous, Blocked, Unreachable
from .redirects import RedirectFollower
from .refusals import Refusals, log_refusal
from .tokens import call_for_token

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: The longest flow of the built-in connectors checks up to 50 accounts, with a call for each. The limit stops a flow
#: that never ends.
_MAX_CALLS = 60

#: Exceptions of a flow that reads a response of an unexpected shape.
_UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class Calls:
    """Makes the calls of flows; `pooled` reuses connections, `unpooled` does not.

    Calls that change something use new connections. If the platform closes a pooled connection just when it is
    reused, that looks exactly like a lost response, and a text that was never sent would count as ambiguous.
    """

    def __init__(
        self,
        redirects: RedirectFollower,
        deadlines: Deadlines,
        *,
        pooled: httpx.AsyncBaseTransport,
        unpooled: httpx.AsyncBaseTransport,
        refusals: Refusals,
    ) -> None:
        self._refusals = refusals
        self._redirects = redirects
        self._deadlines = deadlines
        self._pooled = pooled
        self._unpooled = unpooled

    async def run(
        self,
        connector: Connector[Any],
        flow: Flow[T],
        purpose: Purpose,
        *,
        for_token: bool = False,
    ) -> T:
        """Return the result of a flow; see `Fetcher.run`.

        `for_token` says that the flow obtains a token: its calls then get no headers from `authorize`.
        """
        if not isinstance(flow, Generator):
            return flow
        run = _Run(self, connector, purpose, for_token=for_token)
        try:
            return await drive(flow, run.ask, run.unreadable)
        except Blocked as exc:
            raise _blocked(connector, purpose, str(exc)) from exc
        except Rejected as refusal:
            self._refusals.masked(connector, refusal, run.call, for_token=for_token)
            if not isinstance(refusal, Ambiguous | Unreachable):
                log_refusal(connector, purpose, refusal)
            if run.may_have_sent(refusal):
                raise Ambiguous(refusal.detail) from refusal
            raise

    async def reply(self, connector: Connector[Any], call: Call, purpose: Purpose) -> Reply:
        """Make one call and return its reply, of any status."""
        transport = self._unpooled if _has_effect(call) else self._pooled
        async with self._redirects.open(connector, call, transport, _no_gate) as response:
            return await read_reply(response, purpose, self._deadlines)


class _Run:
    """The state of one running flow."""

    def __init__(
        self, calls: Calls, connector: Connector[Any], purpose: Purpose, *, for_token: bool
    ) -> None:
        self._calls = calls
        self._connector = connector
        self._purpose = purpose
        self._for_token = for_token
        self._has_sent = False
        self._status = 0
        #: The latest call.
        self.call: Call | None = None

    async def ask(self, call: Call) -> Reply:
        if self._for_token:
            call = call_for_token(self._connector, call)
        self.call = call
        reply = await (self._send(call) if _has_effect(call) else self._look_up(call))
        if reply.status >= 300 and reply.status not in call.expects:
            raise self._connector.refusal(reply)
        return reply

    def may_have_sent(self, refusal: Rejected) -> bool:
        """Whether a text may have been sent although its response does not say so.

        After a 502 or 504 of a proxy, or a success that names no message, the outcome of a text is unknown. A 503
        means that the text was not accepted.
        """
        if refusal.explained or isinstance(refusal, Unreachable):
            return False
        if not (self._has_sent and self._purpose == "send"):
            return False
        return self._status < 300 or (self._status >= 500 and self._status != 503)

    def unreadable(self, detail: str) -> Rejected:
        if self._has_sent and self._purpose == "send":
            return Ambiguous(detail)
        return Rejected("unreachable", retry=True, detail=detail)

    async def _send(self, call: Call) -> Reply:
        try:
            reply = await self._calls.reply(self._connector, call, self._purpose)
        except Unreachable as exc:
            if exc.sent and self._purpose == "send":
                raise Ambiguous(exc.detail) from exc
            raise
        self._has_sent, self._status = True, reply.status
        return reply

    async def _look_up(self, call: Call) -> Reply:
        """Make a GET call, and try once more if no connection could be made."""
        tries = AsyncRetrying(
            stop=stop_after_attempt(2),
            wait=wait_random(0.05, 0.25),
            retry=retry_if_exception(_was_not_sent),
            reraise=True,
        )
        return await tries(self._calls.reply, self._connector, call, self._purpose)


def _has_effect(call: Call) -> bool:
    return call.method != "GET"


def _was_not_sent(exc: BaseException) -> bool:
    return isinstance(exc, Unreachable) and not exc.sent


def _blocked(connector: Connector[Any], purpose: Purpose, detail: str) -> Exception:
    """Return MediaFailed for look-ups and downloads of files, `Rejected` for other calls."""
    log.warning("blocked_host", platform=connector.name, detail=detail)
    if purpose in {"lookup", "download"}:
        return MediaFailed("blocked_host", detail)
    return Rejected("blocked_host", detail=detail, operator=True)


@asynccontextmanager
async def _no_gate(name: str) -> AsyncIterator[Callable[[httpx.Response], None]]:
    """Limit nothing: replies are few and small, and callers handle their failures."""
    del name

    def observe(response: httpx.Response) -> None:
        del response

    yield observe


async def drive(
    flow: Generator[Call, Reply, T],
    ask: Callable[[Call], Awaitable[Reply]],
    unreadable: Callable[[str], Rejected],
) -> T:
    """Return the result of a flow. `unreadable` makes the error for a reply that the flow cannot read."""
    with closing(flow):
        try:
            call = next(flow)
            for _ in range(_MAX_CALLS):
                call = _resume(flow, await ask(call), unreadable)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # a StopIteration's value is untyped
    raise Rejected("unreachable", detail=f"the flow makes more than {_MAX_CALLS} calls")


def _resume(
    flow: Generator[Call, Reply, T], reply: Reply, unreadable: Callable[[str], Rejected]
) -> Call:
    try:
        return flow.send(reply)
    except _UNREADABLE as exc:
        raise unreadable(f"HTTP {reply.status}, but {_describe(exc)}") from exc


def _describe(exc: Exception) -> str:
    """Describe an error by field names only: values of a response may be tokens and signed URLs."""
    match exc:
        case KeyError(args=(str(name),)) if name.isidentifier():
            return f"the response lacks {name!r}"
        case _:
            return f"the response has an unexpected shape ({type(exc).__name__})"
