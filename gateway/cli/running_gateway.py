"""Calls a running gateway through its public API: over its socket in the data folder, or its address with a token."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from gateway.http.control import SOCKET, short_path
from gateway.settings import Settings


class Unreachable(Exception):
    """The call failed; the message says why and what to do."""


def call_api(settings: Settings, method: str, path: str, body: Any = None) -> Any:
    """Make one call of `/v1` and return its JSON response; raises `Unreachable`."""
    return orjson.loads(asyncio.run(_call_api(settings, method, path, body)))


def fetch(settings: Settings, path: str) -> bytes:
    """Return the body of a GET as it is; raises `Unreachable`."""
    return asyncio.run(_call_api(settings, "GET", path, None))


async def _call_api(settings: Settings, method: str, path: str, body: Any) -> bytes:
    try:
        status, answer = await _over_socket(settings.gateway.data, method, path, body)
    except (OSError, aiohttp.ClientConnectionError):
        # There is none, or this is another user or another machine.
        status, answer = await _over_address(settings, method, path, body)
    if status >= 400:
        raise Unreachable(_detail(answer) or f"HTTP {status}")
    return answer


def _detail(content: bytes) -> str:
    try:
        return str(orjson.loads(content)["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""


async def _over_socket(folder: Path, method: str, path: str, body: Any) -> tuple[int, bytes]:
    with ExitStack() as stack:
        connector = aiohttp.UnixConnector(stack.enter_context(short_path(folder)))
        return await _call(method, f"http://{SOCKET}{path}", body, connector=connector)


async def _over_address(settings: Settings, method: str, path: str, body: Any) -> tuple[int, bytes]:
    if not settings.gateway.api_tokens:
        raise Unreachable(
            f"no gateway of this user answers at {settings.gateway.data / SOCKET}; start it with `airlock serve`, run "
            "this command as its user, or add a token to gateway.api_tokens"
        )
    # The one that may do most of what operators do.
    tokens = settings.gateway.api_tokens
    best = max(tokens, key=lambda token: ("operate" in token.scopes, len(token.scopes)))
    token = best.get_secret_value()
    url = f"http://{settings.gateway.listen}{path}"
    try:
        return await _call(method, url, body, headers={"authorization": f"Bearer {token}"})
    except aiohttp.ClientConnectionError as exc:
        raise Unreachable(
            f"no gateway answers at {settings.gateway.listen}; start it with `airlock serve`"
        ) from exc


async def _call(method: str, url: str, body: Any, **options: Any) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(**options) as http,
        http.request(method, url, json=body) as response,
    ):
        return response.status, await response.read()
