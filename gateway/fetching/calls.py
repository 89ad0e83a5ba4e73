"""Making the calls of a connector's flow."""

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

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: The longest flow of the built-in platforms has two; one that never ends is a mistake.
_MOST_CALLS = 8

#: What reading an answer of another shape than documented raises.
_UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class Calls:
    """`kept` reuses connections; `fresh` does not.

    Calls that change something go over fresh connections: one that the platform closes just as it is used
    again looks exactly like a lost answer, and would make a text ambiguous that was never sent.
    """

    def __init__(
        self,
        redirects: RedirectFollower,
        deadlines: Deadlines,
        *,
        kept: httpx.AsyncBaseTransport,
        fresh: httpx.AsyncBaseTransport,
    ) -> None:
        self._redirects = redirects
        self._deadlines = deadlines
        self._kept = kept
        self._fresh = fresh

    async def run(self, connector: Connector[Any], flow: Flow[T], purpose: Purpose) -> T:
        """What the flow returns; see `Fetcher.run`."""
        if not isinstance(flow, Generator):
            return flow
        run = _Run(self, connector, purpose)
        try:
            return await drive(flow, run.ask, run.unreadable)
        except Blocked as blocked:
            raise _refused(connector, purpose, str(blocked)) from blocked
        except Rejected as refusal:
            if run.leaves_open(refusal):
                raise Ambiguous(refusal.detail) from refusal
            raise

    async def reply(self, connector: Connector[Any], call: Call, purpose: Purpose) -> Reply:
        """One call and its reply, whatever its status."""
        transport = self._fresh if _changes(call) else self._kept
        async with self._redirects.answer(connector, call, transport, _open) as response:
            return await read_reply(response, purpose, self._deadlines)


class _Run:
    """One flow under way."""

    def __init__(self, calls: Calls, connector: Connector[Any], purpose: Purpose) -> None:
        self._calls = calls
        self._connector = connector
        self._purpose = purpose
        self._has_changed = False
        self._status = 0

    async def ask(self, call: Call) -> Reply:
        reply = await (self._send(call) if _changes(call) else self._look_up(call))
        if reply.status >= 300 and reply.status not in call.expects:
            raise self._connector.refusal(reply)
        return reply

    def leaves_open(self, refusal: Rejected) -> bool:
        """Whether a call may have worked although it was not answered as if it had.

        A proxy's 502 or 504, or a success that names no message, says nothing about what became of a text. 503
        says that nothing was taken.
        """
        if refusal.explained or isinstance(refusal, Unreachable):
            return False
        if not (self._has_changed and self._purpose == "send"):
            return False
        return self._status < 300 or (self._status >= 500 and self._status != 503)

    def unreadable(self, detail: str) -> Rejected:
        if self._has_changed and self._purpose == "send":
            return Ambiguous(detail)
        return Rejected("unreachable", retry=True, detail=detail)

    async def _send(self, call: Call) -> Reply:
        try:
            reply = await self._calls.reply(self._connector, call, self._purpose)
        except Unreachable as trouble:
            if trouble.sent and self._purpose == "send":
                raise Ambiguous(trouble.detail) from trouble
            raise
        self._has_changed, self._status = True, reply.status
        return reply

    async def _look_up(self, call: Call) -> Reply:
        """A GET, and a second try where not even a connection came about."""
        tries = AsyncRetrying(
            stop=stop_after_attempt(2),
            wait=wait_random(0.05, 0.25),
            retry=retry_if_exception(_never_left),
            reraise=True,
        )
        return await tries(self._calls.reply, self._connector, call, self._purpose)


def _changes(call: Call) -> bool:
    return call.method != "GET"


def _never_left(trouble: BaseException) -> bool:
    return isinstance(trouble, Unreachable) and not trouble.sent


def _refused(connector: Connector[Any], purpose: Purpose, detail: str) -> Exception:
    """In the words of media where a file was looked for, in those of calls otherwise."""
    log.warning("blocked_host", connector=connector.name, detail=detail)
    if purpose in {"lookup", "download"}:
        return MediaFailed("blocked_host", detail)
    return Rejected("blocked_host", detail=detail, operator=True)


@asynccontextmanager
async def _open(name: str) -> AsyncIterator[Callable[[httpx.Response], None]]:
    """No gate: the answers of calls are few and small, and their troubles are the callers' to count."""
    del name

    def heard(response: httpx.Response) -> None:
        del response

    yield heard


async def drive(
    flow: Generator[Call, Reply, T],
    ask: Callable[[Call], Awaitable[Reply]],
    unreadable: Callable[[str], Rejected],
) -> T:
    """What the flow returns. `unreadable` makes the error for a reply the flow could not read."""
    with closing(flow):
        try:
            call = next(flow)
            for _ in range(_MOST_CALLS):
                call = _hand_back(flow, await ask(call), unreadable)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # a StopIteration's value is untyped
    raise Rejected("unreachable", detail=f"a flow of more than {_MOST_CALLS} calls")


def _hand_back(
    flow: Generator[Call, Reply, T], reply: Reply, unreadable: Callable[[str], Rejected]
) -> Call:
    try:
        return flow.send(reply)
    except _UNREADABLE as trouble:
        raise unreadable(f"HTTP {reply.status}, but {_why(trouble)}") from trouble


def _why(trouble: Exception) -> str:
    """Field names, and no values: an answer may hold tokens and signed addresses."""
    match trouble:
        case KeyError(args=(str(name),)) if name.isidentifier():
            return f"the answer lacks {name!r}"
        case _:
            return f"the answer has another shape ({type(trouble).__name__})"
