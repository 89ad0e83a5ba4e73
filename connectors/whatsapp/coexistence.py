"""A number that is also used in the WhatsApp Business app: echoes, old messages, and the app's contacts.

https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connectors.meta import account_notice
from connectors.tools.entries import entries, fingerprint, id_of, listed, open_each, read_each
from normalizer.events import AnyEvent, Echo, Notice

from .content import content, type_of
from .fields import fields, time_of, words
from .messages import Common, edit, read_message, revoke
from .people import Change, addresses


def echo(raw: Any, change: Change) -> AnyEvent:
    """A message that the business sent with the app; also an edit or a deletion of one."""
    return _echo(raw, _common(raw, change, raw.get("to_user_id"), raw.get("to")))


def _common(raw: Mapping[str, Any], change: Change, *consumer: Any) -> Common:
    party = change.party(*consumer)
    return {"account": change.account, "party": party, "sent_at": time_of(raw)}


def _echo(raw: Mapping[str, Any], common: Common, *, history: bool = False) -> AnyEvent:
    if reader := _ECHO_READERS.get(type_of(raw) or ""):
        return reader(raw, common)
    body = content(raw, common["account"])
    id = id_of(raw["id"])
    return Echo(
        id=f"echo:{id}",
        message_id=id,
        text=body.text,
        attachments=body.attachments,
        reply_to=words(fields(raw.get("context")).get("id")),
        extra=body.extra,
        history=history,
        **common,
    )


def _reaction(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    """The business's reaction. A `Reaction` would be the consumer's."""
    reaction = fields(raw.get("reaction"))
    emoji = words(reaction.get("emoji"))
    text = f"The business reacted with {emoji}." if emoji else "The business removed its reaction."
    id = f"echo:{id_of(raw['id'])}"
    return Notice(id=id, kind="echo.reaction", text=text, details=reaction, **common)


_ECHO_READERS: Mapping[str, Callable[[Mapping[str, Any], Common], AnyEvent]] = {
    "edit": edit,
    "reaction": _reaction,
    "revoke": revoke,
}


def history(raw: Any, change: Change) -> list[AnyEvent]:
    """The old messages of one chunk. A chunk without any says why, or how far Meta is."""
    threads = listed(raw, "threads")
    if not threads or raw.get("errors"):
        return read_each(lambda one: account_notice(change.account, "history", one), [raw])
    return open_each(lambda thread: _thread(thread, change), threads)


def _thread(thread: Any, change: Change) -> list[AnyEvent]:
    context = fields(thread.get("context"))
    consumer = addresses(thread["id"], context.get("wa_id"), context.get("user_id"))
    named = {"profile": {"name": context.get("name"), "username": context.get("username")}}
    known = {**dict.fromkeys(consumer, named), **change.contacts}
    shared = replace(change, contacts=known)
    return read_each(lambda raw: _old_message(raw, shared, consumer), entries(thread, "messages"))


def file_of_history(raw: Any, change: Change) -> list[AnyEvent]:
    """An old message with its file, which completes the thread's placeholder with the same id."""
    return read_each(lambda one: _old_message(one, change, ()), [raw])


def _old_message(raw: Any, change: Change, consumer: tuple[str, ...]) -> AnyEvent:
    sender = addresses(raw.get("from"), raw.get("from_user_id"))
    recipient = addresses(raw.get("to"), raw.get("to_user_id"))
    if _is_ours(sender, recipient, consumer, change.number):
        return _echo(raw, _common(raw, change, *consumer, *recipient), history=True)
    common = _common(raw, change, *consumer, *sender)
    if type_of(raw) == "system":
        # An old change of number: the ids of the thread are those of today.
        return _old_notice(raw, common)
    return read_message(raw, common, history=True)


def _is_ours(
    sender: tuple[str, ...],
    recipient: tuple[str, ...],
    consumer: tuple[str, ...],
    number: str | None,
) -> bool:
    """Whether the business sent a message. Meta names the recipient of such messages only."""
    if number is not None and number in sender:
        return True
    if not set(consumer).isdisjoint(sender):
        return False
    if recipient:
        return number not in recipient
    return number is None and bool(consumer)


def _old_notice(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    system = fields(raw.get("system"))
    return Notice(
        id=f"system:{id_of(raw['id'])}",
        kind=words(system.get("type")) or "system",
        text=words(system.get("body")),
        details=system,
        **common,
    )


def contact(raw: Any, change: Change) -> AnyEvent:
    """An entry of the app's address book: the name by which the business knows the consumer."""
    if raw["type"] != "contact":
        return account_notice(change.account, "smb_app_state_sync", raw)
    saved = raw["contact"]
    name = words(saved.get("full_name")) or words(saved.get("first_name"))
    # Without a party: the address book must not start a conversation with everybody in it.
    return Notice(
        id=f"smb_app_state_sync:{fingerprint(raw)}",
        account=change.account,
        sent_at=time_of(fields(raw.get("metadata"))),
        kind="smb_app_state_sync",
        text=_contact_in_words(raw.get("action"), name),
        details=raw,
    )


def _contact_in_words(action: Any, name: str | None) -> str:
    if action == "remove":
        return "The business removed this contact from its WhatsApp Business app."
    saved = f"as {name} " if name else ""
    return f"The business saved this contact {saved}in its WhatsApp Business app."
