"""The subject of the tests: a connector, its recordings, and its platform's signature."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import orjson
from pydantic import BaseModel, SecretStr

from connectors.contract import Call, Connector, Outcome, Purpose, Request, Text, Typing
from connectors.recordings import RECEIVED_AT, Recording, recordings
from connectors.tools.authorization import headers_for_call
from normalizer.events import AnyEvent, Echo, Edit, MediaRef, Message

from .kit_token import kit_token, own_token
from .promises import promise
from .run_flow import Start

#: A text such as the gateway passes to `send_text`.
TEXT = Text("msg_1", "", "consumer-1", "Good morning", "https://chat.example.com/status?m=msg_1")
#: A typing indicator for the same consumer.
TYPING = Typing("typing_1", "", TEXT.to, "message-1")


#: The outcome of a photo of the same consumer.
OUTCOME = Outcome("", TEXT.to, TYPING.message_id, 0, "ready", "photo", renditions=("thumbnail",))


class Subject:
    """The attributes and methods that an author defines (see `Conformance`), and helpers for the tests."""

    connector: ClassVar[Connector[Any]]
    payloads: ClassVar[Path]
    signature_header: ClassVar[str]
    token_in_address: ClassVar[bool] = False
    exempt: ClassVar[Mapping[str, str]] = {}
    unread: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Make one test of each check of the kit; a test that an author adds stays as it is."""
        super().__init_subclass__(**options)
        if cls.__module__.startswith(f"{__package__}."):
            for name, check in list(vars(cls).items()):
                if name.startswith("test_"):
                    setattr(cls, name, promise(check))

    def sign(self, request: Request) -> Request:
        """The request with the signature that the platform would add."""
        raise NotImplementedError("define `sign`: it adds the platform's signature to a request")

    def forgeries(self, request: Request) -> Iterable[Request]:
        """Requests that must be rejected although they look genuine, for reasons specific to this platform."""
        del request
        return ()

    def variants(self, request: Request) -> Iterable[Request]:
        """Other valid forms of a genuine request; `verify` must accept each of them."""
        del request
        return ()

    def authorized(self) -> Mapping[str, str]:
        """The headers of `authorize` at the time of the recordings."""
        return headers_at(self.connector, RECEIVED_AT)

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
        yield "send", partial(self.connector.tell_outcome, OUTCOME)
        yield "send", partial(self.connector.forget, "", TEXT.to)
        yield "send", partial(self.connector.tell_closed, "", TEXT.to)
        yield "profile", partial(self.connector.profile, "", TEXT.to)
        yield "check", self.connector.check

    def may_have_credentials(self, url: str) -> bool:
        """Whether the gateway would add the headers of `authorize` for this URL."""
        target, api = urlsplit(url), urlsplit(self.connector.config.api)
        if (target.scheme, target.netloc) == (api.scheme, api.netloc):
            return True
        return target.scheme == "https" and target.netloc in self.connector.hosts

    def may_be_fetched(self, url: str) -> bool:
        """Whether the gateway would fetch a file from this URL."""
        host = urlsplit(url).netloc
        suffixes = tuple(one for one in self.connector.media_hosts if one.startswith("."))
        declared = host in self.connector.media_hosts or host.endswith(suffixes)
        return self.may_have_credentials(url) or (url.startswith("https://") and declared)

    def check_call(self, call: Call) -> None:
        """Assert that a call is valid, sends credentials only where they may go, and contains no secret itself."""
        check_shape(call)
        trusted = self.may_have_credentials(call.url)
        assert trusted or not call.auth, (
            f"{call.url} would receive our credentials; declare its host in hosts, or set auth=False"
        )
        assert (trusted and self.token_in_address) or not self.leaks(call.url), (
            "a URL contains a secret; use `auth` and `authorize`. If the platform accepts its token only in the URL,"
            " set token_in_address = True in the test class"
        )
        assert not self.leaks(str(dict(call.headers)), repr((call.json, call.form, call.body))), (
            f"the headers or the body of the call to {call.url} contain a secret; leave credentials to `authorize`"
        )

    def check_token_call(self, call: Call) -> None:
        """Assert that a call of `token`, which may hold credentials, goes only where they may go."""
        check_shape(call)
        assert self.may_have_credentials(call.url), (
            f"{call.url} asks for a token, but its host may not receive credentials; declare it in hosts"
        )
        assert not self.leaks(call.url), "a URL contains a secret; put it into a header or the form"

    def leaks(self, *texts: str) -> bool:
        """Whether one of the texts contains a secret from the settings, in plain text or encoded."""
        return any(secret in text for secret in secret_forms(self.connector) for text in texts)


def headers_at(connector: Connector[Any], now: datetime) -> Mapping[str, str]:
    """The headers of `authorize` for a call to the API."""
    call = Call("GET", connector.config.api)
    token = kit_token(connector)
    if token is not None and now != RECEIVED_AT:
        # The gateway renews a token that has expired.
        token = own_token(connector, now) or token
    return headers_for_call(connector, now, token, call)


@lru_cache(maxsize=8)
def secret_forms(connector: Connector[Any]) -> frozenset[str]:
    """Every secret of a connector, plain and encoded, and what `authorize` makes of it.

    `authorize` is asked once: a signature of RSA takes milliseconds, and the kit looks for secrets thousands of times.
    """
    found = list(secrets_of(connector.config))
    assert all(len(secret) >= 4 for secret in found), (
        "use secrets of at least four characters in tests; shorter ones match by chance"
    )
    headers = headers_at(connector, RECEIVED_AT).values()
    proofs = {word for value in headers for word in value.split() if len(word) >= 16}
    encoded = {base64.b64encode(secret.encode()).decode() for secret in found}
    return frozenset({*found, *(quote(secret, safe="") for secret in found), *proofs, *encoded})


def files(events: list[AnyEvent]) -> Iterator[MediaRef]:
    """Every file in the attachments of the events."""
    for event in events:
        if isinstance(event, Message | Echo | Edit):
            yield from (found.media for found in event.attachments if found.media is not None)


def check_shape(call: Call) -> None:
    """Assert that the gateway can send a call."""
    assert isinstance(call, Call), f"a flow may yield only calls, not {type(call).__name__}"
    methods = {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert call.method in methods, f"{call.method} is not a method of Call"
    address = urlsplit(call.url)
    assert address.scheme in {"https", "http"}, f"{call.url} is not an http or https URL"
    assert address.hostname, f"{call.url} has no host"
    assert address.username is None, "the URL contains a user name; use `authorize`"
    assert call.url.isascii() and call.url.isprintable(), (  # noqa: PT018 - one rule
        f"the URL {call.url!r} contains characters that must be escaped; use urllib.parse.quote"
    )
    assert " " not in call.url, f"the URL contains a blank: {call.url}"
    for name, value in call.headers.items():
        assert name.isascii() and value.isascii() and value.isprintable(), (  # noqa: PT018 - one rule
            f"the header {name} contains characters that cannot be sent; escape them"
        )
    bodies = [part for part in (call.json, call.form, call.body) if part is not None]
    assert len(bodies) <= 1, "a call may have at most one of json, form and body"
    orjson.dumps(call.json)
    assert all(isinstance(value, str) for value in (call.form or {}).values()), (
        f"the form of the call to {call.url} contains a value that is not text; convert it with str"
    )


def secrets_of(value: Any) -> Iterator[str]:
    """Every secret in the settings, in plain text."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from secrets_of(getattr(value, name))
        case Mapping():
            for one in value.values():
                yield from secrets_of(one)
        case tuple() | list():
            for one in value:
                yield from secrets_of(one)
