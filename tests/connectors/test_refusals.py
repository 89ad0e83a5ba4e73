"""The meaning of each platform's refusals, from the tables in its documentation."""

from typing import Any

import pytest

from connectors import Purpose, Rejected, Reply

from .accounts import apple, instagram, messenger, twilio, whatsapp

MEDIA_REASONS = {"gone", "expired", "unauthorized", "unreachable", "too_large"}


def refusal_of(
    connector: Any,
    status: int,
    content: Any = None,
    purpose: Purpose = "send",
    headers: dict[str, str] | None = None,
) -> Rejected:
    refusal = connector.refusal(Reply(status, headers or {}, content, b"", purpose))
    assert isinstance(refusal, Rejected)
    return refusal


def graph(code: int, subcode: int | None = None) -> dict[str, Any]:
    error = {
        "message": "a consumer's words",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "A1",
    }
    return {"error": error if subcode is None else {**error, "error_subcode": subcode}}


def summary(refusal: Rejected) -> tuple[str, bool, bool]:
    return refusal.reason, refusal.retry, refusal.operator


# sending ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "retry", "operator"),
    [
        (0, "unauthorized", False, True),
        (190, "unauthorized", False, True),
        (3, "misconfigured", False, True),
        (10, "misconfigured", False, True),
        (200, "misconfigured", False, True),
        (299, "misconfigured", False, True),
        (4, "rate_limited", True, False),
        (80007, "rate_limited", True, False),
        (130429, "rate_limited", True, False),
        (131048, "rate_limited", True, True),
        (131064, "rate_limited", True, True),
        (131056, "rate_limited", True, False),
        (133016, "rate_limited", True, False),
        (131000, "temporary", True, False),
        (131016, "temporary", True, False),
        (135000, "temporary", True, False),
        (1, "temporary", True, False),
        (2, "temporary", True, False),
        (131053, "temporary", True, False),
        (131057, "temporary", True, True),
        (131005, "misconfigured", False, True),
        (131008, "invalid", False, False),
        (131009, "invalid", False, False),
        (100, "invalid", False, False),
        (131021, "undeliverable", False, False),
        (131026, "undeliverable", False, False),
        (131030, "misconfigured", False, True),
        (131031, "suspended", False, True),
        (368, "suspended", False, True),
        (131037, "misconfigured", False, True),
        (131042, "misconfigured", False, True),
        (131045, "misconfigured", False, True),
        (131047, "window_closed", False, False),
        (131049, "undeliverable", False, False),
        (131050, "opted_out", False, False),
        (130472, "undeliverable", False, False),
        (131051, "invalid", False, False),
        (131062, "undeliverable", False, False),
        (130497, "undeliverable", False, False),
        (137000, "undeliverable", False, False),
        (33, "misconfigured", False, True),
        (133010, "misconfigured", False, True),
    ],
)
def test_whatsapp_error_codes_have_the_documented_meaning(
    code: int, reason: str, retry: bool, operator: bool
) -> None:
    assert summary(refusal_of(whatsapp(), 400, graph(code))) == (reason, retry, operator)


def test_whatsapp_pair_rate_waits_six_seconds() -> None:
    assert refusal_of(whatsapp(), 400, graph(131056)).after == 6


@pytest.mark.parametrize(
    ("code", "subcode", "reason", "retry", "operator"),
    [
        (190, None, "unauthorized", False, True),
        (190, 463, "unauthorized", False, True),
        (10, 2018278, "window_closed", False, False),
        (10, None, "window_closed", False, False),
        (10, 2018300, "not_in_control", False, False),
        (100, 33, "misconfigured", False, True),
        (200, 1545041, "blocked", False, False),
        (3, None, "misconfigured", False, True),
        (368, None, "suspended", False, True),
        (10, 1893063, "suspended", False, True),
        (100, 2018001, "undeliverable", False, False),
        (100, 1893061, "misconfigured", False, True),
        (100, None, "invalid", False, False),
        (200, None, "misconfigured", False, True),
        (230, None, "misconfigured", False, True),
        (551, None, "blocked", False, False),
        (551, 1545041, "blocked", False, False),
        (613, None, "rate_limited", True, False),
        (4, None, "rate_limited", True, False),
        (32, None, "rate_limited", True, False),
        (80006, None, "rate_limited", True, False),
        (2, None, "temporary", True, False),
        (1, None, "temporary", True, False),
        (1200, None, "temporary", True, False),
        (2, 2018344, "misconfigured", False, True),
        (1357046, None, "temporary", True, False),
        (36000, None, "invalid", False, False),
        (546, None, "invalid", False, False),
    ],
)
def test_messenger_error_codes_have_the_documented_meaning(
    code: int, subcode: int | None, reason: str, retry: bool, operator: bool
) -> None:
    assert summary(refusal_of(messenger(), 400, graph(code, subcode))) == (reason, retry, operator)


