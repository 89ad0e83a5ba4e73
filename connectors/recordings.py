"""Recorded deliveries: files of `{note?, headers, query?, content, events}`, and the requests they represent."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from .contract import Connector, Delivery, Request

RECEIVED_AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
URL = "https://chat.example.com/webhooks/recorded"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded delivery and the events it yields. `note` states its origin, also if it was written by hand."""

    name: str
    content: Any
    events: list[Any] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def request(self, connector: Connector[Any]) -> Request:
        """The request as it would arrive, but without a signature."""
        return Request(
            method="POST",
            url=f"{URL}?{urlencode(self.query)}" if self.query else URL,
            headers={"content-type": _MEDIA_TYPES[connector.body], **self.headers},
            body=_encoded(self.content, connector.body),
            received_at=RECEIVED_AT,
            query=self.query,
        )

    def delivery(self, connector: Connector[Any]) -> Delivery:
        """The delivery as `parse` would receive it."""
        kept = {name: value for name, value in self.headers.items() if name in connector.keeps}
        query = {name: value for name, value in self.query.items() if name in connector.keeps_query}
        return Delivery(self.content, kept, query, RECEIVED_AT)


def recordings(folder: Path) -> list[Recording]:
    """All recordings in a folder, sorted by name."""
    return [
        Recording(path.stem, **orjson.loads(path.read_bytes()))
        for path in sorted(folder.glob("*.json"))
    ]


_MEDIA_TYPES = {
    "json": "application/json",
    "gzip-json": "application/json",
    "form": "application/x-www-form-urlencoded; charset=UTF-8",
}


def _encoded(content: Any, body: str) -> bytes:
    if body == "form":
        return urlencode(content).encode()
    plain = orjson.dumps(content)
    return gzip.compress(plain, mtime=0) if body == "gzip-json" else plain
