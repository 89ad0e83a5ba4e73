"""The conformance kit, run on the Telegram connector."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from airlock_telegram import Telegram
from airlock_telegram.emulator import Telegram as TelegramEmulator
from airlock_telegram.updates import UNSUPPORTED
from connectors import Request
from connectors.conformance import Conformance
from pydantic import ValidationError

HEADER = "x-telegram-bot-api-secret-token"
SECRETS = ("an-older-word", "a-newer-word")
SETTINGS = {"bot_token": "123456:AAH-example_token-0123456789", "secret_tokens": SECRETS}


class TestTelegram(Conformance):
    emulator = TelegramEmulator
    connector = Telegram(Telegram.Config.model_validate(SETTINGS))
    payloads = Path(__file__).parent / "payloads"
    signature_header = HEADER
    # The only form is /bot<token>/METHOD: https://core.telegram.org/bots/api#making-requests
    token_in_address = True
    grade = "gold"
    unread: ClassVar = {
        "*/file_unique_id": "it does not lead to the file",
        "*/language_code": "agents see the text itself",
        "*/thumbnail": "Airlock makes its own thumbnails",
        "*/username": "the name is shown, and answers go to the chat's id",
        "callback_query/chat_instance": "it is for games",
        "callback_query/message": "the question is our own text, and reply_to names it",
        "edited_message/date": "the time of the edit counts",
        "edited_message/photo/height": "the largest of several sizes is enough",
        "edited_message/photo/width": "the largest of several sizes is enough",
        "message/animation/duration": "Airlock measures files itself",
        "message/animation/height": "Airlock measures files itself",
        "message/animation/width": "Airlock measures files itself",
        "message/audio/duration": "Airlock measures files itself",
        "message/audio/title": "the title of a recording is not what the consumer says",
        "message/entities": "agents see the text itself",
        "message/forward_origin": "that it was forwarded is shown, and not by whom",
        "message/live_photo": "the photo is shown, and its video is not",
        "message/media_group_id": "each photo of an album is a message",
        "message/photo": "the largest of several sizes is enough",
        **dict.fromkeys(
            (f"message/{kind}" for kind in UNSUPPORTED), "Airlock does not show it, and says so"
        ),
        "message/reply_to_message": "reply_to names the message, which agents have seen",
        "message/sticker/emoji": "the sticker itself is shown",
        "message/sticker/height": "Airlock measures files itself",
        "message/sticker/set_name": "the sticker itself is shown",
        "message/sticker/type": "the sticker itself is shown",
        "message/sticker/width": "Airlock measures files itself",
        "message/video/duration": "Airlock measures files itself",
        "message/video/height": "Airlock measures files itself",
        "message/video/width": "Airlock measures files itself",
        "message/video_note/duration": "Airlock measures files itself",
        "message/video_note/length": "Airlock measures files itself",
        "message/voice/duration": "Airlock measures files itself",
        "message_reaction/new_reaction/type": "an emoji of Telegram's own is not read",
        "message_reaction/old_reaction": "the new reaction counts",
        "my_chat_member/new_chat_member/until_date": "a private chat has none",
        "my_chat_member/new_chat_member/user": "it is the bot itself",
        "my_chat_member/new_chat_member/status": "whatever is not blocked is open",
        "my_chat_member/old_chat_member": "the new state counts",
        "update_id": "a message has an id of its own",
    }

    def sign(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, HEADER: SECRETS[-1]})


@pytest.mark.parametrize("token", ["123456", "abc:DEF", "123456:", "123456:A/../B", "123456:A B"])
def test_a_token_that_would_change_the_url_is_rejected(token: str) -> None:
    with pytest.raises(ValidationError, match="is not a bot token"):
        Telegram.Config.model_validate({**SETTINGS, "bot_token": token})
