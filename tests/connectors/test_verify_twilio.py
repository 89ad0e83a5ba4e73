"""X-Twilio-Signature, with test vectors that were computed independently."""

import base64
import hmac
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest

from connectors import Forbidden, Request
from connectors.twilio.signature import signed_form

from .accounts import ACCOUNT_SID, AUTH_TOKEN, OLDER_AUTH_TOKEN, request, signed_by_twilio, twilio

PLAIN = "https://gw.example.org/hooks/twilio/c1?x=1"
WITH_PORT = "https://gw.example.org:443/hooks/twilio/c1?x=1"
SIGNED_PLAIN = "f23LhYyaQ00PH4wXp4dXxN625wk="
SIGNED_WITH_PORT = "XFrhsMhFWkHt3/NsDS5gSoiSTAE="
FIELDS = {
    "MessageSid": "MM00000000000000000000000000000001",
    "From": "+15550001111",
    "To": "+15550002222",
    "Body": "hi there",
    "NumMedia": "0",
    "AccountSid": ACCOUNT_SID,
}
FORM = urlencode(FIELDS).encode()
TYPE = "application/x-www-form-urlencoded; charset=UTF-8"
HASH = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
JSON_URL = f"https://gw.example.org/hooks/twilio/c1?bodySHA256={HASH}"
JSON_SIGNED = "Lw4hdWKSNcZBQDbSTLcKgacfYuQ="

connector = twilio()


def form(signature: str, url: str = PLAIN, body: bytes = FORM) -> Request:
    return request(body, {"x-twilio-signature": signature, "content-type": TYPE}, url)


def json(body: bytes = b'{"a":1}', url: str = JSON_URL, signature: str = JSON_SIGNED) -> Request:
    headers = {"x-twilio-signature": signature, "content-type": "application/json"}
    return request(body, headers, url)


def refuse(request: Request) -> None:
    with pytest.raises(Forbidden):
        connector.verify(request)


@pytest.mark.parametrize("url", [PLAIN, WITH_PORT, PLAIN + "#rc=5&rp=all"])
@pytest.mark.parametrize("signature", [SIGNED_PLAIN, SIGNED_WITH_PORT])
def test_the_signed_url_may_have_a_port(url: str, signature: str) -> None:
    connector.verify(form(signature, url))


@pytest.mark.parametrize(
    "url",
    [
        PLAIN.replace("https", "http"),
        PLAIN.replace("gw.", "www."),
        PLAIN.replace("/c1", "/c2"),
        PLAIN.replace("/c1", "/c1/"),
        PLAIN.replace("x=1", "x=2"),
        PLAIN.replace("?x=1", ""),
        PLAIN.replace("/hooks", ""),
        "",
        "https://[::1",
        "https://gw.example.org:99999999/",
        "https://gw.example.org:port/",
        "\udce9",
    ],
)
def test_a_signature_for_another_url_is_rejected(url: str) -> None:
    refuse(form(SIGNED_PLAIN, url))


def test_both_auth_tokens_are_valid_during_a_rotation() -> None:
    for token in (AUTH_TOKEN, OLDER_AUTH_TOKEN):
        connector.verify(signed_by_twilio(request(FORM, {"content-type": TYPE}), token))
    refuse(signed_by_twilio(request(FORM, {"content-type": TYPE}), "another-token"))


@pytest.mark.parametrize(
    "body",
    [
        FORM.replace(b"hi+there", b"hi+There"),
        FORM.replace(b"hi+there", b"hi+there+"),
        FORM + b"&Extra=",
        FORM.replace(b"NumMedia=0&", b""),
        b"",
    ],
)
def test_a_changed_form_is_rejected(body: bytes) -> None:
    refuse(form(SIGNED_PLAIN, body=body))


def test_form_fields_may_arrive_in_any_order() -> None:
    turned = urlencode(dict(reversed(FIELDS.items()))).encode()
    assert turned != FORM
    connector.verify(form(SIGNED_PLAIN, body=turned))


