"""Helpers of the tests of the emulated Messenger: calls as a gateway makes them, and what was delivered."""

from typing import Any

import httpx

from simulator import Messenger, Sample, photo
from tests.simulator.webhook import MIA, Stage

PHOTO = photo(width=320, height=240)
OK = {"recipient": {"id": MIA.id}, "messaging_type": "RESPONSE", "message": {"text": "Hi"}}


def bearer(stage: Stage[Messenger]) -> dict[str, str]:
    return {"authorization": f"Bearer {stage.platform.token}"}


def events(stage: Stage[Messenger], arrived: int = -1) -> list[dict[str, Any]]:
    content = stage.webhook.arrived[arrived].content
    assert content["object"] == "page"
    return [event for entry in content["entry"] for event in entry["messaging"]]


async def delivered_url(stage: Stage[Messenger], sample: Sample = PHOTO) -> str:
    """Deliver a file, and return its URL."""
    await stage.platform.send(MIA, files=[sample])
    return str(events(stage)[0]["message"]["attachments"][0]["payload"]["url"])


async def sent(stage: Stage[Messenger], content: Any, **query: str) -> httpx.Response:
    """Send a message to a consumer who has written to the page."""
    stage.platform.known_consumers.add(MIA.id)
    url = f"{stage.platform.api_url}/{stage.platform.page_id}/messages"
    return await stage.http.post(url, json=content, params=query, headers=bearer(stage))
