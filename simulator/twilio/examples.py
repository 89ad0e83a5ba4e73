"""Examples of a consumer's messages over SMS, MMS, WhatsApp and RCS, and of carriers' failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.examples import Example, NotPossible
from simulator.exchange import Consumer, Delivered, SentText
from simulator.platform import fresh_id
from simulator.samples import Sample, photo

from . import messages
from .calls import FAILURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .platform import Twilio

#: The channels, by the addresses of a message over them.
_OVER_WHATSAPP, _OVER_RCS = "whatsapp", "rcs"


def _form(summary: str, *forms: messages.Form, channel: str = "") -> Example[Twilio]:
    async def send(platform: Twilio, consumer: Consumer) -> list[Delivered]:
        return [await platform.say(consumer, *_addresses(platform, consumer, channel), *forms)]

    return Example(summary, send)


def _addresses(platform: Twilio, consumer: Consumer, channel: str) -> Sequence[messages.Form]:
    match channel:
        case "whatsapp":
            return [messages.whatsapp(consumer, platform.number)]
        case "rcs":
            return [messages.rcs(consumer, platform.parent.rcs_agent)]
        case _:
            return []


async def _photo_with_layout(platform: Twilio, consumer: Consumer) -> list[Delivered]:
    files: list[Sample] = [messages.SMIL, photo("bicycle", 800, 600, seed=62)]
    return [await platform.say(consumer, {"Body": "My bike"}, files=files)]


async def _to_subaccount(platform: Twilio, consumer: Consumer) -> list[Delivered]:
    for account in platform.subaccounts.values():
        fields = platform.fields(consumer, "Which account is this?", account=account)
        return await platform.deliver(fields)
    raise NotPossible("the connector has no subaccount; name one in account_sids")


def _failure(code: int) -> Example[Twilio]:
    """A status callback, for a text that the gateway does not know."""
    status = "failed" if code == 21610 else "undelivered"

    async def send(platform: Twilio, consumer: Consumer) -> list[Delivered]:
        callback = f"{platform.public_webhook}/status"
        text = SentText(f"SM{fresh_id()}", consumer.id, "", {"StatusCallback": callback})
        return [await platform.fail(text, code, status)]

    return Example(f"the status {status} with code {code}: {FAILURES[code]}", send)


EXAMPLES: dict[str, Example[Twilio]] = {
    "whatsapp": _form(
        "a text that Twilio relays from WhatsApp",
        messages.text("Good morning"),
        channel=_OVER_WHATSAPP,
    ),
    "whatsapp-button": _form(
        "a tap on a button in WhatsApp",
        messages.button("Track it", "track-1"),
        channel=_OVER_WHATSAPP,
    ),
    "whatsapp-list": _form(
        "a row of a list in WhatsApp",
        messages.row("Monday", "slot-1", description="9 to 12 o'clock"),
        channel=_OVER_WHATSAPP,
    ),
    "whatsapp-form": _form(
        "the answers to a form in WhatsApp",
        messages.form_answers("csat", {"Rating": "Poor", "Reason": "It took too long"}),
        channel=_OVER_WHATSAPP,
    ),
    "rcs": _form("a text over RCS", messages.text("From the new app"), channel=_OVER_RCS),
    "rcs-button": _form(
        "a tap on a suggested reply in RCS", messages.button("Yes", "yes-1"), channel=_OVER_RCS
    ),
    "stop": _form("STOP, with its meaning (Advanced Opt-Out)", messages.opt_out("STOP", "STOP")),
    "start": _form(
        "START, with its meaning (Advanced Opt-Out)", messages.opt_out("START", "START")
    ),
    "help": _form("HELP, with its meaning (Advanced Opt-Out)", messages.opt_out("HELP", "HELP")),
    "file-without-address": _form(
        "the announcement of a file without its URL", messages.file_without_address()
    ),
    "photo-with-layout": Example(
        "a photo, with the MMS's layout (SMIL) as a second file", _photo_with_layout, has_files=True
    ),
    "subaccount": Example("a text to a number of a subaccount", _to_subaccount),
    **{f"failed-{code}": _failure(code) for code in FAILURES},
}
