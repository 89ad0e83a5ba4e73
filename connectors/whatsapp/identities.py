"""Changes of a consumer's number or user id, and other system messages."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.tools.entries import Unreadable, fingerprint, id_of
from normalizer.events import AnyEvent, Identity, Notice, Party

from .fields import fields, time_of, words
from .people import Change, addresses, is_user_id

#: System messages about the security code: the person and their ids are the same.
_SECURITY_CODE = frozenset({"customer_identity_changed", "user_identity_changed"})
#: "User Ann changed from 15550001111 to 15550009999": for user ids, the only place that has the former one.
_CHANGED = re.compile(r"changed from (\S+) to (\S+?)\.?\s*$")


def system_event(raw: Mapping[str, Any], change: Change) -> AnyEvent:
    """A change of address, or a notice.

    The sender is the person under their former ids, `system` has the new ones. Either may lack the number, the user
    id, or both.
    """
    system = raw["system"]
    if not isinstance(system, dict):
        raise Unreadable("the system message has no content")
    text, kind = words(system.get("body")), words(system.get("type")) or "system"
    common: dict[str, Any] = {
        "id": f"system:{id_of(raw['id'])}",
        "account": change.account,
        "sent_at": time_of(raw),
        "text": text,
    }
    sender = change.find_party(raw.get("from"), raw.get("from_user_id"))
    before = _ids_of(sender)
    after = addresses(*(system.get(name) for name in ("wa_id", "new_wa_id", "user_id")))
    if kind not in _SECURITY_CODE:
        was, now = _in_words(text, before, after)
        further = (system.get(name) for name in ("customer", "previous_user_id"))
        before = addresses(*before, *further, was)
        after = addresses(*after, now)
        changed = _identity(before, after, sender.name if sender else None)
        if changed is not None:
            party, former = changed
            return Identity(party=party, former=former, **common)
    party = sender or change.party(*after)
    return Notice(kind=kind, details=system, party=party, **common)


def user_id_update(raw: Any, change: Change) -> AnyEvent:
    """The new user id of a consumer whose number changed, perhaps announced by a system message, too."""
    ids = fields(raw["user_id"])
    number = raw.get("wa_id")
    known = change.find_party(number, ids.get("current"))
    changed = _identity(
        addresses(ids.get("previous")),
        addresses(number, ids.get("current")),
        known.name if known else None,
    )
    if changed is None:
        raise Unreadable("the update has no former or no new user id")
    party, former = changed
    return Identity(
        id=f"user_id_update:{fingerprint(raw)}",
        account=change.account,
        party=party,
        former=former,
        text=words(raw.get("detail")),
        sent_at=time_of(raw),
    )


def _identity(
    before: tuple[str, ...], after: tuple[str, ...], name: str | None
) -> tuple[Party, tuple[str, ...]] | None:
    """The person under their ids of now, and the ids that are no longer theirs. None if nothing has changed.

    A new number replaces the former number, and a new user id the former user id. A kind of id without a new one
    remains: Meta announces the change of the user id separately.
    """
    new_kinds = {is_user_id(id) for id in after}
    remaining = (id for id in before if is_user_id(id) not in new_kinds)
    now = addresses(*after, *remaining)
    former = tuple(id for id in before if id not in now)
    return (Party(now[0], name, now[1:]), former) if after and former else None


def _in_words(
    text: str | None, before: tuple[str, ...], after: tuple[str, ...]
) -> tuple[str | None, str | None]:
    """The former and the new id that the words name, as far as the data does not contradict them."""
    found = _CHANGED.search(text or "")
    if found is None:
        return None, None
    (was,), (now,) = addresses(found[1]), addresses(found[2])
    same_kind = [id for id in after if is_user_id(id) == is_user_id(now)]
    is_ours = now in same_kind or not same_kind
    return (
        (was, now)
        if is_ours and _is_id(was) and _is_id(now) and now not in before
        else (None, None)
    )


def _is_id(text: str) -> bool:
    return text.isdecimal() or is_user_id(text)


def _ids_of(party: Party | None) -> tuple[str, ...]:
    return (party.id, *party.aliases) if party else ()
