"""Renditions as stores name and describe them."""

import hashlib
from typing import get_args

from gateway.events.attachments import RenditionOfAnyType
from gateway.media.suffixes import SUFFIXES
from normalizer.charsets import GUESSED
from normalizer.media import OTHER_TEXT, Rendition, RenditionName

from .interface import Stored

_RENDITIONS = frozenset(get_args(RenditionName)) | {OTHER_TEXT + each for each in GUESSED}


def check_rendition(name: str) -> None:
    """Raise LookupError for a name that no rendition has: it becomes a part of a path."""
    if name not in _RENDITIONS:
        raise LookupError(f"there is no rendition called {name!r}")


def suffix(media_type: str) -> str:
    """Return the ending of files of this type."""
    return SUFFIXES[media_type]


def describe(rendition: Rendition, token: str = "") -> Stored:
    """Return a stored rendition as events describe it."""
    view: RenditionOfAnyType = {
        "media_type": rendition.media_type,
        "bytes": len(rendition.content),
        "sha256": hashlib.sha256(rendition.content).hexdigest(),
    }
    if rendition.width and rendition.height:
        view["width"], view["height"] = rendition.width, rendition.height
    return Stored(rendition.name, view, token)
