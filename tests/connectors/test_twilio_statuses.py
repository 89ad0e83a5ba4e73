"""Opt-outs and delivery statuses from Twilio."""

import pytest

from connectors import Message, Notice, Receipt
from connectors.twilio import Twilio

from .forms import form, parsed, status


def failed(**fields: str) -> Receipt:
    (event,) = parsed(status("failed", **fields))
    assert isinstance(event, Receipt)
    return event


@pytest.mark.parametrize(
    ("word", "details"),
    [
        ("STOP", {"opted_out": True}),
        ("START", {"opted_out": False}),
        ("HELP", None),
        ("stop", {"opted_out": True}),
        ("Start", {"opted_out": False}),
        ("OTHER", None),
    ],
)
def test_an_opt_out_keyword_is_a_message_and_a_notice(
    word: str, details: dict[str, bool] | None
) -> None:
    message, notice = parsed(form(Body=word, OptOutType=word))
    assert isinstance(message, Message)
    assert message.text == word
    assert isinstance(notice, Notice)
    assert (notice.text, notice.details) == (word.upper(), details)


@pytest.mark.parametrize("body", ["", "  "])
def test_an_opt_out_without_words_is_only_a_notice(body: str) -> None:
    (notice,) = parsed(form(Body=body, OptOutType="STOP"))
    assert isinstance(notice, Notice)
    assert notice.details == {"opted_out": True}


@pytest.mark.parametrize("body", ["START", " start\n", "Unstop"])
def test_an_opt_in_is_noticed_without_advanced_opt_out(body: str) -> None:
    message, notice = parsed(form(Body=body))
    assert isinstance(message, Message)
    assert isinstance(notice, Notice)
    assert notice.details == {"opted_out": False}


@pytest.mark.parametrize("body", ["yes", "STOP", "start again", "let us start"])
def test_other_words_are_not_an_opt_in(body: str) -> None:
    assert [event.type for event in parsed(form(Body=body))] == ["message"]


def test_twilio_reports_that_a_consumer_opts_in() -> None:
    assert Twilio.reports_opt_in


def test_words_after_an_opt_out_change_nothing() -> None:
    (message,) = parsed(form(Body="where is it?"))
    assert isinstance(message, Message)


def test_a_status_reports_that_the_consumer_opted_out() -> None:
    words = "Attempt to send to unsubscribed recipient"
    receipt = failed(ErrorCode="21610", ErrorMessage=words)
    assert receipt.status == "failed"
    assert (receipt.reason, receipt.code, receipt.detail) == ("opted_out", "21610", words)


@pytest.mark.parametrize("code", ["30003", "30005", "30006", "30008"])
def test_an_undelivered_text_keeps_the_code_and_words(code: str) -> None:
    words = "Unreachable destination handset"
    (receipt,) = parsed(status("undelivered", ErrorCode=code, ErrorMessage=words))
    assert isinstance(receipt, Receipt)
    assert (receipt.reason, receipt.code, receipt.detail) == ("undeliverable", code, words)


@pytest.mark.parametrize("code", ["99999", "E-1", "9" * 5000, "²"])
def test_an_unlisted_code_is_unknown(code: str) -> None:
    receipt = failed(ErrorCode=code)
    assert (receipt.reason, receipt.code, receipt.detail) == ("unknown", code, None)


def test_a_channels_words_are_kept_beside_twilios() -> None:
    receipt = failed(ErrorCode="63016", ErrorMessage="Failed", ChannelStatusMessage="Outside")
    assert receipt.detail == "Failed; Outside"
    assert failed(ErrorCode="1", ErrorMessage="x", ChannelStatusMessage="x").detail == "x"
    assert len(failed(ErrorCode="1", ErrorMessage="x" * 900).detail or "") == 500


def test_a_success_has_neither_code_nor_words() -> None:
    (receipt,) = parsed(status("delivered", ErrorCode="", ErrorMessage=""))
    assert isinstance(receipt, Receipt)
    assert (receipt.reason, receipt.code, receipt.detail) == (None, None, None)
