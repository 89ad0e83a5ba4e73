"""The kinds of files that a connector's settings show."""

from collections.abc import Mapping

from connectors import ConnectorConfig
from normalizer.media import MediaKind

#: The setting that turns each kind off.
SWITCHES: Mapping[MediaKind, str] = {
    "photo": "photos",
    "video": "videos",
    "audio": "audio",
    "document": "documents",
    "contact": "contacts",
}


def shown_kinds(config: ConnectorConfig) -> tuple[MediaKind, ...]:
    """Return the kinds that are turned on; without any, no file is fetched."""
    return tuple(kind for kind, switch in SWITCHES.items() if getattr(config, switch))
