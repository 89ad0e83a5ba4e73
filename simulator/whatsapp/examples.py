"""Examples of a WhatsApp consumer's messages, and of what else Meta reports about a number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.examples import HALF_CHARACTER, Example
from simulator.exchange import Consumer, Delivered
from simulator.samples import photo

from . import changes, messages
from .errors import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from .platform import WhatsApp

_NEIGHBOUR = Consumer("4915198765432", "Nadia Klein")
_NEW_NUMBER, _NEW_USER_ID = "4915100000001", "DE.900000000000000001"


def _message(summary: str, content: messages.Content, **more: Any) -> Example[WhatsApp]:
    async def send(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
        return [await platform.say(consumer, content, **more)]

    return Example(summary, send)


def _change(summary: str, change: Callable[[Consumer, str], changes.Change]) -> Example[WhatsApp]:
    async def send(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
        return [await platform.announce(change(consumer, platform.number))]

    return Example(summary, send)


def _after_echo(summary: str, content: Callable[[str], messages.Content]) -> Example[WhatsApp]:
    """An echo of a text, and then a change of that echo."""

    async def send(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
        id, first = changes.message_id(), messages.text("We open at nine.")
        echoes = [
            changes.echo(consumer, platform.number, first, id=id),
            changes.echo(consumer, platform.number, content(id)),
        ]
        return [await platform.announce(echo) for echo in echoes]

    return Example(summary, send)


async def _photo_echo(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
    content = platform.media(photo("parcel", 800, 600, seed=61), "Is it this one?")
    return [await platform.announce(changes.echo(consumer, platform.number, content))]


async def _number_change(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
    return [await platform.say(consumer, messages.number_change(consumer.id, _NEW_NUMBER))]


async def _user_id_change(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
    old = replace(consumer, user_id=consumer.user_id or "DE.900000000000000000")
    content = messages.user_id_change(old.user_id, _NEW_USER_ID)
    return [await platform.say(old, content)]


async def _half_character(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
    return await _in_one_delivery(
        platform,
        (consumer, messages.text(f"hello {HALF_CHARACTER}")),
        (_NEIGHBOUR, messages.text("Is my parcel here?")),
    )


async def _half_character_in_name(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
    cut = replace(consumer, name=f"{consumer.name} {HALF_CHARACTER}")
    content = messages.text("Good morning")
    return await _in_one_delivery(platform, (cut, content), (_NEIGHBOUR, messages.text("Hello")))


async def _in_one_delivery(
    platform: WhatsApp, *said: tuple[Consumer, messages.Content]
) -> list[Delivered]:
    return await platform.deliver(
        [platform.change(who, [platform.message(who, *content)]) for who, content in said]
    )


async def _failed(platform: WhatsApp, consumer: Consumer) -> list[Delivered]:
    errors = [failure(131060)]
    return await platform.report(changes.message_id(), "failed", consumer.id, errors=errors)


_CHAT = [(False, messages.text("Do you repair lamps?")), (True, messages.text("Yes, we do."))]

EXAMPLES: dict[str, Example[WhatsApp]] = {
    "template-button": _message("a tap on a template's button", messages.button("Track it")),
    "button": _message("a tap on a button", messages.chosen("Monday")),
    "list": _message(
        "a row of a list, with its description",
        messages.chosen("Monday", description="9 to 12 o'clock"),
    ),
    "form": _message(
        "the answers to a form (Flow)",
        messages.form({"flow_token": "unused", "size": "M", "colour": "blue"}),
    ),
    "order": _message(
        "an order from the catalogue, without a text",
        messages.order("", ("sku-1", 2, 9.5), ("sku-7", 1, 24.9)),
    ),
    "number-change": Example("the consumer has a new phone number", _number_change),
    "user-id-change": Example("the consumer has a new user id", _user_id_change),
    "call": _change("a call that begins to ring", changes.calling),
    "missed-call": _change("the end of a call that was not answered", changes.hung_up),
    "history": _change(
        "earlier messages of a number that joins from the Business app",
        lambda consumer, number: changes.history(consumer, number, _CHAT),
    ),
    "echo": _change(
        "a text that the business wrote in the Business app",
        lambda consumer, number: changes.echo(consumer, number, messages.text("On its way!")),
    ),
    "echo-photo": Example(
        "a photo that the business sent in the Business app", _photo_echo, has_files=True
    ),
    "echo-edit": _after_echo(
        "a text of the Business app, then its edit",
        lambda echo: messages.edit(echo, messages.text("We open at ten.")),
    ),
    "echo-revoke": _after_echo("a text of the Business app, then its deletion", messages.revoke),
    "unsupported": _message(
        "a message of a type that Meta does not pass on", messages.unsupported()
    ),
    "unavailable": _message(
        "a message that Meta could not read",
        messages.unsupported("unknown"),
        errors=messages.UNAVAILABLE_ERRORS,
    ),
    "lost-file": _message(
        "a video that Meta could not fetch",
        ("video", {"caption": "Listen to this"}),
        errors=messages.LOST_FILE_ERRORS,
    ),
    "half-character": Example(
        "a text that ends in half a character, and another person's text", _half_character
    ),
    "half-character-in-name": Example(
        "a name that ends in half a character, and another person's text", _half_character_in_name
    ),
    "failed": Example("the status of a text that failed with code 131060", _failed),
}
