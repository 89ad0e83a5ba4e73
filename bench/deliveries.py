"""Unique, signed WhatsApp deliveries of about 1.2 kB, as complete HTTP requests."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

APP_SECRET = "bench-app-secret"
PATH = "/webhooks/bench"
#: The section of connectors.yaml that takes these deliveries.
CONNECTOR: Mapping[str, Any] = {
    "type": "whatsapp",
    "app_secrets": [APP_SECRET],
    "verify_token": "bench-token",
    "access_token": "bench-token",
    "phone_number_id": "106540352242922",
}


def delivery(number: int, conversations: int) -> bytes:
    """Return the body of delivery `number`: one text message of one of `conversations` consumers."""
    sender = f"4915100{number % conversations:07d}"
    text = f"Message {number}. " + "The parcel arrived with a dent and the box was open. " * 12
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550002222", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": f"Consumer {sender[-5:]}"}, "wa_id": sender}],
        "messages": [
            {
                "from": sender,
                "id": f"wamid.HBgMNDkxNTEwMDAwMDAwMFUCABIYIDNBMTI{number:012d}",
                "timestamp": "1760000000",
                "type": "text",
                "text": {"body": text},
            }
        ],
    }
    change = {"field": "messages", "value": value}
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [change]}],
    }
    return json.dumps(envelope).encode()


def status(number: int, conversations: int) -> bytes:
    """Return the body of a delivery that says what became of a text, as after a campaign that another system sent."""
    recipient = f"4915100{number % conversations:07d}"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550002222", "phone_number_id": "106540352242922"},
        "statuses": [
            {
                "id": f"wamid.HBgMNDkxNTEwMDAwMDAwMFUCABEYEjlB{number // 3:012d}",
                "status": ("sent", "delivered", "read")[number % 3],
                "timestamp": "1760000000",
                "recipient_id": recipient,
                "pricing": {"billable": True, "pricing_model": "PMP", "category": "marketing"},
            }
        ],
    }
    change = {"field": "messages", "value": value}
    envelope = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [change]}],
    }
    return json.dumps(envelope).encode()


def request(body: bytes, path: str = PATH) -> bytes:
    """Return a signed POST as bytes to send."""
    signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def requests(count: int, conversations: int, start: int = 0) -> list[bytes]:
    return [request(delivery(number, conversations)) for number in range(start, start + count)]
