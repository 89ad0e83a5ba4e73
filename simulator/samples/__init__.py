"""Sample files as consumers send them, made by our own code; the same seed makes the same file.

Most contain hidden data that must not reach anyone: see `Sample.canaries`.
"""

from .documents import document, letter
from .others import card
from .photos import heic, photo, sticker, still
from .recordings import recording
from .sample import Sample, padded
from .sounds import sound, voice
from .videos import video

__all__ = [
    "Sample",
    "card",
    "document",
    "heic",
    "letter",
    "padded",
    "photo",
    "recording",
    "sound",
    "sticker",
    "still",
    "video",
    "voice",
]
