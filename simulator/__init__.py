"""The four platforms and a conversation core, emulated over real HTTP on loopback.

Written from the platforms' documentation alone: it shares no code with the connectors,
so that a misunderstanding on one side shows as a failing test, not as agreement.
"""

from .apple import Apple
from .core import Core
from .messenger import Messenger
from .platform import Consumer, Delivered, Fault, Hosted, Platform, SentText
from .samples import Sample, photo, still, video
from .twilio import Twilio
from .whatsapp import WhatsApp

#: Every emulated platform by the `type:` of its connector.
PLATFORMS: dict[str, type[Platform]] = {
    platform.name: platform for platform in (Apple, Messenger, Twilio, WhatsApp)
}

__all__ = [
    "PLATFORMS",
    "Apple",
    "Consumer",
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
    "photo",
    "still",
    "video",
]
