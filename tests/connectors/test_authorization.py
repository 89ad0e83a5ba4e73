"""Every way to define `authorize` gets the arguments that it takes."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest

from connectors import Call, Reply, Token, jwt
from connectors.kit.subject import headers_at
from connectors.recordings import RECEIVED_AT
from connectors.tools.authorization import headers_for_call, needs_token

from . import natural_plugins as plugins
from .accounts import NOW, messenger, twilio
from .keys import private_pem, public_pem, rsa_key

CALL = Call("GET", "https://api.acme.example/me")
TOKEN = Token("made", NOW + timedelta(hours=1))


def build(kind: type[plugins.Natural], app: str = "app-1") -> plugins.Natural:
    settings = {"secret": "s" * 32, "key": private_pem(rsa_key()), "app": app}
    return kind(plugins.Settings.model_validate(settings))


@pytest.mark.parametrize(
    ("kind", "needs", "header"),
    [
        (plugins.Natural, False, None),
        (plugins.WithAStaticToken, False, f"Bearer {'s' * 32}"),
        (plugins.WithAGrant, True, "Bearer made"),
        (plugins.WithSignedTokens, True, "Bearer made"),
        (plugins.WithAnOptionalToken, True, "Bearer made"),
        (plugins.WithoutTheCall, True, "Bearer made"),
    ],
)
def test_authorize_gets_as_much_as_it_takes(
    kind: type[plugins.Natural], needs: bool, header: str | None
) -> None:
    connector = build(kind)
    assert needs_token(connector) == needs
    headers = headers_for_call(connector, NOW, TOKEN if needs else None, CALL)
    assert headers.get("authorization") == header


def test_another_host_may_get_another_scheme() -> None:
    elsewhere = Call("GET", "https://files.acme.example/1")
    headers = headers_for_call(build(plugins.WithAGrant), NOW, TOKEN, elsewhere)
    assert headers == {"x-key": "s" * 32}


def test_the_built_in_connectors_need_no_token() -> None:
    assert not needs_token(messenger())
    assert headers_for_call(twilio(), NOW, None, CALL)["authorization"].startswith("Basic ")


def test_a_signed_grant_is_exchanged_for_a_token() -> None:
    flow: Any = build(plugins.WithAGrant).token(NOW)
    assert isinstance(flow, Generator)
    call = next(flow)
    claims = jwt.check(
        call.form["assertion"],
        [public_pem(rsa_key())],
        algorithm="RS256",
        audience="https://api.acme.example/token",
        issuer="app-1",
        now=NOW,
    )
    assert claims["exp"] == int(NOW.timestamp()) + 300
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, {"access_token": "t", "expires_in": 3600}))
    assert end.value.value == Token("t", NOW + timedelta(hours=1))


def test_the_kit_renews_a_signed_token_like_the_gateway() -> None:
    connector = build(plugins.WithSignedTokens)
    for now in (RECEIVED_AT, RECEIVED_AT + timedelta(days=1)):
        token = headers_at(connector, now)["authorization"].removeprefix("Bearer ")
        keys = [public_pem(rsa_key())]
        jwt.check(token, keys, algorithm="RS256", audience="acme", issuer=None, now=now)
