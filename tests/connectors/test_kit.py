"""The conformance kit must fail for what it promises to catch: a sound little connector, broken in one way at a time."""

import hashlib
import hmac
import inspect
import itertools
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import Field, HttpUrl

from connectors import (
    Attachment,
    Call,
    Capabilities,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Forbidden,
    MediaRef,
    Message,
    Party,
    Rejected,
    Reply,
    Request,
    Response,
    Secrets,
    Sent,
    Text,
    any_same,
    entries,
    open_each,
    read_each,
    revealed,
)
from connectors.conformance import Conformance
from connectors.recordings import RECEIVED_AT, recordings

SECRET = "acme-secret"
CONTENT = {
    "updates": [
        {"id": "1", "from": "ann", "text": "hello"},
        {"id": "2", "from": "ann", "text": "", "file": "f1"},
    ]
}


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(default=HttpUrl("https://api.acme.example"), description="The API")
    secrets: Secrets = Field(description="Signing secrets")


class Acme(Connector[Settings]):
    name = "acme"
    label = "Acme Chat"
    docs = "https://acme.example/docs"
    hosts = frozenset({"files.acme.example"})
    Config = Settings
    capabilities = Capabilities({"text": "yes", "photo": "yes", "send_text": "yes"}, max_text=100)

    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        if not any_same(expected, request.headers.get("x-acme", "")):
            raise Forbidden("X-Acme fits none of secrets")

    def parse(self, delivery: Delivery) -> list[Any]:
        return open_each(
            lambda raw: read_each(self.read, entries(raw, "updates")), [delivery.content]
        )

    def read(self, raw: Any) -> Message:
        file = raw.get("file")
        files = (Attachment("photo", MediaRef({"id": str(file)})),) if file else ()
        return Message(
            id=raw["id"],
            account="acme",
            party=Party(raw["from"]),
            text=raw["text"] or None,
            attachments=files,
        )

    def authorize(self, now: datetime) -> Mapping[str, str]:
        return {"authorization": "Bearer x"}

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        reply = yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        match reply.content:
            case {"url": str(url)}:
                return Download(Call("GET", url, auth=False))
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        reply = yield Call("POST", f"{self.config.api}/send", json={"to": out.to, "text": out.text})
        match reply.content:
            case {"id": str(id)}:
                return Sent(id)
        raise self.refusal(reply)


