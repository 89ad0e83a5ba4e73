"""Calls of the contract that depend on the connector: its headers, and its answer to a handshake.

Connectors do not call these functions.
"""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from connectors.contract import Call, Connector, Request, Response, Token
from connectors.errors import Forbidden

#: Bytes of the largest POST that can be a handshake: a challenge, a token and an address.
MAX_HANDSHAKE = 16 * 1024
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def needs_token(connector: Connector[Any]) -> bool:
    """Whether a connector obtains a token for its calls."""
    return type(connector).token is not Connector.token


def headers_for_call(
    connector: Connector[Any], now: datetime, token: Token | None, call: Call
) -> Mapping[str, str]:
    """Return what `authorize` returns, with as many arguments as the connector's own method takes."""
    more = (token, call)
    return connector.authorize(now, *more[: _count(type(connector))])


@cache
def _count(kind: type[Connector[Any]]) -> int:
    """Return how many arguments `authorize` takes beside the time."""
    parameters = inspect.signature(kind.authorize).parameters.values()
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters):
        return 2
    # `self` and `now` come first.
    return min(sum(one.kind in _POSITIONAL for one in parameters) - 2, 2)


def asks_by_post(connector: Connector[Any]) -> bool:
    """Whether the connector's platform may ask by POST whether the webhook is ours."""
    has_handshake = type(connector).handshake is not Connector.handshake
    return has_handshake and "POST" in connector.handshakes


def handshake_by_post(connector: Connector[Any], request: Request) -> Response | None:
    """Return the answer to a POST that is a handshake; None for any other POST, which is a delivery.

    An answer that is the same without the body shows that the connector looked only at the address: a handshake by GET
    whose parameters stand in the webhook's own address. Such a POST is a delivery.
    """
    if not asks_by_post(connector) or len(request.body) > MAX_HANDSHAKE:
        return None
    answer = _answer(connector, request)
    if answer is None or not request.body:
        return answer
    try:
        without = _answer(connector, replace(request, body=b""))
    except Exception:  # noqa: BLE001 - a handshake that cannot read an empty body depends on the body
        return answer
    return None if without == answer else answer


def _answer(connector: Connector[Any], request: Request) -> Response | None:
    try:
        answer = connector.handshake(request)
    except Forbidden:
        return None
    return answer if answer is not None and answer.status < 400 else None