def test_blank_values_and_spaces_are_signed() -> None:
    fields = {**FIELDS, "Body": "  two spaces ", "FromCity": "", "Ü": "é 🙂"}
    body = urlencode(fields).encode()
    connector.verify(signed_by_twilio(request(body, {"content-type": TYPE})))


@pytest.mark.parametrize("extra", [b"&Body=hi+there", b"&Body=more", b"&B%6fdy=", b"&From"])
def test_a_form_that_repeats_a_field_is_rejected(extra: bytes) -> None:
    signed = signed_by_twilio(request(FORM + extra, {"content-type": TYPE}))
    with pytest.raises(Forbidden, match="repeats"):
        connector.verify(signed)


@pytest.mark.parametrize("missing", ["AccountSid", "MessageSid"])
def test_a_form_about_no_account_or_message_is_rejected(missing: str) -> None:
    for fields in (
        {name: value for name, value in FIELDS.items() if name != missing},
        {**FIELDS, missing: ""},
    ):
        body = urlencode(fields).encode()
        refuse(signed_by_twilio(request(body, {"content-type": TYPE})))


def test_a_form_with_fields_divided_elsewhere_is_rejected() -> None:
    """`AccountSidAC…` may also be the name `AccountSi` with the value `dAC…`: the signed text is the same."""
    divided = FORM.replace(b"AccountSid=", b"AccountSi=d")
    assert divided != FORM
    refuse(form(SIGNED_PLAIN, body=divided))


@pytest.mark.parametrize("name", ["MessageSid", "SmsSid", "CallSid", "ConversationSid"])
def test_a_form_about_a_message_or_a_call_is_accepted(name: str) -> None:
    body = urlencode({"AccountSid": ACCOUNT_SID, name: "XX1"}).encode()
    connector.verify(signed_by_twilio(request(body, {"content-type": TYPE})))


@pytest.mark.parametrize(
    "text", ["a+b", "%", "%4", "%zz", "a=b=c", "\r\n", "é", "%2B%25%3D=", "=3D", ""]
)
def test_a_form_is_decoded_as_the_gateway_decodes_it(text: str) -> None:
    raw = text.encode()
    if "%" in text and text.strip("%4z") == "":
        refuse(signed_by_twilio(request(FORM + b"&Extra=" + raw, {"content-type": TYPE})))
        return
    found = signed_form(request(b"Extra=" + raw + b"&&b", {"content-type": TYPE}))
    assert found == dict(parse_qsl(f"Extra={text}&&b", keep_blank_values=True))


def test_a_json_body_must_match_its_hash_in_the_url() -> None:
    connector.verify(json())
    refuse(json(b'{"a":1} '))


@pytest.mark.parametrize(
    "url",
    [
        "https://gw.example.org/hooks/twilio/c1",
        JSON_URL.replace("bodySHA256", "bodysha256"),
        JSON_URL + f"&bodySHA256={HASH}",
        "https://gw.example.org/hooks/twilio/c1?bodySHA256=",
    ],
)
def test_json_with_a_missing_or_repeated_hash_is_rejected(url: str) -> None:
    unsigned = request(b'{"a":1}', {"content-type": "application/json"}, url)
    signed_over_the_url = signed_by_twilio(request(b"", {}, url)).headers["x-twilio-signature"]
    refuse(json(url=url, signature=signed_over_the_url))
    refuse(unsigned)


def test_the_content_type_decides_what_the_signature_covers() -> None:
    # The signature of a form covers its fields, even with bodySHA256 in the URL.
    signed = signed_by_twilio(request(FORM, {"content-type": TYPE}, JSON_URL))
    connector.verify(signed)
    refuse(form(signed.headers["x-twilio-signature"], JSON_URL, FORM + b"&Extra=1"))


