"""What each channel can do with an agent's answer, as the gateway tells; remembered for some minutes."""

import time
from dataclasses import dataclass
from typing import Any

from .client import GatewayClient, GatewayError

#: Seconds. Settings change with a restart of the gateway; one that is away is asked again sooner.
_FRESH, _AGAIN = 300.0, 10.0


@dataclass(frozen=True, slots=True)
class Channel:
    """Whether quotes reach the consumer, and whether they can see that somebody is writing."""

    quotes: bool = False
    typing: bool = False


class Channels:
    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._known: dict[str, Channel] = {}
        self._until = 0.0

    async def of(self, connector: str) -> Channel:
        """What a connector can do; nothing special while the gateway does not tell."""
        if time.monotonic() >= self._until:
            await self._ask()
        return self._known.get(connector, Channel())

    async def _ask(self) -> None:
        self._until = time.monotonic() + _AGAIN
        try:
            found = (await self._gateway.call("GET", "/v1/capabilities")).content
            self._known = {str(row["connector"]): _channel(row) for row in found["connectors"]}
        except (GatewayError, KeyError, TypeError, AttributeError):
            return
        self._until = time.monotonic() + _FRESH


def _channel(row: Any) -> Channel:
    features = row["features"]
    return Channel(*(features.get(name, "no") != "no" for name in ("send_quote", "send_typing")))
