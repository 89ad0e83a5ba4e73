"""Examples of a Messenger consumer's messages, and of the page's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.examples import HALF_CHARACTER, Example
from simulator.exchange import Consumer, Delivered
from simulator.platform import fresh_id

from . import messages

if TYPE_CHECKING:
    from .platform import Messenger

_NEIGHBOUR = Consumer("7798765432109876", "Nadia Klein")


def _event(summary: str, event: messages.Event) -> Example[Messenger]:
    async def send(platform: Messenger, consumer: Consumer) -> list[Delivered]:
        return [await platform.say(consumer, event)]

    return Example(summary, send)


async def _echo_of_buttons(platform: Messenger, consumer: Consumer) -> list[Delivered]:
    template = messages.buttons("How may we help you?", ["Repair", "Return"])
    return [await platform.echo(consumer.id, None, attachments=[template])]


async def _postback(platform: Messenger, consumer: Consumer) -> list[Delivered]:
    return [await platform.say(consumer, messages.postback(f"m_{fresh_id()}", "Start"))]


async def _half_character(platform: Messenger, consumer: Consumer) -> list[Delivered]:
    return await platform.deliver(
        [
            platform.said(consumer, {"text": f"hello {HALF_CHARACTER}"}),
            platform.said(_NEIGHBOUR, {"text": "Is my parcel here?"}),
        ]
    )


_MUG = messages.product("Blue mug", id="101", subtitle="EUR 9,90", retailer_id="SKU-7")

EXAMPLES: dict[str, Example[Messenger]] = {
    "product": _event("a question about a product of the shop", messages.with_attachments(_MUG)),
    "product-with-text": _event(
        "a product, with the question in words",
        messages.with_attachments(_MUG, text="Is it dishwasher safe?"),
    ),
    "reel": _event(
        "an Instagram reel, by a relative URL",
        messages.with_attachments(messages.reel("/reel/123/", 123)),
    ),
    "buttons-echo": Example("a button template that the page itself sent", _echo_of_buttons),
    "feedback": _event(
        "the answers to a customer feedback form",
        messages.feedback({"service": "2"}, comment="It took too long."),
    ),
    "open-thread": _event("the conversation opened through a link", messages.referral("spring")),
    "open-thread-from-ad": _event(
        "the conversation opened through an advertisement",
        messages.referral("spring", ad_id="6045246247433"),
    ),
    "quick-reply": _event("a tap on a quick reply", messages.quick_reply("Yes", "yes-1")),
    "postback": Example("a tap on a button", _postback),
    "half-character": Example(
        "a text that ends in half a character, and another person's text", _half_character
    ),
}
