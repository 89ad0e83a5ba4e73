"""Cache of what each channel supports for agents' replies, as the gateway reports it."""

import time
from dataclasses import dataclass
from typing import Any

from .client import GatewayClient, GatewayError

#: Seconds. The gateway is asked again sooner if it did not answer, or if it may have a new connector: a reload of its
#: settings adds connectors while both run.
_CACHE_SECONDS, _RETRY_SECONDS = 300.0, 10.0


@dataclass(frozen=True, slots=True)
class Channel:
    """Whether the consumer receives quotes, and whether the consumer can see that an agent is typing."""

    quotes: bool = False
    typing: bool = False


class Channels:
    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._channels: dict[str, Channel] = {}
        self._refresh_at = self._retry_at = 0.0

    async def find(self, connector: str) -> Channel:
        """Return what a connector supports; no optional feature while the gateway does not answer."""
        due = self._refresh_at if connector in self._channels else self._retry_at
        if time.monotonic() >= due:
            await self._refresh()
        return self._channels.get(connector, Channel())

    async def _refresh(self) -> None:
        self._refresh_at = self._retry_at = time.monotonic() + _RETRY_SECONDS
        try:
            content = (await self._gateway.request("GET", "/v1/capabilities")).content
            self._channels = {
                str(row["connector"]): _parse_channel(row) for row in content["connectors"]
            }
        except (GatewayError, KeyError, TypeError, AttributeError):
            return
        self._refresh_at = time.monotonic() + _CACHE_SECONDS


def _parse_channel(row: Any) -> Channel:
    features = row["features"]
    return Channel(*(features.get(name, "no") != "no" for name in ("send_quote", "send_typing")))
