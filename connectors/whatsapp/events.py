"""Events from the changes of a WhatsApp delivery: one reader for each array of each webhook field."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.meta import account_notice
from connectors.tools.entries import Unreadable, fingerprint, listed, open_each, read_each
from normalizer.events import AnyEvent, Notice

from .calls import call, call_status
from .coexistence import contact, echo, file_of_history, history
from .fields import time_of, words
from .identities import user_id_update
from .messages import read_messages
from .people import Change, change_of
from .statuses import receipt

#: Returns the events of one entry of an array.
Opener = Callable[[Any, Change], Iterable[AnyEvent]]


def read_change(change: Any, business: Any) -> list[AnyEvent]:
    """The events of one change. `business` is the account if the change names no phone number."""
    field, value = change["field"], change["value"]
    openers = FIELDS.get(field, {}) if isinstance(field, str) else {}
    if not isinstance(value, dict) or all(value.get(array) is None for array in openers):
        return _other(field, value, business)
    shared = change_of(value, business)
    return [
        event
        for array, opener in openers.items()
        for event in _open(opener, shared, listed(value, array))
    ]


def _open(opener: Opener, shared: Change, entries: list[Any]) -> list[AnyEvent]:
    return open_each(lambda raw: opener(raw, shared), entries)


def _other(field: Any, value: Any, business: Any) -> list[AnyEvent]:
    if field == "messages":
        raise Unreadable("the change has none of the known arrays")
    account = change_of(value if isinstance(value, dict) else {}, business).account
    return read_each(lambda raw: account_notice(account, field, raw), [value])


def _each(read: Callable[[Any, Change], AnyEvent]) -> Opener:
    return lambda raw, shared: read_each(lambda one: read(one, shared), [raw])


def _errors(raw: Any, shared: Change) -> AnyEvent:
    return account_notice(shared.account, "errors", raw)


def _preference(raw: Any, shared: Change) -> AnyEvent:
    """The consumer's choice about marketing. It does not concern answers, so it is not an opt-out."""
    return Notice(
        id=f"user_preferences:{fingerprint(raw)}",
        account=shared.account,
        party=shared.party(raw.get("wa_id"), raw.get("user_id")),
        sent_at=time_of(raw),
        kind="user_preferences",
        text=words(raw.get("detail")) or _PREFERENCES.get(raw.get("value")),
        details=raw,
    )


_PREFERENCES: Mapping[Any, str] = {
    "stop": "The consumer does not want marketing messages. Answers are still welcome.",
    "resume": "The consumer wants marketing messages again.",
}

_ECHOES: Mapping[str, Opener] = {"message_echoes": _each(echo)}

FIELDS: Mapping[str, Mapping[str, Opener]] = {
    "messages": {
        "messages": read_messages,
        "statuses": _each(receipt),
        "errors": _each(_errors),
    },
    "calls": {"calls": _each(call), "statuses": _each(call_status), "errors": _each(_errors)},
    "history": {"history": history, "messages": file_of_history},
    "smb_app_state_sync": {"state_sync": _each(contact)},
    "message_echoes": _ECHOES,
    "smb_message_echoes": _ECHOES,
    "user_id_update": {"user_id_update": _each(user_id_update)},
    "user_preferences": {"user_preferences": _each(_preference)},
}
