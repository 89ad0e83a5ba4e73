"""The statuses of the texts that we sent."""

from collections.abc import Mapping
from typing import Any

from connectors.tools.entries import id_of, listed
from normalizer.events import AnyEvent, Notice, Receipt, Status, Unknown

from .error_codes import failure
from .fields import problem_of, time_of, words
from .people import Change

STATUSES: Mapping[str, Status] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",  # a voice message that was played was also read
    "failed": "failed",
}
#: Old statuses that become notices.
NOTICES: Mapping[str, str] = {
    "deleted": "A message of the business was deleted.",
    "warning": "WhatsApp has a warning about a message of the business.",
}


def receipt(raw: Any, change: Change) -> AnyEvent:
    id, word, about = id_of(raw["id"]), raw["status"], words(raw.get("type")) or "message"
    common: dict[str, Any] = {
        "id": f"status:{id}:{word}",
        "account": change.account,
        "party": change.party(raw.get("recipient_user_id"), raw.get("recipient_id")),
        "sent_at": time_of(raw),
    }
    if about != "message":
        # The status of a payment, for example: a payment that failed is not a text that failed.
        common["id"] = f"status:{id}:{about}:{word}"
        return Notice(
            kind=f"{about}.{word}", text=f"{about.capitalize()}: {word}.", details=raw, **common
        )
    if word in NOTICES:
        return Notice(kind=word, text=NOTICES[word], details=raw, **common)
    if word not in STATUSES:
        return Unknown(reason="unknown status", raw=raw, **common)
    code, detail = problem_of(raw)
    return Receipt(
        status=STATUSES[word],
        message_ids=(id,),
        key=words(raw.get("biz_opaque_callback_data")),
        reason=_reason(raw),
        code=code,
        detail=detail,
        **common,
    )


def _reason(raw: Mapping[str, Any]) -> str | None:
    errors = listed(raw, "errors")
    return failure(errors[0])["reason"] if errors else None
