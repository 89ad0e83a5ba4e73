"""Who is to blame: codes that no table lists, codes with several causes, and the platform's own words."""

from typing import Any

import pytest

from connectors import Purpose, Rejected, Reply
from connectors.twilio.error_codes import failure as twilio_failure
from connectors.whatsapp.error_codes import failure as whatsapp_failure

from .accounts import apple, instagram, messenger, twilio, whatsapp

PROOF = "Invalid appsecret_proof provided in the API argument"
NO_OBJECT = "Unsupported post request. Object with ID '1' does not exist, cannot be loaded"
SEND: tuple[Purpose, ...] = ("send", "check")


def refusal(connector: Any, status: int, content: Any, purpose: Purpose = "send") -> Rejected:
    found = connector.refusal(Reply(status, {}, content, b"", purpose))
    assert isinstance(found, Rejected)
    return found


def graph(code: Any, message: str = "as sent by Meta", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **more}}


# unlisted codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", SEND)
@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 409, 410, 422])
@pytest.mark.parametrize(
    ("connector", "content"),
    [
        (whatsapp(), graph(987654)),
        (whatsapp(), graph("987654")),
        (whatsapp(), graph(100, error_subcode=987654)),
        (messenger(), graph(987654, error_subcode=1)),
        (messenger(), graph(10, error_subcode=987654)),
        (messenger(), graph(100, error_subcode=987654)),
        (messenger(), graph(200, error_subcode=987654)),
        (instagram(), graph(100, error_subcode=987654)),
        (instagram(), graph(10, error_subcode=987654)),
        (twilio(), {"code": 98765, "message": "as sent by Twilio"}),
        (twilio(), {"error_code": 98765, "error_message": "as sent by Twilio"}),
    ],
)
def test_an_unlisted_code_is_unknown(
    connector: Any, content: Any, status: int, purpose: Purpose
) -> None:
    found = refusal(connector, status, content, purpose)
    assert (found.reason, found.retry, found.operator) == ("unknown", False, False)
    assert "98765" in (found.code or "")
    assert "as sent by" in found.detail
    assert found.explained


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
@pytest.mark.parametrize(
    "connector", [whatsapp(), messenger(), instagram()], ids=lambda one: type(one).__name__
)
def test_an_unlisted_code_does_not_end_a_file(connector: Any, status: int) -> None:
    found = refusal(connector, status, graph(987654), "lookup")
    assert (found.reason, found.retry, found.code) == ("unreachable", True, "987654")
    assert found.detail == "as sent by Meta"


# codes with several causes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "connector", [whatsapp(), messenger(), instagram()], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (graph(100, PROOF), "misconfigured"),
        (graph(100, PROOF, type="GraphMethodException"), "misconfigured"),
        (graph(100, NO_OBJECT), "misconfigured"),
        (graph(100, NO_OBJECT, error_subcode=33), "misconfigured"),
        (graph(100, "(#100) Length of param message[text] must be less than 2000"), "invalid"),
        (graph(33), "misconfigured"),
        (graph(299), "misconfigured"),
        (graph(190, "Error validating access token"), "unauthorized"),
    ],
)
def test_graph_errors_blame_the_one_who_can_act(connector: Any, content: Any, reason: str) -> None:
    assert refusal(connector, 400, content).reason == reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("(#10) This message is sent outside of allowed window.", "window_closed"),
        ("(#10) Application does not have permission for this action", "misconfigured"),
        (
            "(#10) Message failed to send because another app is controlling this thread now.",
            "not_in_control",
        ),
    ],
)
def test_messengers_code_10_follows_its_words(message: str, reason: str) -> None:
    assert refusal(messenger(), 403, graph(10, message)).reason == reason


def test_control_by_another_app_differs_from_a_closed_window() -> None:
    words = "(#10) Message failed to send because another app is controlling this thread now."
    found = refusal(messenger(), 403, graph(10, words, error_subcode=2018300))
    assert (found.reason, found.code, found.detail) == ("not_in_control", "10/2018300", words)


@pytest.mark.parametrize(
    "content",
    [
        graph(100, "(#100) Param phone_number_id is not a valid WhatsApp business phone number ID"),
        graph(100, NO_OBJECT, error_subcode=33),
        graph(33),
        graph(100),
    ],
)
def test_whatsapps_code_100_ends_no_file(content: Any) -> None:
    found = refusal(whatsapp(), 400, content, "lookup")
    assert (found.reason, found.retry, found.operator) == ("unreachable", True, False)


