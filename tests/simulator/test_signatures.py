"""Signatures and tokens of the emulators match values that were computed by other means."""

import base64
import hashlib

import jwt
import pytest
from twilio.request_validator import RequestValidator

from simulator.apple.objects import EncryptedObject, encrypt
from simulator.apple.tokens import TOKENS, mint_token, verified_claims
from simulator.graph import SIGNATURES as META
from simulator.graph import appsecret_proof, encode_json, sign, sign_sha1
from simulator.twilio.signature import SIGNATURES as TWILIO
from simulator.twilio.signature import sign_form, sign_json
from simulator.whatsapp.platform import WhatsApp
from tests.simulator.webhook import MIA, staged

FIELDS = {
    "MessageSid": "MM00000000000000000000000000000001",
    "From": "+15550001111",
    "To": "+15550002222",
    "Body": "hi there",
    "NumMedia": "0",
    "AccountSid": "AC00000000000000000000000000000000",
}
HOOK = "https://gw.example.org/hooks/twilio/c1?x=1"
APPLE_SECRET = base64.b64decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
APPLE_CLAIMS = {"aud": "csp-0001", "iat": 1700000000}
APPLE_TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJjc3AtMDAwMSIsImlhdCI6MTcwMDAwMDAwMH0."
    "Qe7dHTk_m2weM0tcbx3KH4f00zf9KjH2Vz-yElKt_9g"
)
UNDECODED_SIGNATURE = "KlwuH64VgC2QgWxZJXWG_WI7sUmceGOam8BBP8z3ptY"


def test_meta_signs_the_raw_body_with_sha256() -> None:
    assert sign("app-secret-0", b'{"object":"page","entry":[]}') == (
        "sha256=c1443c2db7717e62c3dcf36058333075473d6d41daf419d6379174fe380b0fab"
    )


def test_meta_signs_the_raw_body_with_sha1_as_well() -> None:
    assert sign_sha1("app-secret-0", b'{"object":"page","entry":[]}') == (
        "sha1=ac26ffb7321a9ccc38b7168ccc7773a08a26a421"
    )


def test_appsecret_proof_signs_the_token() -> None:
    assert appsecret_proof("app-secret-0", "PAGE_TOKEN") == (
        "27535269dc02b5ded458afaaea2a4a63d42a2b4b5164b06a22b524b86017d235"
    )


def test_meta_encodes_json_in_its_escaped_form() -> None:
    assert encode_json({"text": "café/📦"}) == b'{"text":"caf\\u00e9\\/\\ud83d\\udce6"}'


@pytest.mark.parametrize("kind", [name for name in META if name != "valid"])
def test_every_other_signature_of_meta_is_invalid(kind: str) -> None:
    assert META[kind]("secret", b"{}") != META["valid"]("secret", b"{}")  # type: ignore[index]  # names of the table


def test_twilio_signs_the_url_and_the_form() -> None:
    assert sign_form("tw-token-0", HOOK, FIELDS) == "f23LhYyaQ00PH4wXp4dXxN625wk="


def test_twilio_signs_a_url_with_its_port() -> None:
    with_port = HOOK.replace(".org/", ".org:443/")
    assert sign_form("tw-token-0", with_port, FIELDS) == "XFrhsMhFWkHt3/NsDS5gSoiSTAE="


def test_twilio_signs_json_by_the_hash_in_the_url() -> None:
    digest = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert hashlib.sha256(b'{"a":1}').hexdigest() == digest
    url = f"https://gw.example.org/hooks/twilio/c1?bodySHA256={digest}"
    assert sign_json("tw-token-0", url) == "Lw4hdWKSNcZBQDbSTLcKgacfYuQ="


@pytest.mark.parametrize("kind", TWILIO)
def test_twilios_own_library_accepts_only_the_valid_signature(kind: str) -> None:
    signature = TWILIO[kind]("tw-token-0", HOOK, FIELDS)  # type: ignore[index]  # names of the table
    accepted = RequestValidator("tw-token-0").validate(HOOK, FIELDS, signature or "")
    assert accepted is (kind == "valid")


def test_apples_token_is_signed_with_the_decoded_secret() -> None:
    assert mint_token(APPLE_SECRET, APPLE_CLAIMS) == APPLE_TOKEN


def test_the_claims_of_apples_token_are_read() -> None:
    assert verified_claims(APPLE_SECRET, APPLE_TOKEN) == APPLE_CLAIMS


def test_a_token_signed_with_the_undecoded_secret_is_refused() -> None:
    wrong = f"{APPLE_TOKEN.rpartition('.')[0]}.{UNDECODED_SIGNATURE}"
    assert TOKENS["undecoded key"](APPLE_SECRET, APPLE_CLAIMS) == f"Bearer {wrong}"
    assert verified_claims(APPLE_SECRET, wrong) is None


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_with_another_algorithm_is_refused(algorithm: str) -> None:
    assert verified_claims(APPLE_SECRET, mint_token(APPLE_SECRET, APPLE_CLAIMS, algorithm)) is None


@pytest.mark.parametrize("garbage", ["", "a", "a.b.c", "é.é.é", "....", APPLE_TOKEN + "A"])
def test_a_malformed_token_is_refused(garbage: str) -> None:
    assert verified_claims(APPLE_SECRET, garbage) is None


def test_another_library_reads_apples_tokens() -> None:
    token = mint_token(APPLE_SECRET, {"aud": "csp-0001", "iat": 1700000000})
    claims = jwt.decode(token, APPLE_SECRET, algorithms=["HS256"], audience="csp-0001")
    assert claims == APPLE_CLAIMS


def test_an_attachment_is_encrypted_as_apple_does() -> None:
    key = bytes.fromhex("8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a")
    ciphertext = bytes.fromhex(
        "363b9fab50acfa2431802c691bd06dd31758b2f942c7a2a0e412b8022559ae5157a67eb5da46"
    )
    assert encrypt(key, b"apple attachment test bytes 0123456789") == ciphertext
    assert encrypt(key, ciphertext) == b"apple attachment test bytes 0123456789"


def test_an_objects_signature_is_base64_of_its_bytes() -> None:
    stored = EncryptedObject(b"content")
    stored.signature = bytes.fromhex("81000102030405060708090A0B0C0D0E0F10111213")
    assert stored.describe("both")["signature-base64"] == "gQABAgMEBQYHCAkKCwwNDg8QERIT"
    assert stored.matches("gQABAgMEBQYHCAkKCwwNDg8QERIT")
    assert not stored.matches("81000102030405060708090A0B0C0D0E0F10111213")
    assert not stored.matches("gQABAgMEBQYHCAkKCwwNDg8QERIT\u00e9")


async def test_whatsapp_sends_hashes_in_base64_and_looks_up_in_hex() -> None:
    from simulator import Sample

    async with staged(WhatsApp) as stage:
        sample = Sample("abc.jpg", "image/jpeg", b"abc")
        message = stage.platform.media_message(MIA, sample)
        assert message["image"]["sha256"] == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        answer = await stage.http.get(
            f"{stage.platform.api_url}/{message['image']['id']}",
            headers={"authorization": f"Bearer {stage.platform.token}"},
        )
        assert answer.json()["sha256"] == (
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
