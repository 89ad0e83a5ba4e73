"""Deliveries of WhatsApp, built from the fields that matter to a test."""

from typing import Any

from .accounts import PHONE_NUMBER_ID, delivery, whatsapp

NUMBER = "15550001111"
USER_ID = "US.13491208655302741918"
BUSINESS = "15550002222"
ANN = {"profile": {"name": "Ann"}, "wa_id": NUMBER, "user_id": USER_ID}


def change(field: str, **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": BUSINESS, "phone_number_id": PHONE_NUMBER_ID}
    return {
        "field": field,
        "value": {"messaging_product": "whatsapp", "metadata": metadata, **value},
    }


def read(*changes: dict[str, Any]) -> Any:
    """The list of events. Tests read the fields of the event that they expect."""
    entry = {"id": "102290129340398", "changes": list(changes)}
    return whatsapp().parse(delivery({"object": "whatsapp_business_account", "entry": [entry]}))


def message(type: str, content: Any = None, **more: Any) -> dict[str, Any]:
    raw = {"from": NUMBER, "id": "wamid.M1=", "timestamp": "1760000000", "type": type, **more}
    return raw if content is None else {**raw, type: content}


def received(type: str, content: Any = None, **more: Any) -> Any:
    """The only event of one message."""
    (event,) = read(change("messages", contacts=[ANN], messages=[message(type, content, **more)]))
    return event


def interactive(type: str, content: Any) -> Any:
    return received("interactive", {"type": type, type: content})
