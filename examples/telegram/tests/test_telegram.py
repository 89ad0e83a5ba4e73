"""The conformance kit, run on the Telegram connector."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from airlock_telegram import Telegram
from connectors import Request
from connectors.conformance import Conformance
from pydantic import ValidationError

HEADER = "x-telegram-bot-api-secret-token"
SECRETS = ("an-older-word", "a-newer-word")
SETTINGS = {"bot_token": "123456:AAH-example_token-0123456789", "secret_tokens": SECRETS}


class TestTelegram(Conformance):
    connector = Telegram(Telegram.Config.model_validate(SETTINGS))
    payloads = Path(__file__).parent / "payloads"
    signature_header = HEADER
    # The only form is /bot<token>/METHOD: https://core.telegram.org/bots/api#making-requests
    token_in_address = True
    grade = "gold"
    unread: ClassVar = {
        "callback_query/message": "the question is our own text, and reply_to names it",
        "message/audio/title": "the title of a recording is not what the consumer says",
        "message/live_photo": "the photo is shown, and its video is not",
        "message/photo": "the largest of several sizes is enough",
        "message/poll": "Airlock shows no polls, and says so",
    }

    def sign(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, HEADER: SECRETS[-1]})


@pytest.mark.parametrize("token", ["123456", "abc:DEF", "123456:", "123456:A/../B", "123456:A B"])
def test_a_token_that_would_change_the_url_is_rejected(token: str) -> None:
    with pytest.raises(ValidationError, match="is not a bot token"):
        Telegram.Config.model_validate({**SETTINGS, "bot_token": token})
