"""Helpers of the tests of the emulated Twilio: calls as a gateway makes them, and what was delivered."""

from urllib.parse import parse_qsl

import httpx

from simulator import Consumer, Twilio, photo
from tests.simulator.webhook import Stage

CLEO = Consumer("+15550001111", "Cleo")
PHOTO = photo(width=320, height=240)
OK = {"To": CLEO.id, "From": Twilio.number, "Body": "Hello"}


def login(stage: Stage[Twilio]) -> tuple[str, str]:
    return stage.platform.account, stage.platform.token


def form(stage: Stage[Twilio], arrived: int = -1) -> dict[str, str]:
    body = stage.webhook.arrived[arrived].body.decode()
    pairs = parse_qsl(body, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def account_url(stage: Stage[Twilio], account: str = "") -> str:
    return f"{stage.platform.api_url}/2010-04-01/Accounts/{account or stage.platform.account}"


async def sent(stage: Stage[Twilio], **changes: str | None) -> httpx.Response:
    return await sent_through(stage, stage.platform.account, login(stage), **changes)


async def sent_through(
    stage: Stage[Twilio], account: str, auth: tuple[str, str], **changes: str | None
) -> httpx.Response:
    """Send a text through an account."""
    content = {name: value for name, value in {**OK, **changes}.items() if value is not None}
    return await stage.http.post(
        f"{account_url(stage, account)}/Messages.json", data=content, auth=auth
    )


async def delivered_url(stage: Stage[Twilio]) -> str:
    """Deliver a photo, and return its URL."""
    await stage.platform.send(CLEO, files=[PHOTO])
    return form(stage)["MediaUrl0"]
