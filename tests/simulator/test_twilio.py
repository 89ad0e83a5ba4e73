"""The emulated Twilio delivers, serves and accepts what its documentation says."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from twilio.request_validator import RequestValidator

from simulator import Fault, Twilio, video
from simulator.twilio.calls import count_segments
from tests.simulator.twilio_calls import CLEO, OK, PHOTO, delivered_url, form, login, sent
from tests.simulator.webhook import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Twilio]]:
    async with staged(Twilio) as started:
        yield started


# Deliveries.


async def test_twilios_own_library_accepts_a_delivered_text(
    stage: Stage[Twilio],
) -> None:
    (answer,) = await stage.platform.send(CLEO, " café + 50% & more ")
    (arrived,) = stage.webhook.arrived
    fields = form(stage)
    validator = RequestValidator(stage.platform.token)
    assert validator.validate(stage.webhook.url, fields, arrived.headers["X-Twilio-Signature"])
    assert fields["Body"] == " café + 50% & more "
    assert re.fullmatch(r"SM[0-9a-f]{32}", fields["MessageSid"])
    assert answer.ids == (fields["MessageSid"],)
    assert (fields["From"], fields["To"], fields["NumMedia"]) == (CLEO.id, Twilio.number, "0")


async def test_a_delivery_is_signed_for_the_public_url(
    stage: Stage[Twilio],
) -> None:
    public = "https://chat.example.com/webhooks/sms?x=1%2F2&y=a%20b#rc=5&rp=all"
    stage.platform.public_webhook = public
    await stage.platform.send(CLEO, "hi")
    (arrived,) = stage.webhook.arrived
    assert arrived.target == "/hooks/one"
    validator = RequestValidator(stage.platform.token)
    proof = arrived.headers["X-Twilio-Signature"]
    assert validator.validate(public.partition("#")[0], form(stage), proof)
    assert not validator.validate(stage.webhook.url, form(stage), proof)


async def test_a_query_is_sent_byte_for_byte(stage: Stage[Twilio]) -> None:
    stage.platform.webhook += "?x=1%2F2&y=a%20b&z=%7Ec"
    await stage.platform.send(CLEO, "hi")
    assert stage.webhook.arrived[0].target == "/hooks/one?x=1%2F2&y=a%20b&z=%7Ec"


async def test_a_forged_delivery_is_not_accepted(stage: Stage[Twilio]) -> None:
    await stage.platform.send(CLEO, "hi", forged=True)
    proof = stage.webhook.arrived[0].headers["X-Twilio-Signature"]
    assert not RequestValidator(stage.platform.token).validate(
        stage.webhook.url, form(stage), proof
    )


async def test_a_json_delivery_is_signed_with_its_hash(stage: Stage[Twilio]) -> None:
    await stage.platform.deliver_json({"a": 1})
    (arrived,) = stage.webhook.arrived
    url = stage.webhook.url + "?" + urlsplit(arrived.target).query
    proof = arrived.headers["X-Twilio-Signature"]
    validator = RequestValidator(stage.platform.token)
    assert validator.validate(url, arrived.body.decode(), proof)
    assert not validator.validate(url, arrived.body.decode() + " ", proof)


async def test_several_files_are_one_message(stage: Stage[Twilio]) -> None:
    await stage.platform.send(CLEO, "two", [PHOTO, video(seconds=0.4, container="3gp")])
    fields = form(stage)
    assert fields["NumMedia"] == "2"
    assert fields["MessageSid"].startswith("MM")
    assert (fields["MediaContentType0"], fields["MediaContentType1"]) == (
        "image/jpeg",
        "video/3gpp",
    )
    path = r"/2010-04-01/Accounts/AC[0-9a-f]{32}/Messages/MM[0-9a-f]{32}/Media/ME[0-9a-f]{32}"
    assert re.fullmatch(path, urlsplit(fields["MediaUrl1"]).path)


async def test_a_delivery_through_a_service_names_the_service(stage: Stage[Twilio]) -> None:
    stage.platform.through_service = True
    await stage.platform.send(CLEO, "hi")
    assert form(stage)["MessagingServiceSid"] == stage.platform.service


@pytest.mark.parametrize(
    ("answer", "texted"),
    [
        ((200, b"OK", "text/plain"), True),
        ((200, b"<Response><Message>hi</Message></Response>", "text/xml"), True),
        ((200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml"), False),
        ((200, b"", "text/plain"), False),
        ((500, b"broken", "text/plain"), False),
    ],
)
async def test_an_answer_that_twilio_would_text_is_recorded(
    stage: Stage[Twilio], answer: tuple[int, bytes, str], texted: bool
) -> None:
    stage.webhook.answers = [answer]
    await stage.platform.send(CLEO, "hi")
    assert stage.platform.automatic_replies == ([answer[1]] if texted else [])


# Media.


async def test_a_photo_needs_the_login_and_redirects_to_the_cdn(stage: Stage[Twilio]) -> None:
    url = await delivered_url(stage)
    redirect = await stage.http.get(url, auth=login(stage))
    assert redirect.status_code == 307
    location = redirect.headers["location"]
    assert not location.startswith(stage.platform.origin)
    answer = await stage.http.get(location)
    assert (answer.content, answer.headers["content-type"]) == (PHOTO.content, "image/jpeg")
    assert stage.platform.leaks == []


async def test_media_without_the_login_is_refused(stage: Stage[Twilio]) -> None:
    url = await delivered_url(stage)
    assert (await stage.http.get(url)).json()["code"] == 20003
    wrong = await stage.http.get(url, auth=(stage.platform.account, "wrong"))
    assert wrong.status_code == 401


async def test_a_login_sent_to_the_cdn_is_refused_and_recorded(
    stage: Stage[Twilio],
) -> None:
    redirect = await stage.http.get(await delivered_url(stage), auth=login(stage))
    answer = await stage.http.get(redirect.headers["location"], auth=login(stage))
    assert answer.status_code == 400
    assert [header for _, header in stage.platform.leaks] == ["authorization"]


async def test_a_cdn_url_expires(stage: Stage[Twilio]) -> None:
    url = await delivered_url(stage)
    old = (await stage.http.get(url, auth=login(stage))).headers["location"]
    stage.platform.age(5 * 3600)
    assert (await stage.http.get(old)).status_code == 403
    new = (await stage.http.get(url, auth=login(stage))).headers["location"]
    assert (await stage.http.get(new)).status_code == 200


async def test_a_file_can_answer_404_just_after_the_webhook(stage: Stage[Twilio]) -> None:
    stage.platform.early_404 = 2
    url = await delivered_url(stage)
    answers = [(await stage.http.get(url, auth=login(stage))).status_code for _ in range(3)]
    assert answers == [404, 404, 307]


async def test_a_file_of_another_message_is_not_found(stage: Stage[Twilio]) -> None:
    url = await delivered_url(stage)
    await stage.platform.send(CLEO, files=[PHOTO])
    other = re.sub(r"/Messages/MM\w+/", f"/Messages/{form(stage)['MessageSid']}/", url)
    assert (await stage.http.get(other, auth=login(stage))).status_code == 404


async def test_both_the_look_up_and_the_download_can_fail(stage: Stage[Twilio]) -> None:
    url = await delivered_url(stage)
    (hosted,) = stage.platform.hosted.values()
    hosted.fault = Fault(redirect="http://10.0.0.1/secret", at="lookup", times=1)
    assert (await stage.http.get(url, auth=login(stage))).headers["location"] == (
        "http://10.0.0.1/secret"
    )
    hosted.fault = Fault(status=500, times=1)
    location = (await stage.http.get(url, auth=login(stage))).headers["location"]
    assert (await stage.http.get(location)).status_code == 500


async def test_a_file_can_be_described_and_deleted(stage: Stage[Twilio]) -> None:
    url = await delivered_url(stage)
    described = await stage.http.get(f"{url}.json", auth=login(stage))
    assert described.json()["content_type"] == "image/jpeg"
    assert (await stage.http.delete(url, auth=login(stage))).status_code == 204
    assert (await stage.http.get(url, auth=login(stage))).status_code == 404


async def test_the_account_can_be_looked_up(stage: Stage[Twilio]) -> None:
    url = f"{stage.platform.api_url}/2010-04-01/Accounts/{stage.platform.account}.json"
    assert (await stage.http.get(url, auth=login(stage))).json()["friendly_name"] == (
        "Example Wheels"
    )


# Texts.


async def test_a_text_is_accepted_and_gets_an_id(stage: Stage[Twilio]) -> None:
    answer = await sent(stage)
    (text,) = stage.platform.sent
    assert answer.status_code == 201
    assert answer.json()["sid"] == text.id
    assert answer.json()["status"] == "queued"
    assert re.fullmatch(r"SM[0-9a-f]{32}", text.id)
    assert (text.to, text.text) == (CLEO.id, "Hello")


async def test_a_text_through_a_service_is_accepted(stage: Stage[Twilio]) -> None:
    answer = await sent(stage, From=None, MessagingServiceSid=stage.platform.service)
    assert (answer.status_code, answer.json()["status"]) == (201, "accepted")


BAD: dict[str, tuple[dict[str, str | None], int]] = {
    "a number without plus": ({"To": "15550001111"}, 21211),
    "no number": ({"To": None}, 21211),
    "no sender": ({"From": None}, 21603),
    "a foreign sender": ({"From": "+15559999999"}, 21606),
    "a foreign service": ({"MessagingServiceSid": "MG00"}, 21701),
    "no text": ({"Body": None}, 21602),
    "a text that is too long": ({"Body": "x" * 1601}, 21617),
    "a callback without host": ({"StatusCallback": "https:///status"}, 21609),
    "a callback with an underscore": ({"StatusCallback": "https://a_b.example.com/"}, 21609),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_text_gets_the_platforms_error(stage: Stage[Twilio], name: str) -> None:
    changes, code = BAD[name]
    answer = await sent(stage, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert stage.platform.sent == []


async def test_the_longest_text_is_accepted(stage: Stage[Twilio]) -> None:
    answer = await sent(stage, Body="x" * 1600)
    assert (answer.status_code, answer.json()["num_segments"]) == (201, "11")


@pytest.mark.parametrize(
    ("text", "count"),
    [("x" * 160, 1), ("x" * 161, 2), ("€" * 80, 1), ("€" * 81, 2), ("я" * 70, 1), ("я" * 71, 2)],
)
def test_the_number_of_segments_depends_on_the_characters(text: str, count: int) -> None:
    assert count_segments(text) == count


async def test_a_text_without_the_login_is_refused(stage: Stage[Twilio]) -> None:
    url = f"{stage.platform.api_url}/2010-04-01/Accounts/{stage.platform.account}/Messages.json"
    answer = await stage.http.post(url, data=OK)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


async def test_stop_blocks_texts_until_start(stage: Stage[Twilio]) -> None:
    await stage.platform.send(CLEO, " stop ")
    assert (await sent(stage)).json()["code"] == 21610
    await stage.platform.send(CLEO, "START")
    assert (await sent(stage)).status_code == 201


async def test_a_queued_error_answers_the_next_text(stage: Stage[Twilio]) -> None:
    stage.platform.refuse_next(20429)
    answer = await sent(stage)
    assert (answer.status_code, answer.json()["code"]) == (429, 20429)


async def test_receipts_are_posted_to_the_status_callback(
    stage: Stage[Twilio],
) -> None:
    stage.platform.public_webhook = "https://chat.example.com/webhooks/sms"
    stage.platform.receipts = ("sent", "delivered")
    callback = "https://chat.example.com/webhooks/sms/status?m=ours%2F1"
    await sent(stage, StatusCallback=callback)
    await stage.platform.until_receipts_sent()
    validator = RequestValidator(stage.platform.token)
    for number, status in enumerate(("sent", "delivered")):
        arrived, fields = stage.webhook.arrived[number], form(stage, number)
        assert arrived.target == "/hooks/one/status?m=ours%2F1"
        assert validator.validate(callback, fields, arrived.headers["X-Twilio-Signature"])
        assert (fields["MessageStatus"], fields["MessageSid"]) == (
            status,
            stage.platform.sent[0].id,
        )


async def test_no_receipts_are_posted_without_a_callback(stage: Stage[Twilio]) -> None:
    stage.platform.receipts = ("sent",)
    await sent(stage)
    await stage.platform.until_receipts_sent()
    assert stage.webhook.arrived == []


async def test_a_text_can_fail_later_with_an_error_code(stage: Stage[Twilio]) -> None:
    await sent(stage, StatusCallback=f"{stage.webhook.url}/status")
    await stage.platform.fail(stage.platform.sent[0], 30003)
    fields: Any = parse_qs(stage.webhook.arrived[0].body.decode())
    assert (fields["MessageStatus"], fields["ErrorCode"]) == (["undelivered"], ["30003"])
