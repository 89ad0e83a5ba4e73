"""Ready-made behaviours of a conversation core: which events it refuses, and how."""

import itertools
import time
from collections.abc import Callable
from typing import Any

#: Decides the status of each event: one other than 2xx refuses the event, 0 cuts the connection.
Judge = Callable[[dict[str, Any]], int]

CUT = 0


def accepts(event: dict[str, Any]) -> int:
    del event
    return 204


def always(status: int) -> Judge:
    return lambda _event: status


def refuses_first(times: int, status: int = 503) -> Judge:
    """Refuse the first `times` attempts, of any event."""
    attempts = itertools.count(1)
    return lambda event: status if next(attempts) <= times else accepts(event)


def refuses_every(nth: int, status: int = 503) -> Judge:
    attempts = itertools.count(1)
    return lambda event: status if next(attempts) % nth == 0 else accepts(event)


def refuses_for(seconds: float, status: int = 503) -> Judge:
    """Refuse everything for `seconds`, from the first attempt on."""
    end: list[float] = []

    def judge(event: dict[str, Any]) -> int:
        if not end:
            end.append(time.monotonic() + seconds)
        return status if time.monotonic() < end[0] else accepts(event)

    return judge


def refuses_conversation(conversation: str, status: int = 503) -> Judge:
    """Refuse every event of one conversation, and accept those of the others."""
    return lambda event: status if event.get("subject") == conversation else accepts(event)
