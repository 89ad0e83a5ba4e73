"""Emulators of the platforms and of a conversation core, over real HTTP on loopback.

They are written from the platforms' documentation alone and share no code with the connectors: a
misunderstanding on one side then fails a test instead of being shared by both sides.
"""

from .apple.platform import Apple
from .core import Core
from .exchange import Action, Asked, Consumer, ConsumerMessage, Delivered, SentText
from .hosting import Fault, Hosted
from .instagram.platform import Instagram
from .messenger.platform import Messenger
from .platform import Platform
from .samples import (
    Sample,
    card,
    document,
    heic,
    letter,
    padded,
    photo,
    sound,
    sticker,
    still,
    video,
    voice,
)
from .twilio.platform import Twilio
from .web.platform import Web
from .whatsapp.platform import WhatsApp

#: Every emulated platform by the `type:` of its connector.
PLATFORMS: dict[str, type[Platform]] = {
    platform.name: platform for platform in (Apple, Instagram, Messenger, Twilio, Web, WhatsApp)
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
    "Instagram",
    "Messenger",
    "Platform",
    "Sample",
    "SentText",
    "Twilio",
    "Web",
    "WhatsApp",
    "card",
    "document",
    "heic",
    "letter",
    "padded",
    "photo",
    "sound",
    "sticker",
    "still",
    "video",
    "voice",
]
