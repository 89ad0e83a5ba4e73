"""Calls, which the conversation shows as a line. Airlock does not answer them.

https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/reference
"""

from collections.abc import Mapping
from typing import Any

from connectors.tools.entries import id_of
from normalizer.events import AnyEvent, Notice

from .fields import fields, problem_of, time_of, words
from .people import Change, addresses

_STATUSES: Mapping[str, str] = {
    "RINGING": "The call to the consumer is ringing.",
    "ACCEPTED": "The consumer accepted the call.",
    "REJECTED": "The consumer rejected the call.",
}


def call(raw: Any, change: Change) -> AnyEvent:
    """The beginning or the end of a call. If the consumer calls, answers are allowed, even if nobody picks up."""
    event = words(raw.get("event")) or "call"
    is_theirs = _is_theirs(raw, change)
    ids = ("from", "from_user_id") if is_theirs else ("to", "to_user_id")
    return Notice(
        id=f"call:{id_of(raw['id'])}:{event}",
        account=change.account,
        party=change.party(*(raw.get(name) for name in ids)),
        sent_at=time_of(raw),
        kind=f"call.{event}",
        text=_in_words(raw, event, is_theirs=is_theirs),
        details=_without_session(raw),
        opens_window=is_theirs,
    )


def call_status(raw: Any, change: Change) -> AnyEvent:
    """The status of a call that the business makes."""
    status = words(raw["status"]) or "unknown"
    return Notice(
        id=f"call:{id_of(raw['id'])}:status:{status}",
        account=change.account,
        party=change.party(raw.get("recipient_id"), raw.get("recipient_user_id")),
        sent_at=time_of(raw),
        kind=f"call.{status.lower()}",
        text=_STATUSES.get(status, f"Call to the consumer: {status.lower()}."),
        details=raw,
    )


def _is_theirs(raw: Mapping[str, Any], change: Change) -> bool:
    direction = raw.get("direction")
    if direction in {"USER_INITIATED", "BUSINESS_INITIATED"}:
        return bool(direction == "USER_INITIATED")
    return change.number not in addresses(raw.get("from"))


def _in_words(raw: Mapping[str, Any], event: str, *, is_theirs: bool) -> str:
    whose = "call from the consumer" if is_theirs else "call to the consumer"
    if event == "connect":
        return f"A {whose}."
    if event != "terminate":
        return f"A {whose}: {event}."
    seconds = raw.get("duration")
    if str(seconds).isdecimal() and int(str(seconds)):
        minutes, rest = divmod(int(str(seconds)), 60)
        return f"The {whose} ended after {minutes}:{rest:02} minutes."
    _, detail = problem_of(raw)
    # Without a duration nobody talked.
    return f"The {whose} was not answered." + (f" {detail}" if detail else "")


def _without_session(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The session has the keys by which the call is encrypted."""
    return {name: value for name, value in fields(raw).items() if name != "session"}
