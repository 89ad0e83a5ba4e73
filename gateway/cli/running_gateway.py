"""Calls a running gateway through its public API: over its socket in the data folder, or its address with a token."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp

from gateway.http.control import SOCKET, short_path
from gateway.settings import Settings


class Unreachable(Exception):
    """The call failed; the message says why and what to do."""


def call_api(settings: Settings, method: str, path: str) -> Any:
    """Make one call of `/v1` and return its JSON response; raises `Unreachable`."""
    return asyncio.run(_call_api(settings, method, path))


async def _call_api(settings: Settings, method: str, path: str) -> Any:
    try:
        status, answer = await _over_socket(settings.gateway.data, method, path)
    except (OSError, aiohttp.ClientConnectionError):
        # There is none, or this is another user or another machine.
        status, answer = await _over_address(settings, method, path)
    if status >= 400:
        raise Unreachable(str(answer.get("detail", f"HTTP {status}")))
    return answer


async def _over_socket(folder: Path, method: str, path: str) -> tuple[int, Any]:
    with ExitStack() as stack:
        connector = aiohttp.UnixConnector(stack.enter_context(short_path(folder)))
        return await _call(method, f"http://{SOCKET}{path}", connector=connector)


async def _over_address(settings: Settings, method: str, path: str) -> tuple[int, Any]:
    if not settings.gateway.api_tokens:
        raise Unreachable(
            f"no gateway of this user answers at {settings.gateway.data / SOCKET}; start it with `airlock serve`, run "
            "this command as its user, or add a token to gateway.api_tokens"
        )
    token = settings.gateway.api_tokens[0].get_secret_value()
    url = f"http://{settings.gateway.listen}{path}"
    try:
        return await _call(method, url, headers={"authorization": f"Bearer {token}"})
    except aiohttp.ClientConnectionError as exc:
        raise Unreachable(
            f"no gateway answers at {settings.gateway.listen}; start it with `airlock serve`"
        ) from exc


async def _call(method: str, url: str, **options: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession(**options) as http, http.request(method, url) as response:
        return response.status, await response.json(content_type=None)