def test_a_wrong_proof_on_a_look_up_calls_for_an_operator() -> None:
    found = refusal(whatsapp(), 400, graph(100, PROOF), "lookup")
    assert (found.reason, found.retry, found.operator) == ("unauthorized", True, True)


def test_apples_refusal_of_a_text_is_unknown_with_its_words() -> None:
    body = b"The request disallows use of 'data'"
    found = apple().refusal(Reply(400, {}, None, body, "send"))
    assert (found.reason, found.code, found.detail) == ("unknown", None, body.decode())


# code and words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "content", "code", "detail"),
    [
        (whatsapp(), graph(131047), "131047", "as sent by Meta"),
        (whatsapp(), graph(131047, fbtrace_id="A1"), "131047", "as sent by Meta (trace A1)"),
        (
            whatsapp(),
            graph(131030, error_data={"details": "The number is not in the allowed list"}),
            "131030",
            "as sent by Meta / The number is not in the allowed list",
        ),
        (
            messenger(),
            graph(551, error_user_msg="not available"),
            "551",
            "as sent by Meta / not available",
        ),
        (messenger(), graph(190, error_subcode=463), "190/463", "as sent by Meta"),
        (
            messenger(),
            graph(190, error_data="not an object"),
            "190",
            "as sent by Meta / not an object",
        ),
        (messenger(), {"error": "no object"}, None, "no object"),
        (twilio(), {"code": 21610, "message": "Unsubscribed"}, "21610", "Unsubscribed"),
        (twilio(), {"code": "21610"}, "21610", "Attempt to send to unsubscribed recipient"),
        (
            twilio(),
            {"code": 20003, "title": "Denied", "detail": "Wrong key"},
            "20003",
            "Denied / Wrong key",
        ),
        (apple(), {"message": "closed"}, None, "closed"),
        (apple(), "closed", None, "closed"),
        (apple(), None, None, "HTTP 400"),
    ],
)
def test_a_refusal_has_the_platforms_code_and_words(
    connector: Any, content: Any, code: str | None, detail: str
) -> None:
    found = refusal(connector, 400, content)
    assert (found.code, found.detail) == (code, detail)


@pytest.mark.parametrize(
    "connector",
    [apple(), instagram(), messenger(), twilio(), whatsapp()],
    ids=lambda one: type(one).__name__,
)
def test_words_are_cut_at_500_characters(connector: Any) -> None:
    long = "a word " * 1000
    for content in (graph(1, long), {"code": 5, "message": long}, long):
        assert len(refusal(connector, 400, content).detail) <= 500


def test_the_page_of_a_proxy_is_not_passed_on() -> None:
    page = b"<html><body>502 Bad Gateway, said a proxy</body></html>"
    found = apple().refusal(Reply(502, {}, None, page, "send"))
    assert found.detail == "HTTP 502"


# failures that are reported later -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            {"code": 131060, "title": "Message unavailable", "error_data": {"details": "Gone"}},
            ("unknown", "131060", "Message unavailable / Gone"),
        ),
        ({"code": 131026, "title": "Undeliverable"}, ("undeliverable", "131026", "Undeliverable")),
        ({"code": 131050}, ("opted_out", "131050", None)),
        ({"code": None}, ("unknown", None, None)),
        ({"title": "Something"}, ("unknown", None, "Something")),
        (None, ("unknown", None, None)),
    ],
)
def test_a_failed_whatsapp_status_keeps_code_and_words(
    error: Any, expected: tuple[Any, ...]
) -> None:
    assert tuple(whatsapp_failure(error).values()) == expected


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        ("30003", None, ("undeliverable", "30003", "Unreachable destination handset")),
        ("30005", None, ("undeliverable", "30005", "Unknown destination handset")),
        ("30006", "", ("undeliverable", "30006", "Landline or unreachable carrier")),
        ("30008", "No idea", ("undeliverable", "30008", "No idea")),
        ("21610", None, ("opted_out", "21610", "Attempt to send to unsubscribed recipient")),
        ("98765", "Something new", ("unknown", "98765", "Something new")),
        ("", None, ("unknown", None, None)),
        ("x", None, ("unknown", None, None)),
    ],
)
def test_a_failed_twilio_status_keeps_code_and_words(
    code: str, said: str | None, expected: tuple[Any, ...]
) -> None:
    assert tuple(twilio_failure(code, said).values()) == expected
