"""Tests of handshakes by POST: they answer only who knows our word, and they are not deliveries."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from connectors.contract import Connector, Request
from connectors.errors import Forbidden
from connectors.recordings import RECEIVED_AT, URL, Recording
from connectors.tools.authorization import asks_by_post

from .exchanges import Exchange, ExchangeChecks, exchanges
from .paths import changed, shown
from .purity import sources
from .subject import secret_forms
from .trials import fresh_value, leaves, shape
from .verification import GARBAGE_BODIES, with_other_secrets
from .watched import contents_watched, listening

#: What a stranger hopes to get back.
_ECHO = "echo-me"
#: Names under which platforms send their challenge, and our word.
_CHALLENGES = ("challenge", "secret", "plainToken", "validationToken", "hub.challenge", "echo")
_WORDS = (
    "token",
    "clientToken",
    "verify_token",
    "verification_token",
    "clientState",
    "hub.verify_token",
)
#: What strangers send in place of our word; those with braces are made of it.
_WRONG = ("", "wrong", "é", "a" * 10_000, "{word}x", "x{word}", "{start}", "{swapped}")
_TYPES = {"type": "url_verification", "event": "endpoint.url_validation", "hub.mode": "subscribe"}


class PostHandshakeChecks(ExchangeChecks):
    """Tests of `handshake`, asked by POST as the gateway does before `verify`."""

    @pytest.mark.parametrize("token", _WRONG, ids=range(len(_WRONG)))
    def test_a_handshake_by_post_does_not_answer_a_stranger(self, token: str) -> None:
        for request in self._strangers(token):
            assert not _answers(self.connector, request), (
                "handshake answers a POST that does not carry our word; compare a secret of the settings first"
                " (constant_time_equal), or call self.verify(request)"
            )

    def test_a_handshake_by_post_needs_the_secrets_of_the_settings(self) -> None:
        other = with_other_secrets(self.connector)
        for exchange in self._recorded():
            request = self.sign(exchange.request(self.connector))
            assert not _answers(other, request), (
                f"{exchange.name}: handshake gives the same answer whatever the settings say; answer only if the"
                " request carries a secret of the settings"
            )

    def test_a_handshake_leaves_deliveries_to_parse(self, recording: Recording) -> None:
        genuine = self.genuine(recording)
        for request in (genuine, *self.variants(genuine)):
            assert not _answers(self.connector, request), (
                f"handshake answers the delivery {recording.name}, which is lost: return None for everything that is"
                " not a handshake"
            )

    def test_a_handshake_by_post_never_crashes(self) -> None:
        genuine = self.genuine(self.recorded[0])
        for body in (*GARBAGE_BODIES, b"{}", b"[]", b"5", b"null", b'{"type": []}'):
            with suppress(Forbidden):
                if asks_by_post(self.connector):
                    self.connector.handshake(replace(genuine, body=body))

    def test_a_handshake_by_post_compares_our_word_in_constant_time(self) -> None:
        known = secret_forms(self.connector)
        for exchange in self._recorded():
            request = self.sign(exchange.request(self.connector))
            files = sources(type(self.connector))
            with listening(files) as reports, contents_watched(), suppress(Exception):
                self.connector.handshake(request)
            compared = [how for how, value in reports if value in known]
            assert not compared, (
                f"{exchange.name}: the handshake compares our word with {compared[0]}, which takes longer the more of"
                " it is right; use constant_time_equal or matches_any"
            )

    def test_a_handshake_by_post_looks_at_each_value(self) -> None:
        """Each value is sent back, or else a reason to refuse if it is another one."""
        for exchange in self._recorded():
            answer = self.connector.handshake(self.sign(exchange.request(self.connector)))
            for path, value in leaves(exchange.content):
                if fresh_value(value) is None or shape(("handshake", *path)) in self.unread:
                    continue
                content = changed(exchange.content, path, fresh_value(value))
                request = self.sign(replace(exchange, content=content).request(self.connector))
                try:
                    other = self.connector.handshake(request)
                except Forbidden:
                    continue
                assert other != answer, (
                    f"{exchange.name}: the handshake is answered in the same way whatever {shown(path)} is; send it"
                    f" back, or compare it and refuse other values, or name 'handshake/{shape(path)}' in `unread` of"
                    " the test class with the reason"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _recorded(self) -> Iterator[Exchange]:
        """The recorded handshakes by POST that are answered."""
        for exchange in exchanges(self.payloads):
            status = (
                exchange.result.get("status", 200) if isinstance(exchange.result, dict) else 400
            )
            if exchange.flow == "handshake" and exchange.content is not None and status < 400:
                yield exchange

    def _strangers(self, token: str) -> Iterator[Request]:
        content = {**_TYPES, **dict.fromkeys(_CHALLENGES, _ECHO), **dict.fromkeys(_WORDS, token)}
        nested = {**_TYPES, "payload": dict.fromkeys(_CHALLENGES, _ECHO)}
        bodies = [(orjson.dumps(one), "application/json") for one in (content, nested)]
        bodies.append((urlencode(content).encode(), "application/x-www-form-urlencoded"))
        for body, kind in bodies:
            yield Request("POST", URL, {"content-type": kind}, body, RECEIVED_AT, {})
            yield Request("POST", URL, {"content-type": kind}, body, RECEIVED_AT, content)
        yield Request("POST", URL, {}, b"", RECEIVED_AT, content)
        for exchange in self._recorded():
            content, query = (
                self._without_secrets(one, token) for one in (exchange.content, exchange.given)
            )
            yield replace(exchange, content=content, given=query).request(self.connector)

    def _without_secrets(self, content: Any, token: str) -> Any:
        """Recorded content with `token` in place of each secret of the settings."""
        match content:
            case dict():
                return {name: self._without_secrets(one, token) for name, one in content.items()}
            case list():
                return [self._without_secrets(one, token) for one in content]
            case str() if self.leaks(content):
                start = content[: len(content) // 2]
                return token.format(word=content, start=start, swapped=content.swapcase())
        return content


def _answers(connector: Connector[Any], request: Request) -> bool:
    if not asks_by_post(connector):
        return False
    try:
        answer = connector.handshake(request)
    except Forbidden:
        return False
    return answer is not None and answer.status < 400
