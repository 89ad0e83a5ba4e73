"""Running flows step by step: the calls that a flow makes, and its result for given replies."""

from collections.abc import Generator
from typing import Any

import pytest

from connectors import Call, Purpose, Rejected, Reply


def ok(content: Any = None, status: int = 200, purpose: Purpose = "lookup") -> Reply:
    return Reply(status, {}, content, purpose=purpose)


def drive(flow: Any, *replies: Reply) -> tuple[list[Call], Any]:
    """The calls that were made and the value returned. Fails unless the flow makes exactly one call per reply."""
    if not isinstance(flow, Generator):
        assert not replies
        return [], flow
    calls = [next(flow)]
    for reply in replies:
        try:
            calls.append(flow.send(reply))
        except StopIteration as end:
            assert len(calls) == len(replies)
            return calls, end.value
    pytest.fail(f"the flow makes more than {len(replies)} calls")


def refused(flow: Any, *replies: Reply) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        drive(flow, *replies)
    return refusal.value