@pytest.mark.parametrize(
    ("reason", "retry", "operator", "codes"),
    [
        ("unauthorized", False, True, [20003]),
        ("rate_limited", True, False, [20429, 14107, 21611, 30001, 30022, 63017, 63018]),
        ("rate_limited", True, True, [63038]),
        ("undeliverable", False, False, [21211, 21614, 21604, 21612, 30003, 30005, 30006, 30008]),
        ("undeliverable", False, False, [30009, 30010, 30410, 63003, 63024]),
        ("misconfigured", False, True, [21408, 21606, 21603, 21212, 21701, 21608, 21609, 20404]),
        ("misconfigured", False, True, [21601, 21607, 21616, 21621, 21659, 21660, 21661]),
        ("misconfigured", False, True, [21702, 21703, 21704, 21705, 21712, 21713, 63007, 63015]),
        ("misconfigured", False, True, [30018, 30024, 30032, 30034]),
        ("temporary", True, False, [20500, 20503]),
        ("opted_out", False, False, [21610]),
        ("invalid", False, False, [21617, 21602, 30019]),
        ("suspended", False, True, [30002]),
        ("blocked", False, False, [30004, 63032, 63033]),
        ("blocked", False, True, [30007]),
        ("window_closed", False, False, [63016]),
    ],
)
def test_twilio_error_codes_have_the_documented_meaning(
    reason: str, retry: bool, operator: bool, codes: list[int]
) -> None:
    for code in codes:
        refusal = refusal_of(
            twilio(), 400, {"code": code, "message": "a consumer's words", "status": 400}
        )
        assert summary(refusal) == (reason, retry, operator), code


@pytest.mark.parametrize(
    ("status", "reason", "retry"),
    [
        (400, "unknown", False),
        (401, "unauthorized", False),
        (403, "unauthorized", False),
        (404, "undeliverable", False),
        (429, "rate_limited", True),
        (500, "temporary", True),
        (503, "temporary", True),
    ],
)
@pytest.mark.parametrize(
    "connector",
    [apple(), instagram(), messenger(), twilio(), whatsapp()],
    ids=lambda one: type(one).__name__,
)
def test_a_refusal_without_a_code_follows_the_http_status(
    connector: Any, status: int, reason: str, retry: bool
) -> None:
    refusal = refusal_of(connector, status)
    assert (refusal.reason, refusal.retry) == (reason, retry)


def test_an_unlisted_code_leaves_telling_statuses_their_meaning() -> None:
    assert refusal_of(whatsapp(), 429, graph(987654)).reason == "rate_limited"
    assert refusal_of(messenger(), 500, graph(987654, 5)).reason == "temporary"
    assert refusal_of(twilio(), 429, {"code": 98765}).reason == "rate_limited"


