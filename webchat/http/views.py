"""A session as its client sees it: the consumer, the limits, the types of files, the language."""

from pathlib import Path

from webchat.settings import Kind, Site
from webchat.shapes import ConsumerView, LimitsView, SessionView
from webchat.store.consumers import Consumer
from webchat.store.messages import uploads_allowed

from .context import Chat

#: Bytes of one part of an upload: below the limit of nginx for a body, which is 1 MiB.
PART_BYTES = 1_000_000

STATIC = Path(__file__).parents[1] / "static"
_WORDS = STATIC / "words"
_FALLBACK = "en"

#: What a file input may offer, by the kinds that a site takes.
_TYPES: dict[Kind, tuple[str, ...]] = {
    "photo": (
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/heic",
        "image/heif",
        "image/avif",
        "image/tiff",
    ),
    "video": ("video/mp4", "video/quicktime", "video/webm", "video/3gpp", "video/x-m4v"),
    "audio": ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm", "audio/wav", "audio/aac"),
    "document": ("application/pdf",),
}


def session_view(chat: Chat, consumer: Consumer, site: Site, language: str | None) -> SessionView:
    del chat
    return {
        "consumer": _consumer_view(consumer),
        "limits": _limits_view(consumer, site),
        "accept": [type for kind in site.accept for type in _TYPES[kind]],
        "words": words_for(language),
    }


def words_for(language: str | None) -> str:
    """Return the language of the page's words that comes nearest to a language tag."""
    wanted = (language or _FALLBACK).lower()
    for name in (wanted, wanted.partition("-")[0]):
        if name.replace("-", "").isalnum() and (_WORDS / f"{name}.json").is_file():
            return name
    return _FALLBACK


def _consumer_view(consumer: Consumer) -> ConsumerView:
    return {"id": consumer.id, "name": consumer.name, "verified": consumer.verified}


def _limits_view(consumer: Consumer, site: Site) -> LimitsView:
    return {
        "text": site.limits.text,
        "file_bytes": site.limits.file_bytes,
        "part_bytes": PART_BYTES,
        "files": site.limits.files,
        "at_once": site.limits.allowance(verified=consumer.verified).at_once,
        "uploads": uploads_allowed(consumer, site.uploads),
    }