def test_another_account_is_rejected_unless_it_is_configured() -> None:
    other = "AC" + "1" * 32
    body = urlencode({**FIELDS, "AccountSid": other}).encode()
    signed = signed_by_twilio(request(body, {"content-type": TYPE}))
    refuse(signed)
    twilio(account_sids=[other]).verify(signed)


def test_every_one_of_several_account_sids_must_be_configured() -> None:
    body = FORM + b"&AccountSid=AC" + b"1" * 32
    refuse(signed_by_twilio(request(body, {"content-type": TYPE})))


@pytest.mark.parametrize("signature", ["", "=", "é", "\udce9", SIGNED_PLAIN.lower(), "A" * 28])
def test_a_malformed_signature_is_rejected(signature: str) -> None:
    refuse(form(signature))


def test_a_request_without_a_signature_is_rejected() -> None:
    refuse(request(FORM, {"content-type": TYPE}, PLAIN))


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=%ff", b"&".join([b"a=1"] * 5000), b"\x00"])
def test_a_garbage_form_is_rejected(body: bytes) -> None:
    refuse(form(SIGNED_PLAIN, body=body))


# shared keys --------------------------------------------------------------------------------------

SHARED = "a-shared-key-secret-1"
with_keys = twilio(shared_keys=["a-shared-key-secret-0", SHARED])


def by_key(secret: str, algorithm: str = "HMAC_SHA256", digest: str = "sha256") -> Request:
    """A request that is signed with a shared key: the same text, another hash, and the settings header."""
    text = PLAIN + "".join(name + FIELDS[name] for name in sorted(FIELDS))
    proof = base64.b64encode(hmac.new(secret.encode(), text.encode(), digest).digest()).decode()
    signed = form(proof)
    settings = {"x-twilio-webhooks-signature-settings": f"key=webhooks_1,algorithm={algorithm}"}
    return replace(signed, headers={**signed.headers, **settings})


def test_a_signature_by_a_shared_key_is_accepted() -> None:
    with_keys.verify(by_key(SHARED))
    with_keys.verify(by_key("a-shared-key-secret-0"))
    with_keys.verify(by_key(SHARED, "HMAC_SHA1", "sha1"))


def test_the_auth_token_is_valid_only_without_the_settings_header() -> None:
    with_keys.verify(form(SIGNED_PLAIN))
    for wrong in (by_key(AUTH_TOKEN), by_key(AUTH_TOKEN, "HMAC_SHA1", "sha1")):
        with pytest.raises(Forbidden, match="none of shared_keys"):
            with_keys.verify(wrong)


@pytest.mark.parametrize("algorithm", ["", "HMAC_MD5", "none", "HMAC_SHA1", "é", "a" * 9999])
def test_a_shared_key_with_another_algorithm_is_rejected(algorithm: str) -> None:
    with pytest.raises(Forbidden):
        with_keys.verify(by_key(SHARED, algorithm))


def test_signatures_by_shared_keys_need_configured_shared_keys() -> None:
    with pytest.raises(Forbidden, match="none of shared_keys"):
        connector.verify(by_key(SHARED))
    with pytest.raises(Forbidden, match="none of shared_keys"):
        connector.verify(by_key(""))


@pytest.mark.parametrize("body", [b"%ff", b"\xff", b"%ed%a0%bd", b"\xed\xa0\xbd"])
def test_a_form_with_bytes_that_are_not_utf_8_is_accepted(body: bytes) -> None:
    words = "\ufffd" * (1 if body in {b"%ff", b"\xff"} else 3)
    text = f"{PLAIN}AccountSid{ACCOUNT_SID}Body{words}MessageSidSM1"
    digest = hmac.digest(AUTH_TOKEN.encode(), text.encode(), "sha1")
    raw = f"AccountSid={ACCOUNT_SID}&MessageSid=SM1&Body=".encode() + body
    connector.verify(form(base64.b64encode(digest).decode(), body=raw))


def test_a_body_of_64_kib_is_the_largest() -> None:
    assert connector.max_body == 64 * 1024
