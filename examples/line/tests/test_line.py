"""The conformance kit, run on the LINE connector."""

import base64
import hmac
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from airlock_line import Line
from airlock_line.emulator import Line as LineEmulator
from connectors import Call, Rejected, Reply, Request, Token
from connectors.conformance import Conformance
from pydantic import ValidationError

SECRETS = ("an-older-channel-secret", "a-newer-channel-secret")


class TestLine(Conformance):
    emulator = LineEmulator
    connector = Line(
        Line.Config.model_validate(
            {"channel_secrets": SECRETS, "channel_access_token": "an-access-token"}
        )
    )
    payloads = Path(__file__).parent / "payloads"
    signature_header = "x-line-signature"
    grade = "gold"
    unread: ClassVar = {
        "events/beacon": "agents do not answer a beacon",
        "events/deliveryContext/isRedelivery": "Airlock detects duplicates itself",
        "events/link": "agents do not answer a linked account",
        "events/message/contentProvider/previewImageUrl": "Airlock makes its own thumbnails",
        "events/message/contentProvider/type": "a video hosted elsewhere has an address as well",
        "events/message/duration": "Airlock measures files itself",
        "events/message/emojis": "the text names LINE's own emoji in words",
        "events/message/imageSet": "each photo of a set is a message",
        "events/message/markAsReadToken": "Airlock does not keep tokens of messages",
        "events/message/quoteToken": "Airlock does not keep tokens of messages",
        "events/message/size": "a message of an unknown type is not shown",
        "events/message/stickerResourceType": "LINE does not deliver the sticker's picture",
        "events/membership": "agents do not answer a membership",
        "events/mode": "Airlock has no other app in control",
        "events/replyToken": "agents answer later than it is valid",
        "events/videoPlayComplete": "agents do not answer that a video was watched",
        "events/webhookEventId": "a message has an id of its own",
    }

    def sign(self, request: Request) -> Request:
        digest = hmac.digest(SECRETS[-1].encode(), request.body, "sha256")
        proof = base64.b64encode(digest).decode()
        return replace(request, headers={**request.headers, "x-line-signature": proof})


ISSUED = {"token_type": "Bearer", "access_token": "issued-token", "expires_in": 900}
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def with_channel_id() -> Line:
    settings = {"channel_secrets": SECRETS[::-1], "channel_id": "1234567890"}
    return Line(Line.Config.model_validate(settings))


def obtaining() -> Generator[Call, Reply, Token | None]:
    flow = with_channel_id().token(NOW)
    assert isinstance(flow, Generator)
    return flow


def test_a_token_is_obtained_with_the_channel_id() -> None:
    flow = obtaining()
    call = next(flow)
    assert call.url == "https://api.line.me/oauth2/v3/token"
    assert call.form == {
        "grant_type": "client_credentials",
        "client_id": "1234567890",
        "client_secret": "a-newer-channel-secret",
    }
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, ISSUED))
    token = end.value.value
    assert token == Token("issued-token", NOW + timedelta(minutes=15))
    assert with_channel_id().authorize(NOW, token, call) == {"authorization": "Bearer issued-token"}


def test_a_reply_without_a_token_is_refused() -> None:
    flow = obtaining()
    next(flow)
    with pytest.raises(Rejected):
        flow.send(Reply(200, {}, {"error": "invalid_client"}))


@pytest.mark.parametrize(
    "settings", [{}, {"channel_id": "1234567890", "channel_access_token": "an-access-token"}]
)
def test_one_way_to_a_token_is_required(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either channel_id or channel_access_token"):
        Line.Config.model_validate({"channel_secrets": SECRETS, **settings})
