"""The four platforms and a conversation core, emulated over real HTTP on loopback.

Written from the platforms' documentation alone: it shares no code with the connectors,
so that a misunderstanding on one side shows as a failing test, not as agreement.
"""

from .apple.platform import Apple
from .core import Core
from .exchange import Action, Asked, Consumer, ConsumerMessage, Delivered, SentText
from .hosting import Fault, Hosted
from .messenger.platform import Messenger
from .platform import Platform
from .samples import (
    Sample,
    card,
    document,
    heic,
    padded,
    photo,
    sticker,
    still,
    video,
    voice,
)
from .twilio.platform import Twilio
from .whatsapp.platform import WhatsApp

#: Every emulated platform by the `type:` of its connector.
PLATFORMS: dict[str, type[Platform]] = {
    platform.name: platform for platform in (Apple, Messenger, Twilio, WhatsApp)
}

__all__ = [
    "PLATFORMS",
    "Action",
    "Apple",
    "Asked",
    "Consumer",
    "ConsumerMessage",
    "Core",
    "Delivered",
    "Fault",
    "Hosted",
    "Messenger",
    "Platform",
    "Sample",
    "SentText",
    "Twilio",
    "WhatsApp",
    "card",
    "document",
    "heic",
    "padded",
    "photo",
    "sticker",
    "still",
    "video",
    "voice",
]
