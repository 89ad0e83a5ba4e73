"""The capabilities chart, compared with what is known of the platforms."""

import pytest

from connectors import FEATURES, Capabilities

from .accounts import apple, messenger, twilio, whatsapp

#: y: yes · l: limited · t: text · n: no. In the order Apple, Messenger, Twilio, WhatsApp.
CHART = {
    "text": "yyyy",
    "photo": "yyyy",
    "photo_caption": "ynyy",
    "several_photos": "yyyn",
    "video": "yyyy",
    "video_caption": "ynyy",
    "audio": "yyly",
    "document": "yyly",
    "sticker": "lyny",
    "location": "tlty",
    "contact": "lnly",
    "reply_context": "lyny",
    "reaction": "tyty",
    "edit": "nyny",
    "deletion": "nlny",
    "button": "yyny",
    "echo": "nynl",
    "typing": "ynnn",
    "delivered": "nyyy",
    "read": "nynl",
    "failed": "nnyy",
    "send_text": "yyyy",
    "send_quote": "nnny",
    "send_typing": "yynl",
    "mark_read": "nyny",
    "send_close": "nnnn",
    "outcome": "nnnn",
    "forget": "nnnn",
}
WORDS = {"y": "yes", "l": "limited", "t": "text", "n": "no"}
CHARTS: list[Capabilities] = [make().capabilities for make in (apple, messenger, twilio, whatsapp)]


def test_the_chart_has_every_feature() -> None:
    assert set(CHART) == set(FEATURES)


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_has_the_expected_support(feature: str) -> None:
    for letter, chart in zip(CHART[feature], CHARTS, strict=True):
        assert chart.support(feature) == WORDS[letter]  # type: ignore[arg-type] # one of FEATURES


def test_every_limited_feature_has_a_note() -> None:
    for chart in CHARTS:
        limited = {name for name, support in chart.features.items() if support == "limited"}
        assert limited <= set(chart.notes)


def test_each_platform_has_its_documented_limits() -> None:
    assert [chart.max_text for chart in CHARTS] == [3000, 2000, 1600, 4096]
    assert [chart.reply_window for chart in CHARTS] == [None, 86_400, None, 86_400]
    patience = [make().media_patience for make in (apple, messenger, twilio, whatsapp)]
    assert patience == [900, 900, 3600, 86_400]
