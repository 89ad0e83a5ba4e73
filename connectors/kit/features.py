"""The features of the capabilities chart that events show."""

from collections.abc import Callable, Iterable, Mapping

from connectors.capabilities import Feature
from normalizer.events import (
    AnyEvent,
    Deletion,
    Echo,
    Edit,
    Kind,
    Message,
    Notice,
    Reaction,
    Receipt,
)

_KINDS: Mapping[Kind, Feature] = {
    "photo": "photo",
    "video": "video",
    "audio": "audio",
    "document": "document",
    "sticker": "sticker",
    "location": "location",
    "contact": "contact",
}
_TYPES: Mapping[type, Feature] = {
    Deletion: "deletion",
    Echo: "echo",
    Edit: "edit",
    Reaction: "reaction",
}
_STATUSES: Mapping[str, Feature] = {"delivered": "delivered", "read": "read", "failed": "failed"}


def shown(events: Iterable[AnyEvent]) -> set[Feature]:
    """The features that a connector needs to return these events."""
    return {feature for event in events for feature in _shown(event)}


def _shown(event: AnyEvent) -> set[Feature]:
    match event:
        case Message():
            return {feature for feature, shows in _MESSAGES.items() if shows(event)}
        case Receipt(status=status) if status in _STATUSES:
            return {_STATUSES[status]}
        case Notice(kind=kind) if "typing" in kind:
            return {"typing"}
        case _ if type(event) in _TYPES:
            return {_TYPES[type(event)]}
        case _:
            return set()


def _kind(kind: Kind) -> Callable[[Message], bool]:
    return lambda message: any(found.kind == kind for found in message.attachments)


def _captioned(kind: Kind) -> Callable[[Message], bool]:
    return lambda message: message.text is not None and _kind(kind)(message)


_MESSAGES: Mapping[Feature, Callable[[Message], bool]] = {
    "text": lambda message: message.text is not None and not message.attachments,
    **{feature: _kind(kind) for kind, feature in _KINDS.items()},
    "photo_caption": _captioned("photo"),
    "video_caption": _captioned("video"),
    "several_photos": lambda message: (
        sum(found.kind == "photo" for found in message.attachments) > 1
    ),
    "reply_context": lambda message: message.reply_to is not None,
    "button": lambda message: message.choice is not None,
}

#: The features that recordings can show. The others concern sending, or have no typical event.
VISIBLE: frozenset[Feature] = frozenset(
    {*_MESSAGES, *_TYPES.values(), *_STATUSES.values(), "typing"}
)
