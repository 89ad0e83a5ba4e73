"""Examples of what consumers of a web chat do beyond texts and files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.examples import HALF_CHARACTER, Example
from simulator.exchange import Consumer, Delivered

if TYPE_CHECKING:
    from .platform import Web

_NEIGHBOUR = Consumer("con_00000000000000000000000000000099", "Neighbour")


def _events(
    summary: str, *types: tuple[str, dict[str, Any]], verified: bool = False
) -> Example[Web]:
    """Events of one consumer in one delivery."""

    async def send(platform: Web, consumer: Consumer) -> list[Delivered]:
        events = [
            platform.event(type, consumer, verified=verified, **content) for type, content in types
        ]
        return await platform.deliver(events)

    return Example(summary, send)


def _text(text: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "message", {"text": text, "reply_to": None, "attachments": [], **more}


async def _joined(platform: Web, consumer: Consumer) -> list[Delivered]:
    anonymous = replace(consumer, id="con_00000000000000000000000000000001", name="")
    before = platform.event("message", anonymous, **_text("Where is my order?")[1])
    joined = platform.event("joined", consumer, verified=True, **{"from": anonymous.id})
    return [*await platform.deliver([before]), *await platform.deliver([joined])]


async def _half_character(platform: Web, consumer: Consumer) -> list[Delivered]:
    cut = platform.event("message", consumer, **_text(f"hello {HALF_CHARACTER}")[1])
    other = platform.event("message", _NEIGHBOUR, **_text("Is my parcel here?")[1])
    return [*await platform.deliver([cut]), *await platform.deliver([other])]


EXAMPLES: dict[str, Example[Web]] = {
    "signed-in": _events(
        "a text of a consumer whom the brand signed in", _text("It is me"), verified=True
    ),
    "joined": Example("a consumer signs in and takes an anonymous conversation along", _joined),
    "quote": _events("an answer to a text of ours", _text("Yes", reply_to="msg_0123456789abcdef")),
    "typing": _events(
        "the consumer types, and stops", ("typing", {"on": True}), ("typing", {"on": False})
    ),
    "batch": _events("three texts in one delivery", *(_text(f"text {n}") for n in (1, 2, 3))),
    "closed": _events("the end of the conversation", ("closed", {})),
    "erasure": _events("the consumer erases the conversation", ("erasure", {})),
    "half-character": Example(
        "a text that ends in half a character, then another person's text", _half_character
    ),
}
