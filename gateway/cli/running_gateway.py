"""Calls a running gateway through its public API."""

import asyncio
from typing import Any

import aiohttp

from gateway.settings import Settings


class Unreachable(Exception):
    """The call failed; the message says why and what to do."""


def call_api(settings: Settings, method: str, path: str) -> Any:
    """Make one call of `/v1` and return its JSON response; raises `Unreachable`."""
    return asyncio.run(_call_api(settings, method, path))


async def _call_api(settings: Settings, method: str, path: str) -> Any:
    if not settings.gateway.api_tokens:
        raise Unreachable("gateway.api_tokens is empty; add a token and restart the gateway")
    token = settings.gateway.api_tokens[0].get_secret_value()
    url = f"http://{settings.gateway.listen}{path}"
    try:
        async with (
            aiohttp.ClientSession(headers={"authorization": f"Bearer {token}"}) as http,
            http.request(method, url) as response,
        ):
            answer = await response.json(content_type=None)
    except aiohttp.ClientConnectionError as exc:
        raise Unreachable(
            f"no gateway answers at {settings.gateway.listen}; start it with `airlock serve`"
        ) from exc
    if response.status >= 400:
        raise Unreachable(str(answer.get("detail", f"HTTP {response.status}")))
    return answer
