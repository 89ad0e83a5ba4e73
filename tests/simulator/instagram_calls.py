"""Helpers of the tests of the emulated Instagram: calls as a gateway makes them, and what was delivered."""

from typing import Any

import httpx

from simulator import Instagram
from tests.simulator.webhook import MIA, Stage

OK = {"recipient": {"id": MIA.id}, "messaging_type": "RESPONSE", "message": {"text": "Hi"}}


def bearer(stage: Stage[Instagram], token: str = "") -> dict[str, str]:
    return {"authorization": f"Bearer {token or stage.platform.token}"}


def events(stage: Stage[Instagram], arrived: int = -1) -> list[dict[str, Any]]:
    content = stage.webhook.arrived[arrived].content
    assert content["object"] == "instagram"
    return [event for entry in content["entry"] for event in entry["messaging"]]


async def sent(
    stage: Stage[Instagram], content: Any, node: str = "me", token: str = ""
) -> httpx.Response:
    """Send a message to a consumer who has written to the account."""
    stage.platform.known_consumers.add(MIA.id)
    url = f"{stage.platform.api_url}/{node}/messages"
    return await stage.http.post(url, json=content, headers=bearer(stage, token))
