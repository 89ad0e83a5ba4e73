"""Apple's bearer token, and the headers that tie a delivery to our account."""

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from connectors import Forbidden, Request
from connectors.apple import Apple

from .accounts import (
    BUSINESS_ID,
    MSP_ID,
    MSP_SECRET,
    NOW,
    OLDER_MSP_SECRET,
    apple,
    request,
    token,
)

HEAD = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJjc3AtMDAwMSIsImlhdCI6MTcwMDAwMDAwMH0"
KNOWN = f"{HEAD}.Qe7dHTk_m2weM0tcbx3KH4f00zf9KjH2Vz-yElKt_9g"
SIGNED_WITH_THE_UNDECODED_SECRET = f"{HEAD}.KlwuH64VgC2QgWxZJXWG_WI7sUmceGOam8BBP8z3ptY"
IAT = int(NOW.timestamp())
MESSAGE: dict[str, Any] = {
    "v": 1,
    "id": "7d2b1c40-0f5f-4d6b-9a55-2f0f4b7f0001",
    "type": "text",
    "sourceId": "urn:mbid:AQAAYexample/+=",
    "destinationId": BUSINESS_ID,
    "body": "hello",
}
HEADERS = {
    "id": MESSAGE["id"],
    "source-id": MESSAGE["sourceId"],
    "destination-id": BUSINESS_ID,
}

connector = apple()


def sent(bearer: str, body: Any = MESSAGE, **headers: str | None) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {**HEADERS, "authorization": f"Bearer {bearer}", **named}
    raw = body if isinstance(body, bytes) else gzip.compress(json.dumps(body).encode())
    return request(raw, {name: value for name, value in given.items() if value is not None})


def claims(**changed: Any) -> str:
    given = {"aud": MSP_ID, "iat": IAT, **changed}
    return token({name: value for name, value in given.items() if value is not None})


def refuse(request: Request, by: Apple = connector) -> str:
    with pytest.raises(Forbidden) as refusal:
        by.verify(request)
    return str(refusal.value)


def test_a_known_token_is_accepted() -> None:
    connector.verify(sent(KNOWN))


def test_a_token_signed_with_the_undecoded_secret_is_rejected() -> None:
    refuse(sent(SIGNED_WITH_THE_UNDECODED_SECRET))


def test_both_secrets_are_valid_during_a_rotation() -> None:
    for secret in (MSP_SECRET, OLDER_MSP_SECRET):
        connector.verify(sent(token({"aud": MSP_ID, "iat": IAT}, secret)))
    refuse(sent(token({"aud": MSP_ID, "iat": IAT}, base64.b64encode(b"x" * 32).decode())))


@pytest.mark.parametrize("audience", [MSP_ID, [MSP_ID], ["another", MSP_ID]])
def test_a_token_may_have_several_audiences(audience: Any) -> None:
    connector.verify(sent(claims(aud=audience)))


@pytest.mark.parametrize("audience", [None, "", "csp-0002", [], ["csp-0002"], 5, {"csp-0001": 1}])
def test_a_token_for_another_audience_is_rejected(audience: Any) -> None:
    refuse(sent(claims(aud=audience)))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"typ": "JWT"},
        {"alg": "HS256", "crit": ["x"]},
    ],
)
def test_a_token_that_chooses_its_own_algorithm_is_rejected(header: dict[str, Any]) -> None:
    ours = {"aud": MSP_ID, "iat": IAT}
    refuse(sent(token(ours, MSP_SECRET, header)))
    refuse(sent(token(ours, MSP_SECRET, header).rpartition(".")[0] + "."))


def test_a_token_signed_with_an_empty_key_is_rejected() -> None:
    refuse(sent(token({"aud": MSP_ID, "iat": IAT}, key=b"")))


def test_verify_uses_the_time_of_receipt() -> None:
    later = NOW + timedelta(days=4000)
    issued = {"aud": MSP_ID, "iat": int(later.timestamp())}
    then = sent(token(issued))
    refuse(then)
    connector.verify(Request(then.method, then.url, then.headers, then.body, later, {}))


