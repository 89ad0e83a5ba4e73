"""Apple's bearer token, and what binds a delivery to us besides."""

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
    told = {**HEADERS, "authorization": f"Bearer {bearer}", **named}
    raw = body if isinstance(body, bytes) else gzip.compress(json.dumps(body).encode())
    return request(raw, {name: value for name, value in told.items() if value is not None})


def claims(**changed: Any) -> str:
    told = {"aud": MSP_ID, "iat": IAT, **changed}
    return token({name: value for name, value in told.items() if value is not None})


def refuse(request: Request, by: Apple = connector) -> str:
    with pytest.raises(Forbidden) as refusal:
        by.verify(request)
    return str(refusal.value)


def test_the_known_token_is_taken() -> None:
    connector.verify(sent(KNOWN))


def test_a_secret_used_undecoded_does_not_fit() -> None:
    refuse(sent(SIGNED_WITH_THE_UNDECODED_SECRET))


def test_either_secret_is_good_while_one_is_replaced() -> None:
    for secret in (MSP_SECRET, OLDER_MSP_SECRET):
        connector.verify(sent(token({"aud": MSP_ID, "iat": IAT}, secret)))
    refuse(sent(token({"aud": MSP_ID, "iat": IAT}, base64.b64encode(b"x" * 32).decode())))


@pytest.mark.parametrize("audience", [MSP_ID, [MSP_ID], ["another", MSP_ID]])
def test_the_token_may_name_us_alone_or_among_others(audience: Any) -> None:
    connector.verify(sent(claims(aud=audience)))


@pytest.mark.parametrize("audience", [None, "", "csp-0002", [], ["csp-0002"], 5, {"csp-0001": 1}])
def test_a_token_for_somebody_else_is_refused(audience: Any) -> None:
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
def test_a_token_that_chooses_its_own_algorithm_is_refused(header: dict[str, Any]) -> None:
    told = {"aud": MSP_ID, "iat": IAT}
    refuse(sent(token(told, MSP_SECRET, header)))
    refuse(sent(token(told, MSP_SECRET, header).rpartition(".")[0] + "."))


def test_a_token_signed_with_an_empty_key_is_refused() -> None:
    refuse(sent(token({"aud": MSP_ID, "iat": IAT}, key=b"")))


def test_the_time_of_receipt_counts_and_not_the_wall_clock() -> None:
    later = NOW + timedelta(days=4000)
    issued = {"aud": MSP_ID, "iat": int(later.timestamp())}
    then = sent(token(issued))
    refuse(then)
    connector.verify(Request(then.method, then.url, then.headers, then.body, later, {}))


@pytest.mark.parametrize("ahead", [0, 1, 299])
def test_a_clock_that_is_minutes_ahead_is_forgiven(ahead: int) -> None:
    connector.verify(sent(claims(iat=IAT + ahead)))


@pytest.mark.parametrize("iat", [IAT + 301, 1e300, "now", str(IAT), None, True and [IAT], {}])
def test_a_token_from_the_future_or_from_no_time_is_refused(iat: Any) -> None:
    refuse(sent(claims(iat=iat)))


def test_times_that_are_no_numbers_at_all_are_refused() -> None:
    refuse(sent(claims(iat=float("nan"))))
    refuse(sent(claims(iat=float("inf"))))
    refuse(sent(claims(exp=float("nan"))))


def test_an_old_token_is_taken_unless_a_limit_was_set() -> None:
    old = sent(claims(iat=IAT - 90_000))
    connector.verify(old)
    assert "max_token_age" in refuse(old, apple(max_token_age=86_400))
    apple(max_token_age=86_400).verify(sent(claims(iat=IAT - 80_000)))


def test_an_expiry_is_honoured_where_there_is_one() -> None:
    connector.verify(sent(claims(exp=IAT + 1)))
    refuse(sent(claims(exp=IAT - 1)))
    refuse(sent(claims(exp="tomorrow")))


@pytest.mark.parametrize("scheme", ["Basic", "", "Bearer:", "bearer\t"])
def test_only_a_bearer_token_counts(scheme: str) -> None:
    refuse(sent("", authorization=f"{scheme} {KNOWN}"))


def test_the_name_of_the_scheme_may_be_written_either_way() -> None:
    connector.verify(sent("", authorization=f"bearer {KNOWN}"))


def test_a_header_nested_deeper_than_python_can_follow_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=")
    refuse(sent(f"{deep}.{deep[:60]}.AAAA"))
    refuse(sent("a" * 1_000_000))


@pytest.mark.parametrize("destination", [None, "", "0a1b2c3d-0000-4000-8000-000000000002"])
def test_a_business_that_is_not_ours_is_refused(destination: str | None) -> None:
    body = {**MESSAGE, "destinationId": destination}
    refuse(sent(KNOWN, body, destination_id=destination))


def test_further_businesses_can_share_the_address() -> None:
    other = "0a1b2c3d-0000-4000-8000-000000000002"
    body = {**MESSAGE, "destinationId": other}
    shared = sent(KNOWN, body, destination_id=other)
    refuse(shared)
    apple(business_ids=[other]).verify(shared)


def test_a_business_id_is_the_same_in_capitals() -> None:
    connector.verify(sent(KNOWN, destination_id=BUSINESS_ID.upper()))


@pytest.mark.parametrize("field", ["id", "sourceId", "destinationId"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_a_body_put_under_another_messages_headers_is_refused(field: str, pack: Any) -> None:
    for value in ("another", 5, [MESSAGE[field]]):
        body = pack(json.dumps({**MESSAGE, field: value}).encode())
        assert field in refuse(sent(KNOWN, body))


def test_headers_other_than_the_destination_may_be_missing() -> None:
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
def test_a_body_that_cannot_be_read_is_not_for_the_proof_to_judge(body: bytes) -> None:
    connector.verify(sent(KNOWN, body))