# files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "purpose", "status", "content", "reason", "retry", "operator"),
    [
        # not ready yet
        (apple(), "lookup", 404, None, "gone", True, False),
        (twilio(), "download", 404, {"code": 20404, "status": 404}, "gone", True, False),
        (twilio(), "download", 404, None, "gone", True, False),
        # an expired address
        (apple(), "download", 403, None, "expired", True, False),
        (apple(), "download", 404, None, "expired", True, False),
        (messenger(), "download", 403, None, "expired", False, False),
        (twilio(), "download", 403, None, "expired", True, False),
        (whatsapp(), "download", 404, None, "expired", True, False),
        (whatsapp(), "download", 401, None, "expired", True, False),
        (whatsapp(), "download", 403, graph(190), "expired", True, False),
        # gone
        (apple(), "lookup", 410, None, "gone", False, False),
        (apple(), "download", 410, None, "gone", False, False),
        (messenger(), "download", 404, None, "gone", False, False),
        (messenger(), "download", 410, None, "gone", False, False),
        (twilio(), "download", 410, None, "gone", False, False),
        (whatsapp(), "lookup", 404, None, "gone", False, False),
        # credentials
        (apple(), "lookup", 401, None, "unauthorized", True, True),
        (apple(), "lookup", 403, None, "unauthorized", True, True),
        (twilio(), "download", 401, {"code": 20003, "status": 401}, "unauthorized", True, True),
        (twilio(), "download", 403, {"code": 20003, "status": 403}, "unauthorized", True, True),
        (whatsapp(), "lookup", 401, graph(190, 463), "unauthorized", True, True),
        (whatsapp(), "lookup", 400, graph(10), "unauthorized", True, True),
        (whatsapp(), "lookup", 400, graph(131031), "unauthorized", True, True),
        # too large
        (messenger(), "download", 413, None, "too_large", False, False),
        # throttled
        (apple(), "lookup", 429, None, "unreachable", True, False),
        (apple(), "lookup", 503, None, "unreachable", True, False),
        (messenger(), "download", 429, None, "unreachable", True, False),
        (twilio(), "download", 429, {"code": 20429}, "unreachable", True, False),
        (whatsapp(), "lookup", 400, graph(4), "unreachable", True, False),
        (whatsapp(), "lookup", 400, graph(80007), "unreachable", True, False),
        (whatsapp(), "download", 429, None, "unreachable", True, False),
        # transient
        (apple(), "download", 500, None, "unreachable", True, False),
        (messenger(), "download", 502, None, "unreachable", True, False),
        (twilio(), "download", 500, None, "unreachable", True, False),
        (whatsapp(), "download", 500, None, "unreachable", True, False),
        (whatsapp(), "lookup", 500, graph(2), "unreachable", True, False),
        # nobody knows what became of the file
        (whatsapp(), "lookup", 400, graph(100), "unreachable", True, False),
        (whatsapp(), "lookup", 400, graph(100, 33), "unreachable", True, False),
        (whatsapp(), "lookup", 404, graph(987654), "unreachable", True, False),
        (whatsapp(), "lookup", 400, graph(131047), "unreachable", True, False),
        (twilio(), "download", 400, {"code": 21610}, "unreachable", True, False),
        (apple(), "lookup", 400, None, "unreachable", True, False),
        (messenger(), "download", 409, None, "unreachable", True, False),
        # a success without an answer
        (apple(), "lookup", 200, {}, "unreachable", True, False),
        (whatsapp(), "lookup", 200, None, "unreachable", True, False),
    ],
)
def test_a_refused_file_has_the_documented_reason(
    connector: Any,
    purpose: Purpose,
    status: int,
    content: Any,
    reason: str,
    retry: bool,
    operator: bool,
) -> None:
    refusal = refusal_of(connector, status, content, purpose)
    assert summary(refusal) == (reason, retry, operator)


@pytest.mark.parametrize(
    "connector",
    [apple(), instagram(), messenger(), twilio(), whatsapp()],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize("purpose", ["lookup", "download"])
def test_refused_files_have_a_media_reason(connector: Any, purpose: Purpose) -> None:
    codes = [None, *(graph(code) for code in (0, 2, 4, 10, 100, 131047, 131048, 131052, 999999))]
    codes += [{"code": code} for code in (20003, 20404, 21610, 30007, 63038)]
    for content in codes:
        for status in (200, 302, 400, 401, 403, 404, 409, 410, 413, 418, 429, 451, 500, 503):
            assert refusal_of(connector, status, content, purpose).reason in MEDIA_REASONS


def test_a_file_is_retried_rarely_while_an_operator_must_act() -> None:
    # Meta blocks clients that fail twenty times within an hour.
    after = refusal_of(whatsapp(), 401, graph(190), "lookup").after
    assert after is not None
    assert 3600 / after < 20


@pytest.mark.parametrize(
    "connector",
    [apple(), instagram(), messenger(), twilio(), whatsapp()],
    ids=lambda one: type(one).__name__,
)
def test_refusal_uses_retry_after(connector: Any) -> None:
    for purpose in ("lookup", "download", "send"):
        assert refusal_of(connector, 429, None, purpose, {"retry-after": "77"}).after == 77
        assert refusal_of(connector, 429, None, purpose, {"retry-after": "soon"}).after is not None
