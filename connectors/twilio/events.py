"""Events from Twilio's forms: consumers' messages, and delivery statuses of our texts."""

from collections.abc import Mapping
from typing import Any

from connectors.tools.entries import id_of, unknown
from normalizer.events import AnyEvent, Message, Notice, Party, Receipt, Status, Unknown

from .content import Form, read_content, referral
from .error_codes import failure, number, words
from .route import Senders, party_of

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
#: Words that end an opt-out even without Advanced Opt-Out, which alone adds OptOutType. YES does so too, but is an
#: everyday answer. The words that begin one are not listed: whether they do depends on settings at Twilio.
_OPT_IN = frozenset({"START", "UNSTOP"})

#: Fields of Twilio's other products, whose webhooks are sometimes set to the address of a messaging webhook.
_PRODUCTS: Mapping[str, str] = {
    "ConversationSid": "Twilio Conversations",
    "ChatServiceSid": "Twilio Conversations",
    "ChannelSid": "Twilio Programmable Chat",
    "CallSid": "Twilio Voice",
    "FaxSid": "Twilio Fax",
    "VerificationSid": "Twilio Verify",
    "TaskSid": "Twilio TaskRouter",
    "RoomSid": "Twilio Video",
    "PayloadType": "the Twilio Debugger",
}

#: The fields that say what a form is about: every form has one of them.
SUBJECTS = ("MessageSid", "SmsSid", *(name for name in _PRODUCTS if name.endswith("Sid")))


def read_form(form: Form, key: str | None, senders: Senders) -> list[AnyEvent]:
    """The events of one request. `key` is our key from the query of a status callback."""
    product = _other_product(form)
    if product is not None:
        return [unknown(dict(form), _wrong_product(product))]
    status = form.get("MessageStatus") or form.get("SmsStatus") or "received"
    if status in INBOUND:
        return _inbound(form, senders)
    if status in PENDING:
        return [_pending(form, status, senders)]
    return [_receipt(form, status, key, senders)]


def _other_product(form: Form) -> str | None:
    # Only Conversations and Chat have an EventType. Their deliveries may also have a MessageSid (IM…).
    if not form.get("EventType") and (form.get("MessageSid") or form.get("SmsSid")):
        return None
    named = next((_PRODUCTS[name] for name in _PRODUCTS if form.get(name)), None)
    return named or ("Twilio Conversations" if form.get("EventType") else None)


def _wrong_product(product: str) -> str:
    return (
        f"the delivery is from {product}, which Airlock does not read; in the Twilio console, remove this address from "
        f"the webhooks of {product} and set it on the number or the messaging service: A message comes in"
    )


def _inbound(form: Form, senders: Senders) -> list[AnyEvent]:
    message, notices = _message(form, senders), _opt_out(form, senders)
    # With Advanced Opt-Out, a keyword may arrive without words: then the notice says it all.
    has_content = bool(message.text or message.attachments)
    return [message, *notices] if has_content or not notices else notices


def _message(form: Form, senders: Senders) -> Message:
    # Twilio sends no timestamp, so there is no `sent_at`.
    content = read_content(form)
    return Message(
        id=_sid(form),
        text=content.text,
        attachments=content.attachments,
        reply_to=form.get("OriginalRepliedMessageSid") or None,
        forwarded="true" in (form.get("Forwarded"), form.get("FrequentlyForwarded")),
        choice=content.choice,
        referral=referral(form),
        extra=content.extra,
        **_from_consumer(form, senders),
    )


def _sid(form: Form) -> str:
    # Twilio still sends the old name (of 2010) along with the current one.
    return id_of(form.get("MessageSid") or form["SmsSid"])


def _from_consumer(form: Form, senders: Senders) -> dict[str, Any]:
    ours = form["To"]
    return {
        "account": senders.account(form, ours),
        "party": _party(form["From"], form),
        "route": senders.route(form, ours),
    }


def _party(address: str, form: Form) -> Party:
    return party_of(
        id_of(address), form.get("ProfileName"), form.get("ExternalUserId"), form.get("WaId")
    )


def _opt_out(form: Form, senders: Senders) -> list[AnyEvent]:
    """The notice for STOP, START or HELP: Twilio replies and blocks automatically, and an agent should know why.

    https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    """
    word = form.get("OptOutType", "").strip().upper()
    if not word and form.get("Body", "").strip().upper() in _OPT_IN:
        word = "START"
    if not word:
        return []
    details = {"opted_out": _OPTED_OUT[word]} if word in _OPTED_OUT else None
    return [
        Notice(
            id=f"opt_out:{_sid(form)}",
            kind="OptOutType",
            text=word,
            details=details,
            **_from_consumer(form, senders),
        )
    ]


def _to_consumer(form: Form, senders: Senders) -> dict[str, Any]:
    ours = form.get("From")
    return {
        "account": senders.account(form, ours),
        "party": _party(form["To"], form),
        "route": senders.route(form, ours),
    }


def _pending(form: Form, status: str, senders: Senders) -> Notice:
    id = _sid(form)
    common = _to_consumer(form, senders)
    if not (form.get("From") or senders.has_service):
        # Until a messaging service has chosen its number, the conversation is not known.
        common["party"] = None
    return Notice(id=f"status:{id}:{status}", kind=status, details={"message_id": id}, **common)


def _receipt(form: Form, status: str, key: str | None, senders: Senders) -> AnyEvent:
    sid = _sid(form)
    id, common = f"status:{sid}:{status}", _to_consumer(form, senders)
    if status not in STATUSES:
        del common["route"]
        return Unknown(id=id, reason="unknown status", raw=dict(form), **common)
    code = form.get("ErrorCode") or None
    return Receipt(
        id=id,
        status=STATUSES[status],
        message_ids=(sid,),
        key=key,
        reason=failure(code)["reason"] if code else None,
        code=code,
        detail=_detail(form),
        **common,
    )


def _detail(form: Form) -> str | None:
    """The platform's words for an error: Twilio's own, and those of WhatsApp or RCS; or Twilio's name of the code."""
    said = dict.fromkeys(form.get(name) for name in ("ErrorMessage", "ChannelStatusMessage"))
    return "; ".join(filter(None, said))[:500] or words(number(form.get("ErrorCode"))) or None
