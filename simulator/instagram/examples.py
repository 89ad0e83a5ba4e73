"""Examples of what Instagram's consumers send, and of what the account itself wrote in the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.examples import HALF_CHARACTER, Example
from simulator.exchange import Consumer, Delivered
from simulator.samples import Sample, photo, video

from . import messages

if TYPE_CHECKING:
    from .platform import Instagram

_NEIGHBOUR = Consumer("1789012345678902", "Nadia Klein")


def _event(summary: str, event: messages.Event) -> Example[Instagram]:
    async def send(platform: Instagram, consumer: Consumer) -> list[Delivered]:
        return [await platform.say(consumer, event)]

    return Example(summary, send)


def _with_file(
    summary: str, make: Callable[[], Sample], event: Callable[[str], messages.Event]
) -> Example[Instagram]:
    async def send(platform: Instagram, consumer: Consumer) -> list[Delivered]:
        return [await platform.say(consumer, event(platform.link_to(make())))]

    return Example(summary, send, has_files=True)


async def _echo(platform: Instagram, consumer: Consumer) -> list[Delivered]:
    return [await platform.echo(consumer.id, "Thanks, we will have a look.")]


async def _ice_breaker(platform: Instagram, consumer: Consumer) -> list[Delivered]:
    event = messages.postback(platform.fresh_mid(), "Where is my order?")
    return [await platform.say(consumer, event)]


async def _unsend(platform: Instagram, consumer: Consumer) -> list[Delivered]:
    mid = platform.fresh_mid()
    said = platform.said(consumer, {"mid": mid, "text": "Never mind"})
    return [*(await platform.deliver([said])), await platform.say(consumer, messages.unsend(mid))]


async def _reaction(platform: Instagram, consumer: Consumer) -> list[Delivered]:
    mid = platform.fresh_mid()
    echo = await platform.echo(consumer.id, "Your parcel is on its way.", mid=mid)
    return [echo, await platform.say(consumer, messages.reaction(mid))]


async def _untold(platform: Instagram, consumer: Consumer) -> list[Delivered]:
    return [await platform.say(consumer, messages.untold(platform.fresh_mid()))]


async def _half_character(platform: Instagram, consumer: Consumer) -> list[Delivered]:
    return await platform.deliver(
        [
            platform.said(consumer, {"text": f"hello {HALF_CHARACTER}"}),
            platform.said(_NEIGHBOUR, {"text": "Is my parcel here?"}),
        ]
    )


EXAMPLES: dict[str, Example[Instagram]] = {
    "story-reply": _with_file(
        "a text that replies to a story",
        lambda: photo("car", 720, 1280, seed=61),
        lambda url: messages.story_reply("Which colour is this?", url),
    ),
    "story-mention": _with_file(
        "a mention of the account in the consumer's story",
        lambda: photo("bicycle", 720, 1280, seed=62),
        messages.story_mention,
    ),
    "post": _with_file(
        "a shared post",
        lambda: photo("parcel", 800, 800, seed=63),
        lambda url: messages.shared_post(url, "Our new boxes"),
    ),
    "reel": _with_file(
        "a shared reel",
        lambda: video("washer", 2.0, 270, 480, seed=64),
        lambda url: messages.shared_reel(url, "Quiet at last"),
    ),
    "heart": _event("the heart of a double tap", messages.heart()),
    "quick-reply": _event("a tap on a quick reply", messages.quick_reply("Yes", "yes-1")),
    "ice-breaker": Example("a tap on an ice breaker", _ice_breaker),
    "open-thread": _event("the conversation opened through a link", messages.referral("spring")),
    "reaction": Example("a text written in the app, and the reaction to it", _reaction),
    "unsend": Example("a text, then its deletion", _unsend),
    "echo": Example("a text that the business wrote in the app", _echo),
    "unsupported": _event(
        "a message of a type that Instagram does not pass on", messages.unsupported()
    ),
    "announced-only": Example("the announcement of a message without its content", _untold),
    "half-character": Example(
        "a text that ends in half a character, and another person's text", _half_character
    ),
}
