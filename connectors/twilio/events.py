"""Events from Twilio's forms: consumers' messages, and delivery statuses of our texts."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.tools.attachment_kind import kind_of
from connectors.tools.entries import id_of
from connectors.tools.location import location
from normalizer.events import (
    AnyEvent,
    Attachment,
    MediaRef,
    Message,
    Notice,
    Party,
    Receipt,
    Status,
    Unknown,
)

from .error_codes import CODES

Form = Mapping[str, str]

STATUSES: Mapping[str, Status] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",  # only WhatsApp and RCS
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}
#: Statuses of a text on its way. They do not concern agents.
PENDING = frozenset({"accepted", "scheduled", "queued", "sending", "partially_delivered"})
INBOUND = frozenset({"received", "receiving"})

_OPTED_OUT = {"STOP": True, "START": False}

_MEDIA = re.compile(r"MediaUrl(0|[1-9][0-9]{0,3})")


def read_form(form: Form, key: str | None) -> list[AnyEvent]:
    """The events of one request. `key` is our key from the query of a status callback."""
    status = form.get("MessageStatus") or form.get("SmsStatus") or "received"
    if status in INBOUND:
        return [_message(form), *_opt_out(form)]
    if status in PENDING:
        return [_pending(form, status)]
    return [_receipt(form, status, key)]


def _message(form: Form) -> AnyEvent:
    # Twilio sends no timestamp, so there is no `sent_at`.
    return Message(
        id=_sid(form),
        account=form["To"],
        party=_party(form["From"], form),
        text=form.get("Body") or form.get("ButtonText") or form.get("ListTitle") or None,
        attachments=(*_files(form), *_locations(form)),
        reply_to=form.get("OriginalRepliedMessageSid") or None,
        forwarded="true" in (form.get("Forwarded"), form.get("FrequentlyForwarded")),
        choice=form.get("ButtonPayload") or form.get("ListId") or None,
        referral={name: form[name] for name in form if name.startswith("Referral")} or None,
    )


def _sid(form: Form) -> str:
    # Twilio still sends the old name (of 2010) along with the current one.
    return id_of(form.get("MessageSid") or form["SmsSid"])


def _party(address: str, form: Form) -> Party:
    aliases = (form.get("ExternalUserId"), form.get("WaId"))
    return Party(id_of(address), form.get("ProfileName") or None, tuple(id for id in aliases if id))


def _files(form: Form) -> list[Attachment]:
    """One attachment for every URL in the form. NumMedia is not reliable."""
    numbers = [int(found[1]) for name in form if (found := _MEDIA.fullmatch(name))]
    return [
        _file(form[f"MediaUrl{number}"], form.get(f"MediaContentType{number}"))
        for number in sorted(numbers)
        if form[f"MediaUrl{number}"]
    ]


def _file(url: str, media_type: str | None) -> Attachment:
    return Attachment(kind_of(media_type), MediaRef({"url": url}, media_type or None))


def _locations(form: Form) -> list[Attachment]:
    if not (form.get("Latitude") and form.get("Longitude")):
        return []
    names = {"name": form.get("Label"), "address": form.get("Address")}
    return [location(form["Latitude"], form["Longitude"], **names)]


def _opt_out(form: Form) -> list[AnyEvent]:
    """The notice for STOP, START or HELP: Twilio replies and blocks automatically, and an agent should know why."""
    word = form.get("OptOutType")
    if not word:
        return []
    party = _party(form["From"], form)
    id = f"opt_out:{_sid(form)}"
    details = {"opted_out": _OPTED_OUT[word]} if word in _OPTED_OUT else None
    return [
        Notice(
            id=id, account=form["To"], party=party, kind="OptOutType", text=word, details=details
        )
    ]


def _pending(form: Form, status: str) -> Notice:
    id = _sid(form)
    # Until a messaging service has chosen its number, the conversation is not known.
    party = _party(form["To"], form) if form.get("From") else None
    return Notice(
        id=f"status:{id}:{status}",
        account=_account(form),
        party=party,
        kind=status,
        details={"message_id": id},
    )


def _account(form: Form) -> str:
    """The number that sent the text, or the messaging service if no number has been chosen yet."""
    return form.get("From") or form["MessagingServiceSid"]


def _receipt(form: Form, status: str, key: str | None) -> AnyEvent:
    id = _sid(form)
    common: dict[str, Any] = {
        "id": f"status:{id}:{status}",
        "account": _account(form),
        "party": _party(form["To"], form),
    }
    if status not in STATUSES:
        return Unknown(reason="unknown status", raw=dict(form), **common)
    reason = _reason(form.get("ErrorCode"))
    return Receipt(status=STATUSES[status], message_ids=(id,), key=key, reason=reason, **common)


def _reason(code: str | None) -> str | None:
    if not code:
        return None
    known = CODES.get(int(code)) if code.isdecimal() else None
    return known.reason if known else f"code {code}"
