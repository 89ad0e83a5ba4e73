"""Meta's handshake, X-Hub-Signature-256 and appsecret_proof, for all of Meta's platforms."""

import hashlib
import hmac

import pytest

from connectors import Forbidden
from connectors.instagram import Instagram
from connectors.messenger import Messenger
from connectors.meta import appsecret_proof
from connectors.whatsapp import WhatsApp

from .accounts import (
    APP_SECRET,
    VERIFY_TOKEN,
    instagram,
    messenger,
    request,
    signed_by_meta,
    whatsapp,
)

BODY = b'{"object":"page","entry":[]}'
SIGNATURE = "sha256=c1443c2db7717e62c3dcf36058333075473d6d41daf419d6379174fe380b0fab"
SHA1 = "sha1=ac26ffb7321a9ccc38b7168ccc7773a08a26a421"

both = pytest.mark.parametrize(
    "connector",
    [instagram(), messenger(), whatsapp()],
    ids=["instagram", "messenger", "whatsapp"],
)
Meta = Instagram | Messenger | WhatsApp


@both
def test_a_known_signature_is_accepted(connector: Meta) -> None:
    connector.verify(request(BODY, {"x-hub-signature-256": SIGNATURE}))


@both
def test_both_secrets_are_valid_during_a_rotation(connector: Meta) -> None:
    for secret in connector.config.app_secrets:
        connector.verify(signed_by_meta(request(BODY), secret.get_secret_value()))
    with pytest.raises(Forbidden):
        connector.verify(signed_by_meta(request(BODY), "a-secret-nobody-configured"))


@both
def test_a_signature_in_capital_letters_is_accepted(connector: Meta) -> None:
    upper = "sha256=" + SIGNATURE.removeprefix("sha256=").upper()
    connector.verify(request(BODY, {"x-hub-signature-256": upper}))


@both
def test_the_signature_covers_the_raw_bytes(connector: Meta) -> None:
    escaped = b'{"object":"page","entry":[],"x":"\\u00e9\\/"}'
    connector.verify(signed_by_meta(request(escaped)))
    meaning_the_same = '{"object":"page","entry":[],"x":"é/"}'.encode()
    signature = signed_by_meta(request(escaped)).headers
    with pytest.raises(Forbidden):
        connector.verify(request(meaning_the_same, signature))


@both
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature": SHA1},
        {"x-hub-signature-256": SHA1},
        {"x-hub-signature-256": SIGNATURE.removeprefix("sha256=")},
        {"x-hub-signature-256": SIGNATURE.replace("sha256", "SHA256")},
        {"x-hub-signature-256": SIGNATURE[:-1]},
        {"x-hub-signature-256": SIGNATURE[:-2]},
        {"x-hub-signature-256": SIGNATURE + "0"},
        {"x-hub-signature-256": SIGNATURE + "\n"},
        {"x-hub-signature-256": " " + SIGNATURE},
        {"x-hub-signature-256": SIGNATURE[:-2] + " ab"},
        {"x-hub-signature-256": SIGNATURE.replace("c", "с")},
        {"x-hub-signature-256": f"{SIGNATURE}, {SIGNATURE}"},
        {"x-hub-signature-256": "sha256=" + "٠" * 64},
        {"x-hub-signature-256": "sha256=" + "\udce9" * 64},
    ],
    ids=range(15),
)
def test_a_malformed_signature_is_rejected(connector: Meta, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        connector.verify(request(BODY, headers))


@both
def test_a_signature_made_with_an_empty_secret_is_rejected(connector: Meta) -> None:
    digest = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    with pytest.raises(Forbidden):
        connector.verify(request(BODY, {"x-hub-signature-256": f"sha256={digest}"}))


@both
def test_handshake_returns_the_challenge_as_plain_text(connector: Meta) -> None:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": VERIFY_TOKEN,
        "hub.challenge": "1158201444é",
    }
    answer = connector.handshake(request(query=asked, method="GET"))
    assert (answer.status, answer.body, answer.media_type) == (
        200,
        "1158201444é".encode(),
        "text/plain",
    )


@both
@pytest.mark.parametrize(
    "changed",
    [
        {"hub.verify_token": "another"},
        {"hub.verify_token": ""},
        {"hub.verify_token": VERIFY_TOKEN + " "},
        {"hub.verify_token": VERIFY_TOKEN.upper()},
        {"hub.verify_token": "\udce9"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
    ],
)
def test_a_handshake_with_a_wrong_parameter_is_rejected(
    connector: Meta, changed: dict[str, str]
) -> None:
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": VERIFY_TOKEN,
        "hub.challenge": "1",
        **changed,
    }
    answer = connector.handshake(request(query=asked, method="GET"))
    assert (answer.status, answer.body) == (403, b"")


@both
@pytest.mark.parametrize("missing", ["hub.mode", "hub.verify_token"])
def test_a_handshake_without_a_parameter_is_rejected(connector: Meta, missing: str) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1"}
    del asked[missing]
    assert connector.handshake(request(query=asked, method="GET")).status == 403


def test_appsecret_proof_matches_a_known_value() -> None:
    known = "27535269dc02b5ded458afaaea2a4a63d42a2b4b5164b06a22b524b86017d235"
    assert appsecret_proof(APP_SECRET, "PAGE_TOKEN") == known


@both
def test_calls_have_the_appsecret_proof_of_the_first_secret(connector: Meta) -> None:
    proof = appsecret_proof(APP_SECRET, "an-access-token")
    assert connector.graph("x") == f"https://graph.facebook.com/v25.0/x?appsecret_proof={proof}"


def test_appsecret_proof_can_be_turned_off() -> None:
    connector = whatsapp(appsecret_proof=False)
    assert connector.graph("x") == "https://graph.facebook.com/v25.0/x"
    assert connector.graph("x", y="1") == "https://graph.facebook.com/v25.0/x?y=1"


def test_ids_are_quoted_in_graph_urls() -> None:
    connector = whatsapp(appsecret_proof=False)
    assert (
        connector.graph("../me?x=1#", "a/b")
        == "https://graph.facebook.com/v25.0/..%2Fme%3Fx%3D1%23/a%2Fb"
    )
