"""What a platform can do, as data: the rows of the channels and features chart and the limits per kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

#: yes: native · limited: with the limits in the note · text: arrives only as plain text · no.
Support = Literal["yes", "limited", "text", "no"]

Feature = Literal[
    "text",
    "photo",
    "photo_caption",
    "several_photos",
    "video",
    "video_caption",
    "audio",
    "document",
    "sticker",
    "location",
    "contact",
    "reply_context",
    "reaction",
    "edit",
    "deletion",
    "button",
    "echo",
    "typing",
    "delivered",
    "read",
    "failed",
    "send_text",
    "send_quote",
    "send_typing",
    "mark_read",
]

FEATURES: tuple[Feature, ...] = get_args(Feature)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a platform lets people send at once of one kind; None where it names no limit."""

    #: Of one file, in bytes.
    max_bytes: int | None = None
    #: Of one message.
    max_count: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A feature that is not named is "no". `notes` says what a reader of the chart must know.

    `max_text` counts code points of one outgoing text; `reply_window` is in seconds after the consumer's
    last message, None where the platform has none. `limits` are the platform's own; Airlock has its own too.
    """

    features: Mapping[Feature, Support]
    max_text: int = 0
    reply_window: float | None = None
    notes: Mapping[Feature, str] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[Feature, Limit] = field(default_factory=lambda: MappingProxyType({}))

    def support(self, feature: Feature) -> Support:
        return self.features.get(feature, "no")


def offers(
    *, yes: Iterable[Feature], limited: Iterable[Feature] = (), text: Iterable[Feature] = ()
) -> Mapping[Feature, Support]:
    """The features of a platform, listed under how well it supports them."""
    return {
        **dict.fromkeys(yes, "yes"),
        **dict.fromkeys(limited, "limited"),
        **dict.fromkeys(text, "text"),
    }
