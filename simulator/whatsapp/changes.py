"""Contents of webhook fields other than `messages`: calls, the history of a number, echoes of the business's own app.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/
"""

import base64
import time
from collections.abc import Sequence
from typing import Any

from simulator.exchange import Consumer
from simulator.platform import fresh_id

from .messages import Content

#: A webhook field, and the members that its value has in addition to the usual ones.
Change = tuple[str, dict[str, Any]]


def calling(consumer: Consumer, number: str) -> Change:
    """Return the call of a consumer that begins to ring."""
    offer = {"sdp_type": "offer", "sdp": "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"}
    call = {**_call(consumer, number), "event": "connect", "session": offer}
    return "calls", {"contacts": [contact(consumer)], "calls": [call]}


def hung_up(consumer: Consumer, number: str, *, seconds: int = 0) -> Change:
    """Return the end of a consumer's call, which was not answered if it lasted no time."""
    end = int(time.time())
    lasted = {"start_time": str(end - seconds), "end_time": str(end), "duration": seconds}
    status = "Completed" if seconds else "Failed"
    call = {**_call(consumer, number), "event": "terminate", "status": status}
    return "calls", {"calls": [{**call, **(lasted if seconds else {})}]}


def history(consumer: Consumer, number: str, lines: Sequence[tuple[bool, Content]]) -> Change:
    """Return earlier messages of a number that joins from the WhatsApp Business app; each line says if we wrote it."""
    start = int(time.time()) - 86_400
    messages = [
        {
            "from": number if is_ours else consumer.id,
            **({"to": consumer.id} if is_ours else {}),
            "id": message_id(),
            "timestamp": str(start + 60 * minute),
            "type": kind,
            kind: content,
            "history_context": {"status": "READ"},
        }
        for minute, (is_ours, (kind, content)) in enumerate(lines)
    ]
    chunk = {
        "metadata": {"phase": 0, "chunk_order": 1, "progress": 100},
        "threads": [{"id": consumer.id, "messages": messages}],
    }
    return "history", {"history": [chunk]}


def echo(consumer: Consumer, number: str, content: Content, *, id: str = "") -> Change:
    """Return a message that the business wrote in the WhatsApp Business app: a text, a file, an edit or a deletion."""
    kind, inner = content
    message = {
        "from": number,
        **({"to": consumer.id} if consumer.id else {}),
        **({"to_user_id": consumer.user_id} if consumer.user_id else {}),
        "id": id or message_id(),
        "timestamp": str(int(time.time())),
        "type": kind,
        kind: inner,
    }
    return "smb_message_echoes", {"message_echoes": [message]}


def contact(consumer: Consumer) -> dict[str, Any]:
    ids = {"wa_id": consumer.id, "user_id": consumer.user_id}
    return {"profile": {"name": consumer.name}, **{name: id for name, id in ids.items() if id}}


def message_id() -> str:
    return f"wamid.{base64.b64encode(fresh_id().encode()).decode()}"


def _call(consumer: Consumer, number: str) -> dict[str, Any]:
    return {
        "id": f"wacid.{fresh_id()}",
        "from": consumer.id,
        "to": number,
        "timestamp": str(int(time.time())),
        "direction": "USER_INITIATED",
    }
