"""Driving a connector's flow: each call it yields is made, each reply handed back, until it returns."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from typing import TypeVar

from connectors import Call, Rejected, Reply

T = TypeVar("T")

#: The longest flow of the built-in platforms has two; one that never ends is a mistake.
_MOST_CALLS = 8

#: What reading an answer of another shape than documented raises.
_UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)


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
