"""A platform's capabilities as data: one column of the capabilities chart, and the limits for each kind of content."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

#: yes: native · limited: the note states the limits · text: arrives as plain text only · no: not supported.
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
    "send_close",
    "outcome",
    "forget",
]

FEATURES: tuple[Feature, ...] = get_args(Feature)


@dataclass(frozen=True, slots=True)
class Limit:
    """The platform's limit for one kind of content; None if the platform documents no limit."""

    #: The size of one file, in bytes.
    max_bytes: int | None = None
    #: The number in one message.
    max_count: int | None = None


@dataclass(frozen=True, slots=True)
class TextLimits:
    """The platform's limits for texts from one account: their length, their window, and their rate.

    `max_text`, `max_text_bytes` and `reply_window` as in `Capabilities`. `texts_per_second` is the rate that the
    platform accepts from the account, None for no limit; Airlock keeps it.
    """

    max_text: int
    reply_window: float | None = None
    texts_per_second: float | None = None
    max_text_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The features that a platform supports. A feature that is not listed is "no".

    `notes` explains features to readers of the chart. `max_text` is the longest outgoing text, in code points, and
    `max_text_bytes` in bytes of UTF-8, for a platform that counts these; 0 means unlimited.
    `reply_window` is the time after the consumer's last message in which texts may be sent (seconds), None for no
    limit. `limits` are the platform's own limits; Airlock has further ones.
    """

    features: Mapping[Feature, Support]
    max_text: int = 0
    max_text_bytes: int = 0
    reply_window: float | None = None
    notes: Mapping[Feature, str] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[Feature, Limit] = field(default_factory=lambda: MappingProxyType({}))

    def support(self, feature: Feature) -> Support:
        return self.features.get(feature, "no")


def offers(
    *, yes: Iterable[Feature], limited: Iterable[Feature] = (), text: Iterable[Feature] = ()
) -> Mapping[Feature, Support]:
    """Build `Capabilities.features` from the features at each level of support."""
    return {
        **dict.fromkeys(yes, "yes"),
        **dict.fromkeys(limited, "limited"),
        **dict.fromkeys(text, "text"),
    }
