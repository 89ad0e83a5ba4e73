"""The headers of a call. Connectors do not call this function."""

import inspect
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from connectors.contract import Call, Connector

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def headers_for_call(
    connector: Connector[Any], now: datetime, token: Any, call: Call
) -> Mapping[str, str]:
    """Return what `authorize` returns, with as many arguments as the connector's own method takes."""
    more = (token, call)
    return connector.authorize(now, *more[: _count(type(connector))])


@cache
def _count(kind: type[Connector[Any]]) -> int:
    """Return how many arguments `authorize` takes beside the time."""
    parameters = inspect.signature(kind.authorize).parameters.values()
    # `self` and `now` come first.
    return min(sum(one.kind in _POSITIONAL for one in parameters) - 2, 2)
