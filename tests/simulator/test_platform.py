"""The base class of emulated platforms: `deliver_message`, overriding `send`, and defaults."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from aiohttp import web

from simulator import Consumer, ConsumerMessage, Delivered, Platform, Sample
from tests.simulator.webhook import MIA, staged

FILE = Sample("file.jpg", "image/jpeg", b"bytes")


class Bare(Platform):
    name: ClassVar = "bare"

    def routes(self) -> list[web.RouteDef]:
        return []


class WithMessages(Bare):
    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        self.message = message
        return await self.post(b"a message", {}, [], times=message.times)


class WithSend(Bare):
    """An emulator written before `deliver_message` existed."""

    def settings(self) -> dict[str, Any]:
        return {"type": self.name, "api_url": f"{self.api_url}/v1"}

    async def send(
        self,
        consumer: Consumer,
        text: str | None = None,
        files: Sequence[Sample] = (),
        *,
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        del consumer, files, forged
        return await self.post((text or "").encode(), {}, [], times=times)


async def test_send_passes_everything_to_deliver_message() -> None:
    async with staged(WithMessages) as stage:
        answers = await stage.platform.send(MIA, "look", [FILE], times=2, forged=True)
        assert len(answers) == len(stage.webhook.arrived) == 2
        assert stage.platform.message == ConsumerMessage(MIA, "look", (FILE,), times=2, forged=True)


async def test_an_emulator_may_override_send_itself() -> None:
    async with staged(WithSend) as stage:
        await stage.platform.send(MIA, "hello", times=2)
        assert [arrived.body for arrived in stage.webhook.arrived] == [b"hello", b"hello"]
        assert stage.platform.settings()["api_url"] == f"{stage.platform.origin}/v1"


async def test_the_error_names_the_method_to_implement() -> None:
    with pytest.raises(NotImplementedError, match="emulator of bare .* deliver_message"):
        await Bare().send(MIA, "hello")


async def test_settings_hold_the_type_and_the_address() -> None:
    async with staged(Bare) as stage:
        assert stage.platform.settings() == {"type": "bare", "api_url": stage.platform.origin}
