"""What is examined: a connector, its recordings, and how its platform signs."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import orjson
from pydantic import BaseModel, SecretStr

from connectors.contract import Call, Connector, Purpose, Request, Text, Typing
from connectors.recordings import RECEIVED_AT, Recording, recordings
from normalizer.events import AnyEvent, Echo, Edit, MediaRef, Message

from .run_flow import Start

#: A text as the gateway would have it sent.
TEXT = Text("msg_1", "", "consumer-1", "Good morning", "https://chat.example.com/status?m=msg_1")
#: The sign that its writer is at it.
TYPING = Typing("typing_1", "", TEXT.to, "message-1")


class Subject:
    """What an author says about a connector; see `Conformance`. The rest is for the promises to use."""

    connector: ClassVar[Connector[Any]]
    payloads: ClassVar[Path]
    signature_header: ClassVar[str]
    token_in_address: ClassVar[bool] = False

    def sign(self, request: Request) -> Request:
        """The request with the proof the platform would add."""
        raise NotImplementedError("say in `sign` how the platform proves a delivery")

    def forgeries(self, request: Request) -> Iterable[Request]:
        """Requests made of a genuine one that must be refused for a reason of this platform's own."""
        del request
        return ()

    def variants(self, request: Request) -> Iterable[Request]:
        """A genuine request in the other forms that this platform may give it; each must be taken."""
        del request
        return ()

    @property
    def recorded(self) -> list[Recording]:
        return recordings(self.payloads)

    def genuine(self, recording: Recording) -> Request:
        return self.sign(recording.request(self.connector))

    def parsed(self, recording: Recording) -> list[AnyEvent]:
        return self.connector.parse(recording.delivery(self.connector))

    def media_flows(self, events: list[AnyEvent]) -> Iterator[Start]:
        for ref in files(events):
            yield partial(self.connector.media, ref)

    def other_flows(self) -> Iterator[tuple[Purpose, Start]]:
        if self.connector.capabilities.support("send_text") != "no":
            yield "send", partial(self.connector.send_text, TEXT)
        yield "send", partial(self.connector.mark_read, "", TEXT.to, "message-1")
        for on in (True, False):
            yield "send", partial(self.connector.send_typing, replace(TYPING, on=on))
        yield "check", self.connector.check

    def may_have_credentials(self, url: str) -> bool:
        """Whether the gateway would add what `authorize` gives."""
        target, api = urlsplit(url), urlsplit(self.connector.config.api)
        if (target.scheme, target.netloc) == (api.scheme, api.netloc):
            return True
        return target.scheme == "https" and target.netloc in self.connector.hosts

    def may_be_fetched(self, url: str) -> bool:
        """Whether the gateway would fetch a file from there."""
        host = urlsplit(url).netloc
        suffixes = tuple(one for one in self.connector.media_hosts if one.startswith("."))
        declared = host in self.connector.media_hosts or host.endswith(suffixes)
        return self.may_have_credentials(url) or (url.startswith("https://") and declared)

    def check_call(self, call: Call) -> None:
        """A call is well made, goes where its credentials may go, and holds no secret itself."""
        check_shape(call)
        trusted = self.may_have_credentials(call.url)
        assert trusted or not call.auth, f"{call.url} would get our credentials"
        assert (trusted and self.token_in_address) or not self.leaks(call.url), (
            "an address holds a secret; use `auth` and `authorize`. If the platform takes its token nowhere"
            " else, say token_in_address = True in the test class"
        )
        assert not self.leaks(str(dict(call.headers)), repr((call.json, call.form, call.body)))

    def leaks(self, *texts: str) -> bool:
        """Whether a secret of the settings stands in one of the texts, plain or encoded."""
        return any(secret in text for secret in self._secret_forms() for text in texts)

    def _secret_forms(self) -> set[str]:
        found = list(secrets_of(self.connector.config))
        assert all(len(secret) >= 4 for secret in found), (
            "use longer secrets in tests: these are found by chance"
        )
        headers = self.connector.authorize(RECEIVED_AT).values()
        proofs = {word for value in headers for word in value.split() if len(word) >= 16}
        encoded = {base64.b64encode(secret.encode()).decode() for secret in found}
        return {*found, *(quote(secret, safe="") for secret in found), *proofs, *encoded}


def files(events: list[AnyEvent]) -> Iterator[MediaRef]:
    """Everything that events ask to be fetched."""
    for event in events:
        if isinstance(event, Message | Echo | Edit):
            yield from (found.media for found in event.attachments if found.media is not None)


def check_shape(call: Call) -> None:
    """What the gateway can send."""
    assert isinstance(call, Call), f"a flow may yield calls alone, not {type(call).__name__}"
    assert call.method in {"GET", "POST", "PUT", "DELETE"}
    address = urlsplit(call.url)
    assert address.scheme in {"https", "http"}
    assert address.hostname
    assert address.username is None, "credentials do not belong into an address"
    assert call.url.isascii()
    assert call.url.isprintable()
    assert " " not in call.url, f"an address with a blank: {call.url}"
    for name, value in call.headers.items():
        assert name.isascii()
        assert value.isascii()
        assert value.isprintable(), f"the header {name} cannot be sent"
    bodies = [part for part in (call.json, call.form, call.body) if part is not None]
    assert len(bodies) <= 1, "at most one of json, form and body"
    orjson.dumps(call.json)
    assert all(isinstance(value, str) for value in (call.form or {}).values())


def secrets_of(value: Any) -> Iterator[str]:
    """Every secret of some settings, in clear."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from secrets_of(getattr(value, name))
        case tuple():
            for one in value:
                yield from secrets_of(one)
