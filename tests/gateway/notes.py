"""A minimal platform for tests of the gateway: JSON notes without signatures."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar

from connectors import (
    AnyEvent,
    Attachment,
    Call,
    Capabilities,
    Connector,
    ConnectorConfig,
    Deletion,
    Delivery,
    Download,
    Flow,
    Forbidden,
    MediaRef,
    Message,
    Party,
    Request,
    read_each,
)
from gateway.settings.shown_kinds import SWITCHES

#: The settings that turn every kind of file off.
EVERYTHING_OFF = dict.fromkeys(SWITCHES.values(), False)


class NotesConfig(ConnectorConfig):
    password: str = "open sesame"


class Notes(Connector[NotesConfig]):
    name, label, docs = "notes", "Notes", "https://notes.example/docs"
    capabilities = Capabilities(MappingProxyType({"text": "yes", "photo": "yes"}))
    media_patience: ClassVar[float] = 30.0
    Config = NotesConfig

    def verify(self, request: Request) -> None:
        if request.headers.get("x-password") != self.config.password:
            raise Forbidden("x-password does not match")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return read_each(_note, delivery.content["notes"])

    def media(self, ref: MediaRef) -> Flow[Download]:
        return Download(Call("GET", ref.locator["url"], auth=False))


def _note(raw: dict[str, Any]) -> AnyEvent:
    if "takes_back" in raw:
        return Deletion(
            id=raw["id"], account="us", party=Party(raw["from"]), target=raw["takes_back"]
        )
    return Message(
        id=raw["id"],
        account="us",
        party=Party(raw["from"], raw.get("name"), tuple(raw.get("aliases", ()))),
        sent_at=datetime.fromtimestamp(raw.get("at", 0), UTC),
        text=raw.get("text"),
        attachments=tuple(
            Attachment(kind, MediaRef({"url": url})) for kind, url in raw.get("media", ())
        ),
    )


def notes(**config: Any) -> Notes:
    return Notes(NotesConfig(type="notes", api_url="http://127.0.0.1:9", **config))
