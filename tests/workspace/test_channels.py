"""What each channel supports is cached, and asked for again once there may be a new channel."""

from typing import Any

import pytest

from workspace.gateway.channels import Channel, Channels
from workspace.gateway.client import GatewayResponse


class Gateway:
    """Answers with the channels that it has, and counts the calls."""

    def __init__(self, *names: str) -> None:
        self.names, self.calls = list(names), 0

    async def request(self, method: str, path: str) -> GatewayResponse:
        assert (method, path) == ("GET", "/v1/capabilities")
        self.calls += 1
        features = {"send_quote": "yes", "send_typing": "no"}
        rows = [{"connector": name, "features": features} for name in self.names]
        return GatewayResponse(200, {"connectors": rows})


async def test_a_channel_added_by_a_reload_is_soon_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("workspace.gateway.channels.time.monotonic", lambda: now[0])
    gateway: Any = Gateway("wa")
    known = Channels(gateway)
    assert await known.find("wa") == Channel(quotes=True)
    gateway.names.append("sms")
    # Many requests about an unknown channel make few calls.
    assert [await known.find("sms") for _ in range(9)] == [Channel()] * 9
    now[0] += 10
    assert await known.find("wa") == Channel(quotes=True)
    assert gateway.calls == 1
    assert await known.find("sms") == Channel(quotes=True)
    assert gateway.calls == 2
