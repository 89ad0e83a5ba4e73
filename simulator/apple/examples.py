"""Examples of the messages of an Apple device."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from simulator.examples import HALF_CHARACTER, Example
from simulator.exchange import Consumer, Delivered

from . import messages

if TYPE_CHECKING:
    from .platform import Apple

_NEIGHBOUR = Consumer("urn:mbid:AQAAYexampleNadia/+=", "Nadia Klein")


def _answer(summary: str, data: messages.Data, *, times: int = 1) -> Example[Apple]:
    """An answer, delivered with another id each time."""

    async def send(platform: Apple, consumer: Consumer) -> list[Delivered]:
        session = str(uuid.uuid4())
        return [await platform.answer(consumer, data, session=session) for _ in range(times)]

    return Example(summary, send)


async def _half_character(platform: Apple, consumer: Consumer) -> list[Delivered]:
    cut = await platform.deliver(consumer, "text", {"body": f"hello {HALF_CHARACTER}"})
    return [*cut, *await platform.deliver(_NEIGHBOUR, "text", {"body": "Is my parcel here?"})]


async def _typing(platform: Apple, consumer: Consumer) -> list[Delivered]:
    started = await platform.deliver(consumer, "typing_start")
    return [*started, *await platform.deliver(consumer, "typing_end")]


async def _closed(platform: Apple, consumer: Consumer) -> list[Delivered]:
    return await platform.deliver(consumer, "close")


_COLOURS = ("Red", "Blue", "Green")

EXAMPLES: dict[str, Example[Apple]] = {
    "list-picker": _answer("two rows of a list", messages.list_picker("Blue", "Green")),
    "time-picker": _answer(
        "a time, in a bubble that does not name it",
        messages.time_picker("2026-04-02T08:30+0000", reply="Thank you!"),
    ),
    "quick-reply": _answer("a tap on a quick reply", messages.quick_reply(_COLOURS, 1)),
    "form": _answer(
        "the answers to a form of two pages",
        messages.form(
            ("How was it?", {"Poor": "1"}), ("What happened?", {"Comment": "It took too long"})
        ),
    ),
    "repeated-answer": _answer(
        "an answer that Apple delivers twice, with different ids",
        messages.list_picker("Blue"),
        times=2,
    ),
    "half-character": Example(
        "a text that ends in half a character, then another person's text", _half_character
    ),
    "typing": Example("the consumer types, and stops", _typing),
    "close": Example("the consumer deletes the conversation", _closed),
}