@pytest.mark.parametrize("ahead", [0, 1, 299])
def test_a_token_issued_minutes_ahead_is_accepted(ahead: int) -> None:
    connector.verify(sent(claims(iat=IAT + ahead)))


@pytest.mark.parametrize("iat", [IAT + 301, 1e300, "now", str(IAT), None, True and [IAT], {}])
def test_a_token_with_a_future_or_invalid_time_is_rejected(iat: Any) -> None:
    refuse(sent(claims(iat=iat)))


def test_token_times_that_are_not_finite_are_rejected() -> None:
    refuse(sent(claims(iat=float("nan"))))
    refuse(sent(claims(iat=float("inf"))))
    refuse(sent(claims(exp=float("nan"))))


def test_an_old_token_is_accepted_without_max_token_age() -> None:
    old = sent(claims(iat=IAT - 90_000))
    connector.verify(old)
    assert "max_token_age" in refuse(old, apple(max_token_age=86_400))
    apple(max_token_age=86_400).verify(sent(claims(iat=IAT - 80_000)))


def test_an_expired_token_is_rejected() -> None:
    connector.verify(sent(claims(exp=IAT + 1)))
    refuse(sent(claims(exp=IAT - 1)))
    refuse(sent(claims(exp="tomorrow")))


@pytest.mark.parametrize("scheme", ["Basic", "", "Bearer:", "bearer\t"])
def test_only_the_bearer_scheme_is_accepted(scheme: str) -> None:
    refuse(sent("", authorization=f"{scheme} {KNOWN}"))


def test_the_scheme_may_be_in_lower_case() -> None:
    connector.verify(sent("", authorization=f"bearer {KNOWN}"))


def test_a_token_too_deep_or_long_to_parse_is_rejected() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=")
    refuse(sent(f"{deep}.{deep[:60]}.AAAA"))
    refuse(sent("a" * 1_000_000))


@pytest.mark.parametrize("destination", [None, "", "0a1b2c3d-0000-4000-8000-000000000002"])
def test_a_delivery_to_another_business_is_rejected(destination: str | None) -> None:
    body = {**MESSAGE, "destinationId": destination}
    refuse(sent(KNOWN, body, destination_id=destination))


def test_further_businesses_may_share_the_webhook() -> None:
    other = "0a1b2c3d-0000-4000-8000-000000000002"
    body = {**MESSAGE, "destinationId": other}
    shared = sent(KNOWN, body, destination_id=other)
    refuse(shared)
    apple(business_ids=[other]).verify(shared)


def test_business_ids_are_compared_without_regard_to_case() -> None:
    connector.verify(sent(KNOWN, destination_id=BUSINESS_ID.upper()))


@pytest.mark.parametrize("field", ["id", "sourceId", "destinationId"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_a_body_with_another_messages_headers_is_rejected(field: str, pack: Any) -> None:
    for value in ("another", 5, [MESSAGE[field]]):
        body = pack(json.dumps({**MESSAGE, field: value}).encode())
        assert field in refuse(sent(KNOWN, body))


def test_headers_other_than_destination_id_may_be_missing() -> None:
    connector.verify(sent(KNOWN, id=None, source_id=None))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[1]",
        b"\x1f\x8b\x08damaged",
        gzip.compress(json.dumps(MESSAGE).encode())[:-9],
        gzip.compress(b"\xff\xfe"),
        b"[" * 100_000,
        gzip.compress(b" " * (apple().max_body + 1)),
    ],
    ids=["empty", "text", "list", "no gzip", "cut", "no UTF-8", "deep", "bomb"],
)
def test_verify_accepts_an_unreadable_body_with_a_valid_token(body: bytes) -> None:
    connector.verify(sent(KNOWN, body))


@pytest.mark.parametrize("text", [rb"hello \ud83d", b"hello \xff", rb"\udc00"])
def test_half_a_character_hides_no_other_message(text: bytes) -> None:
    raw = json.dumps({**MESSAGE, "body": "hello"}).encode().replace(b"hello", text)
    connector.verify(sent(claims(), raw))
    assert "differ" in refuse(sent(claims(), raw, id="another"))
