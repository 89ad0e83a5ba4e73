"""The capabilities chart, compared with what is known of the platforms."""

import pytest

from connectors import FEATURES, Capabilities

from .accounts import apple, instagram, messenger, twilio, whatsapp

#: y: yes · l: limited · t: text · n: no. In the order Apple, Instagram, Messenger, Twilio, WhatsApp.
CHART = {
    "text": "yyyyy",
    "photo": "yyyyy",
    "photo_caption": "ynnyy",
    "several_photos": "yyyyn",
    "video": "yyyyy",
    "video_caption": "ynnyy",
    "audio": "yyyly",
    "document": "ylyly",
    "sticker": "llyny",
    "location": "tnlty",
    "contact": "lnnly",
    "reply_context": "lyyny",
    "reaction": "tyyty",
    "edit": "nlyny",
    "deletion": "nylny",
    "button": "yyyny",
    "echo": "nyynl",
    "typing": "ynnnn",
    "delivered": "nnyyy",
    "read": "nyynl",
    "failed": "nnnyy",
    "send_text": "yyyyy",
    "send_quote": "nnnny",
    "send_typing": "yyynl",
    "mark_read": "nyyny",
    "send_close": "nnnnn",
    "outcome": "nnnnn",
    "forget": "nnnnn",
}
WORDS = {"y": "yes", "l": "limited", "t": "text", "n": "no"}
MAKERS = (apple, instagram, messenger, twilio, whatsapp)
CHARTS: list[Capabilities] = [make().capabilities for make in MAKERS]


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
    assert [chart.max_text for chart in CHARTS] == [3000, 1000, 2000, 1600, 4096]
    assert [chart.max_text_bytes for chart in CHARTS] == [0, 1000, 0, 0, 0]
    assert [chart.reply_window for chart in CHARTS] == [None, 86_400, 86_400, None, 86_400]
    patience = [make().media_patience for make in MAKERS]
    assert patience == [900, 900, 900, 3600, 86_400]