def proof(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


# one flaw each ------------------------------------------------------------------------------------


class TakesEverything(Acme):
    def verify(self, request: Request) -> None:
        pass


class TakesWhatHasAnyProof(Acme):
    def verify(self, request: Request) -> None:
        if not request.headers.get("x-acme"):
            raise Forbidden("X-Acme is missing")


class ComparesTexts(Acme):
    def verify(self, request: Request) -> None:
        expected = [proof(secret, request.body) for secret in revealed(self.config.secrets)]
        given = request.headers.get("x-acme", "")
        if not any(hmac.compare_digest(one, given) for one in expected):
            raise Forbidden("X-Acme fits none of secrets")


class ReadsBeforeItProves(Acme):
    def verify(self, request: Request) -> None:
        orjson.loads(request.body)
        super().verify(request)


class LooksUpTheHeaderCarelessly(Acme):
    def verify(self, request: Request) -> None:
        if proof(SECRET, request.body) != request.headers["x-acme"]:
            raise Forbidden("X-Acme does not fit")


class TellsTheRightProof(Acme):
    def verify(self, request: Request) -> None:
        expected = proof(SECRET, request.body)
        if not any_same([expected], request.headers.get("x-acme", "")):
            raise Forbidden(f"X-Acme should be {expected}")


class TellsTheSecret(Acme):
    def verify(self, request: Request) -> None:
        try:
            super().verify(request)
        except Forbidden:
            raise Forbidden(f"X-Acme does not fit {SECRET}") from None


class ChecksTheStartOnly(Acme):
    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        if len(given) < 8 or not proof(SECRET, request.body).startswith(given[:8]):
            raise Forbidden("X-Acme does not fit")


class SignsTheHeadOfTheBody(Acme):
    def verify(self, request: Request) -> None:
        super().verify(replace(request, body=request.body.rstrip()))


class ReadsTheFirstOnly(Acme):
    def parse(self, delivery: Delivery) -> list[Any]:
        return super().parse(delivery)[:1]


class LetsOneBadEntryThrough(Acme):
    def parse(self, delivery: Delivery) -> list[Any]:
        return [self.read(raw) for raw in delivery.content["updates"]]


class DropsWhatItCannotRead(Acme):
    def parse(self, delivery: Delivery) -> list[Any]:
        return [event for event in super().parse(delivery) if event.type != "unknown"]


class DoesNotCheckTypes(Acme):
    def parse(self, delivery: Delivery) -> list[Any]:
        return open_each(lambda raw: [self.read(one) for one in raw["updates"]], [delivery.content])


class ChangesItsInput(Acme):
    def read(self, raw: Any) -> Message:
        return super().read({**raw, "text": raw.pop("text")})


class CountsItself(Acme):
    numbers = itertools.count()

    def read(self, raw: Any) -> Message:
        return super().read({**raw, "id": f"{next(self.numbers)}"})


class GivesAllTheSameId(Acme):
    def read(self, raw: Any) -> Message:
        return super().read({**raw, "id": "1"})


class WritesPlaceholders(Acme):
    def read(self, raw: Any) -> Message:
        found = super().read(raw)
        return replace(found, text="[photo message]") if found.attachments else found


class WritesNothingAsText(Acme):
    def read(self, raw: Any) -> Message:
        return replace(super().read(raw), text=raw["text"])


class KeepsTheSecretInALocator(Acme):
    def read(self, raw: Any) -> Message:
        found = super().read(raw)
        ref = MediaRef({"id": "f1", "secret": SECRET})
        return replace(found, attachments=(Attachment("photo", ref),))


class PutsTheSecretInAnAddress(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        yield Call("GET", f"{self.config.api}/files?key={SECRET}")
        raise Rejected("gone")


class SendsCredentialsElsewhere(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        yield Call("GET", "https://cdn.example.com/f1")
        raise Rejected("gone")


class SendsCredentialsToAnotherPort(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        yield Call("GET", "https://api.acme.example:8443/f1")
        raise Rejected("gone")


class SendsCredentialsInTheClear(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        yield Call("GET", "http://files.acme.example/f1")
        raise Rejected("gone")


class TrustsAnswers(Acme):
    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        reply = yield Call("GET", f"{self.config.api}/files/1")
        return Download(Call("GET", reply.content["url"], auth=False))


class AsksForEver(Acme):
    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        while True:
            reply = yield Call("POST", f"{self.config.api}/send")
            if reply.content == {"id": "1"}:
                return Sent("1")


class CannotReadRefusals(Acme):
    def refusal(self, reply: Reply) -> Rejected:
        return Rejected(reply.content["error"]["word"])


class AnswersEveryHandshake(Acme):
    def handshake(self, request: Request) -> Response:
        return Response(body=request.query.get("hub.challenge", "").encode(errors="replace"))


class PromisesWhatItCannotDo(Acme):
    capabilities = Capabilities({"text": "yes", "send_text": "yes", "mark_read": "yes"}, max_text=9)


class SendsTextsOfNoLength(Acme):
    capabilities = Capabilities({"text": "yes", "send_text": "yes"})


class ShowsItsSecret(Acme):
    class Config(Settings):
        def __repr__(self) -> str:
            return f"Settings({revealed(self.secrets)})"


class TakesAnySetting(Acme):
    class Config(Settings, extra="allow"):
        pass


class NeedsAnotherContract(Acme):
    api = 2


FLAWED = [
    one
    for one in list(globals().values())
    if inspect.isclass(one) and issubclass(one, Acme) and one is not Acme
]


def trial(connector: type[Acme], folder: Path) -> list[str]:
    """The kit's tests that a connector fails, run one by one."""

    class Trial(Conformance):
        payloads = folder
        signature_header = "x-acme"

        def sign(self, request: Request) -> Request:
            signed = proof(SECRET, request.body)
            return replace(request, headers={**request.headers, "x-acme": signed})

    Trial.connector = connector(
        connector.Config.model_validate({"secrets": ["older-secret", SECRET]})
    )
    failed = []
    for name, test in inspect.getmembers(Conformance, inspect.isfunction):
        if name.startswith("test_"):
            for case in cases(test, folder):
                try:
                    test(Trial(), **case)
                except (Exception, pytest.fail.Exception):  # noqa: BLE001 - any failure counts
                    failed.append(name)
    return failed


def cases(test: Any, folder: Path) -> list[dict[str, Any]]:
    """The arguments pytest would call a test with."""
    axes: list[list[tuple[str, Any]]] = []
    if "recording" in inspect.signature(test).parameters:
        axes.append([("recording", recording) for recording in recordings(folder)])
    for mark in getattr(test, "pytestmark", []):
        name, values = mark.args[:2]
        axes.append([(name, value) for value in values])
    return [dict(case) for case in itertools.product(*axes)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    events = Acme(Settings.model_validate({"secrets": [SECRET]})).parse(
        Delivery(CONTENT, {}, {}, RECEIVED_AT)
    )
    recording = {"headers": {}, "content": CONTENT, "events": events}
    (tmp_path / "two_updates.json").write_bytes(orjson.dumps(recording))
    return tmp_path


def test_a_sound_connector_passes(folder: Path) -> None:
    assert trial(Acme, folder) == []


@pytest.mark.parametrize("flawed", FLAWED, ids=lambda flawed: flawed.__name__)
def test_a_flaw_is_found(flawed: type[Acme], folder: Path) -> None:
    assert trial(flawed, folder), "the kit overlooks it"


def test_a_connector_without_recordings_does_not_pass(tmp_path: Path) -> None:
    assert "test_there_are_recordings" in trial(Acme, tmp_path)


def test_a_recording_that_says_something_else_does_not_pass(folder: Path) -> None:
    file = folder / "two_updates.json"
    file.write_bytes(file.read_bytes().replace(b'"text":"hello","att', b'"text":"hallo","att'))
    assert trial(Acme, folder) == ["test_a_recording_means_what_was_recorded"]
