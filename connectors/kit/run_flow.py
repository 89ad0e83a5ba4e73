"""Running flows as the gateway does: a reply for each call, and `refusal` for unexpected replies."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from connectors.contract import Call, Connector, Purpose, Reply
from connectors.errors import Rejected

#: The gateway stops a flow that makes more calls.
MAX_CALLS = 8

#: Makes the reply to a call. The number is the call's position in the flow, from 0.
Answer = Callable[[Call, int], Reply]
Start = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Driven:
    """The calls that a flow made, and its end: a result or a refusal."""

    calls: tuple[Call, ...]
    result: Any = None
    refused: Rejected | None = None


def drive(connector: Connector[Any], start: Start, purpose: Purpose, answer: Answer) -> Driven:
    """Run a flow to its end. Exceptions other than `Rejected` propagate."""
    calls: list[Call] = []

    def ask(call: Call) -> Reply:
        assert len(calls) < MAX_CALLS, f"the flow makes more than {MAX_CALLS} calls"
        calls.append(call)
        reply = replace(answer(call, len(calls) - 1), purpose=purpose)
        if reply.status >= 300 and reply.status not in call.expects:
            raise connector.refusal(reply)
        return reply

    try:
        result = _run(start(), ask)
    except Rejected as refused:
        return Driven(tuple(calls), refused=refused)
    return Driven(tuple(calls), result)


@contextmanager
def explain_crash(name: str) -> Iterator[None]:
    """Convert an exception that a reply caused into a failure that names the recording and the remedy."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as exc:
        raise AssertionError(
            f"{name}: a reply made the flow raise {exc!r}; match the content you expect, and otherwise raise"
            " self.refusal(reply)"
        ) from exc


def first_call(start: Start) -> Call | None:
    """The first call of a flow, None if it makes none. The flow is then closed, as after a time-out."""
    try:
        flow = start()
        if not isinstance(flow, Generator):
            return None
        with closing(flow):
            call: Call = next(flow)
            return call
    except (Rejected, StopIteration):
        return None


def _run(flow: Any, ask: Callable[[Call], Reply]) -> Any:
    if not isinstance(flow, Generator):
        return flow
    with closing(flow):
        try:
            call = next(flow)
            while True:
                call = flow.send(ask(call))
        except StopIteration as end:
            return end.value
