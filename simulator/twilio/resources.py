"""Messages as Twilio's API shows them: those that an account sent, and those that it received."""

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from .accounts import Account
from .calls import Text, count_segments

Resource = dict[str, Any]


def sent_message(sid: str, account: Account, call: Text, now: float) -> Resource:
    """Return a message just after its creation: the answer to the call that sends it."""
    service = call.raw.get("MessagingServiceSid")
    return {
        "sid": sid,
        "account_sid": account.sid,
        "messaging_service_sid": service,
        "from": call.raw.get("From"),
        "to": call.to,
        "body": call.body,
        "status": "accepted" if service else "queued",
        "direction": "outbound-api",
        "num_segments": "0" if service else str(count_segments(call.body)),
        "num_media": "0",
        "date_created": formatdate(now),
        "date_sent": None,
        "error_code": None,
        "error_message": None,
        "uri": _uri(account.sid, sid),
    }


def received_message(form: Mapping[str, str], now: float) -> Resource:
    """Return a consumer's message, from the form that delivers it."""
    return {
        "sid": form["MessageSid"],
        "account_sid": form["AccountSid"],
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "from": form.get("From"),
        "to": form.get("To"),
        "body": form.get("Body"),
        "status": "received",
        "direction": "inbound",
        "num_segments": form.get("NumSegments"),
        "num_media": form.get("NumMedia"),
        "date_created": formatdate(now),
        "date_sent": formatdate(now),
        "error_code": None,
        "error_message": None,
        "uri": _uri(form["AccountSid"], form["MessageSid"]),
    }


def _uri(account: str, sid: str) -> str:
    return f"/2010-04-01/Accounts/{account}/Messages/{sid}.json"
