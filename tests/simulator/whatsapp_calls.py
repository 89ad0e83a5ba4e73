"""Helpers of the tests of the emulated WhatsApp: calls as a gateway makes them, and what was delivered."""

from typing import Any

import httpx

from simulator import WhatsApp, photo
from tests.simulator.webhook import MIA, Stage

PHOTO = photo(width=320, height=240)
OK = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": MIA.id,
    "type": "text",
    "text": {"body": "Hello"},
}
INBOUND = "wamid.SU5CT1VORA=="


def bearer(stage: Stage[WhatsApp]) -> dict[str, str]:
    return {"authorization": f"Bearer {stage.platform.token}"}


async def looked_up(stage: Stage[WhatsApp], id: str, **query: str) -> httpx.Response:
    url = f"{stage.platform.api_url}/{id}"
    return await stage.http.get(url, params=query, headers=bearer(stage))


async def sent(stage: Stage[WhatsApp], content: Any, **query: str) -> httpx.Response:
    url = f"{stage.platform.api_url}/{stage.platform.number_id}/messages"
    return await stage.http.post(url, json=content, params=query, headers=bearer(stage))


def only_message(stage: Stage[WhatsApp], arrived: int = -1) -> dict[str, Any]:
    content = stage.webhook.arrived[arrived].content
    (message,) = content["entry"][0]["changes"][0]["value"]["messages"]
    assert isinstance(message, dict)
    return message


async def hosted(stage: Stage[WhatsApp]) -> str:
    """Deliver a photo, and return its media id."""
    await stage.platform.send(MIA, "look", [PHOTO])
    return str(only_message(stage)["image"]["id"])
