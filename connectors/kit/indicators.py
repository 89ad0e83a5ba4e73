"""Tests of what the consumer sees of an agent: the typing indicator, and that a message was read."""

from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from connectors.contract import Call

from .replies import content_of
from .run_flow import first_call
from .subject import TEXT, TYPING, Subject
from .trials import leaves, words_in

_STARTING = frozenset({"on", "start", "started", "begin", "true"})
_STOPPING = frozenset({"off", "stop", "stopped", "end", "false"})

_READ = frozenset({"read", "seen", "displayed"})
_TYPING = frozenset({"typing", "composing", "indicator", "action", "activity"})


class IndicatorChecks(Subject):
    """Tests of `send_typing` and `mark_read`."""

    def test_the_typing_indicator_starts_and_stops(self) -> None:
        if self.connector.capabilities.support("send_typing") == "no":
            return
        on, off = (
            first_call(partial(self.connector.send_typing, replace(TYPING, on=one)))
            for one in (True, False)
        )
        assert on is not None and on != off, (  # noqa: PT018 - one rule
            "send_typing makes the same call for starting and stopping; look at out.on"
        )
        starts, stops = (_said_by(call) for call in (on, off))
        assert not (starts - stops) & _STOPPING and not (stops - starts) & _STARTING, (  # noqa: PT018 - one rule
            f"send_typing says {sorted(starts - stops)} when an agent begins to type, and {sorted(stops - starts)} when"
            " the agent stops; exchange them"
        )

    def test_send_typing_does_not_say_read(self) -> None:
        if self.connector.capabilities.support("send_typing") == "no":
            return
        call = first_call(partial(self.connector.send_typing, TYPING))
        said = _said_by(call) | _named_in(call)
        assert not said & _READ or said & _TYPING, (
            f"send_typing reports {min(said & _READ)!r}; report that an agent is typing"
        )

    def test_mark_read_says_read(self) -> None:
        if self.connector.capabilities.support("mark_read") == "no":
            return
        said = _said_by(first_call(partial(self.connector.mark_read, "", TEXT.to, "m")))
        others = sorted(said & {"delivered", "delivery", "typing", "failed"})
        assert not others or said & _READ, (
            f"mark_read reports {others[0]!r}; report that the message was read"
        )


def _said_by(call: Call | None) -> frozenset[str]:
    """The words in the values of a call's content."""
    values = [value for _, value in leaves(content_of(call))]
    return frozenset(
        word for value in values if isinstance(value, str | bool) for word in words_in(str(value))
    )


def _named_in(call: Call | None) -> frozenset[str]:
    """The words in the names of a call's fields, and in its address."""
    if call is None:
        return frozenset()
    names = [part for path, _ in leaves(content_of(call)) for part in path if isinstance(part, str)]
    return words_in(*names, urlsplit(call.url).path)
