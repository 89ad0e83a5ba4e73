"""The emulated Apple Messages for Business delivers and serves what its documentation says."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from simulator import Apple, Fault, heic
from tests.simulator.apple_calls import (
    DANA,
    PHOTO,
    announced,
    credentials,
    decrypted,
    pre_download,
    token,
)
from tests.simulator.webhook import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Apple]]:
    async with staged(Apple) as started:
        yield started


# Deliveries.


async def test_a_text_is_delivered_compressed_with_token_and_ids(
    stage: Stage[Apple],
) -> None:
    (answer,) = await stage.platform.send(DANA, "Grüße 📦")
    (arrived,) = stage.webhook.arrived
    assert arrived.target == "/hooks/one/message"
    assert arrived.body[:2] == b"\x1f\x8b"
    kind, _, value = arrived.headers["Authorization"].partition(" ")
    audience = stage.platform.msp_id
    claims = jwt.decode(value, stage.platform.secret, algorithms=["HS256"], audience=audience)
    assert kind == "Bearer"
    assert abs(claims["iat"] - time.time()) < 60
    content = arrived.content
    assert (content["type"], content["body"]) == ("text", "Grüße 📦")
    assert arrived.headers["id"] == content["id"] == answer.ids[0]
    assert arrived.headers["source-id"] == content["sourceId"] == DANA.id
    assert arrived.headers["destination-id"] == content["destinationId"] == stage.platform.business


async def test_a_body_can_arrive_uncompressed(stage: Stage[Apple]) -> None:
    stage.platform.sends_uncompressed = True
    await stage.platform.send(DANA, "plain")
    assert json.loads(stage.webhook.arrived[0].body)["body"] == "plain"


async def test_a_forged_token_is_signed_with_another_secret(stage: Stage[Apple]) -> None:
    await stage.platform.send(DANA, "forged", forged=True)
    value = stage.webhook.arrived[0].headers["Authorization"].removeprefix("Bearer ")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            value, stage.platform.secret, algorithms=["HS256"], audience=stage.platform.msp_id
        )


async def test_the_text_has_a_placeholder_for_each_file(stage: Stage[Apple]) -> None:
    await stage.platform.send(DANA, "two", [PHOTO, heic(width=160, height=120)])
    content = stage.webhook.arrived[0].content
    assert content["body"] == "\ufffc\ufffctwo"
    assert [a["mimeType"] for a in content["attachments"]] == ["image/jpeg", "image/heic"]


@pytest.mark.parametrize("type", ["typing_start", "typing_end", "close"])
async def test_messages_other_than_texts_have_no_body(stage: Stage[Apple], type: str) -> None:
    await stage.platform.deliver(DANA, type)
    content = stage.webhook.arrived[0].content
    assert content["type"] == type
    assert "body" not in content


async def test_headers_can_contradict_the_body(stage: Stage[Apple]) -> None:
    await stage.platform.deliver(DANA, "text", {"body": "x"}, source_id="urn:mbid:other")
    (arrived,) = stage.webhook.arrived
    assert arrived.headers["source-id"] == "urn:mbid:other"
    assert arrived.content["sourceId"] == DANA.id


async def test_a_choice_has_a_title(stage: Stage[Apple]) -> None:
    await stage.platform.send_choice(DANA, "Monday")
    content = stage.webhook.arrived[0].content
    assert content["interactiveData"]["data"]["replyMessage"]["title"] == "Monday"


@pytest.mark.parametrize("form", ["both", "hex", "base64"])
async def test_an_attachment_has_its_signature_in_one_form_or_both(
    stage: Stage[Apple], form: str
) -> None:
    stage.platform.signature_form = form  # type: ignore[assignment]  # from the table
    await stage.platform.send(DANA, files=[PHOTO])
    (attachment,) = stage.webhook.arrived[0].content["attachments"]
    assert ("signature" in attachment) is (form != "base64")
    assert ("signature-base64" in attachment) is (form != "hex")
    if form == "both":
        assert bytes.fromhex(attachment["signature"]) == base64.b64decode(
            attachment["signature-base64"]
        )


async def test_attachment_members_can_be_spelled_with_dashes(stage: Stage[Apple]) -> None:
    stage.platform.spelling = "dashed"
    await stage.platform.send(DANA, files=[PHOTO])
    (attachment,) = stage.webhook.arrived[0].content["attachments"]
    assert {"mime-type", "file-size", "decryption-key", "mmcs-url"} <= set(attachment)


# Media.


async def test_a_photo_is_fetched_and_decrypted(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    url = (await pre_download(stage, attachment)).json()["download-url"]
    assert not url.startswith(stage.platform.origin)
    encrypted = (await stage.http.get(url)).content
    assert len(encrypted) == int(attachment["size"]) == len(PHOTO.content)
    assert encrypted != PHOTO.content
    assert attachment["key"][:2] == "00"
    assert len(attachment["key"]) == 66
    assert decrypted(attachment, encrypted) == PHOTO.content
    assert stage.platform.leaks == []


@pytest.mark.parametrize(
    ("family", "mmcs", "bare"),
    [("mmcs", 200, 400), ("bare", 400, 200), ("either", 200, 200)],
)
async def test_only_the_selected_family_of_header_names_is_accepted(
    stage: Stage[Apple], family: str, mmcs: int, bare: int
) -> None:
    stage.platform.family = family  # type: ignore[assignment]  # from the table
    attachment = await announced(stage)
    assert (await pre_download(stage, attachment)).status_code == mmcs
    names = ("url", "signature", "owner")
    assert (await pre_download(stage, attachment, *names)).status_code == bare


async def test_the_signature_must_be_base64_of_the_bytes(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    wrong = {"MMCS-Signature": attachment["signature"]}
    assert (await pre_download(stage, attachment, **wrong)).status_code == 400


async def test_the_objects_url_must_come_back_byte_for_byte(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    quoted = {"MMCS-Url": attachment["url"].replace("%", "%25")}
    assert (await pre_download(stage, attachment, **quoted)).status_code == 404


async def test_a_wrong_owner_gets_404(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    assert (await pre_download(stage, attachment, **{"MMCS-Owner": "else"})).status_code == 404


async def test_another_business_gets_403(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    assert (await pre_download(stage, attachment, **{"source-id": "else"})).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody-else"},
        {"iat": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"iat": None},
        {"secret": b"x" * 32},
        {"secret": base64.b64encode(bytes(range(32)))},
    ],
    ids=["issuer", "old", "future", "undated", "forged", "undecoded"],
)
async def test_a_wrong_token_is_refused(stage: Stage[Apple], claims: dict[str, Any]) -> None:
    attachment = await announced(stage)
    wrong = {"authorization": token(stage, **claims)} if claims.get("iat", 1) else {}
    if not wrong:
        undated = jwt.encode(
            {"iss": stage.platform.msp_id}, stage.platform.secret, algorithm="HS256"
        )
        wrong = {"authorization": f"Bearer {undated}"}
    assert (await pre_download(stage, attachment, **wrong)).status_code == 401


@pytest.mark.parametrize("header", ["authorization", "MMCS-Owner", "source-id"])
async def test_a_header_sent_to_the_cdn_is_refused_and_recorded(
    stage: Stage[Apple], header: str
) -> None:
    url = (await pre_download(stage, await announced(stage))).json()["download-url"]
    assert (await stage.http.get(url, headers={header: "x"})).status_code == 400
    assert [name for _, name in stage.platform.leaks] == [header.lower()]


async def test_a_download_url_expires_and_a_new_one_works(stage: Stage[Apple]) -> None:
    attachment = await announced(stage)
    old = (await pre_download(stage, attachment)).json()["download-url"]
    stage.platform.age(61)
    assert (await stage.http.get(old)).status_code == 403
    new = (await pre_download(stage, attachment)).json()["download-url"]
    assert (await stage.http.get(new)).status_code == 200


async def test_an_object_can_expire_early(stage: Stage[Apple]) -> None:
    stage.platform.object_lifetime = 2
    attachment = await announced(stage)
    stage.platform.age(3)
    assert (await pre_download(stage, attachment)).status_code == 404


async def test_a_look_up_can_fail_before_the_download(stage: Stage[Apple]) -> None:
    stage.platform.faults[PHOTO.name] = Fault(status=404, times=1, at="lookup")
    attachment = await announced(stage)
    assert (await pre_download(stage, attachment)).status_code == 404
    assert (await pre_download(stage, attachment)).status_code == 200


async def test_a_long_answer_is_fetched_and_decoded(stage: Stage[Apple]) -> None:
    await stage.platform.send_choice(DANA, "Monday", by_reference=True)
    reference = stage.webhook.arrived[0].content["interactiveDataRef"]
    url = (await pre_download(stage, reference)).json()["download-url"]
    payload = decrypted(reference, (await stage.http.get(url)).content)
    answer = await stage.http.post(
        f"{stage.platform.api_url}/v1/decodePayload",
        content=payload,
        headers={**credentials(stage), "bid": reference["bid"]},
    )
    assert answer.json()["data"]["replyMessage"]["title"] == "Monday"
    wrong = await stage.http.post(
        f"{stage.platform.api_url}/v1/decodePayload",
        content=payload + b"x",
        headers={**credentials(stage), "bid": reference["bid"]},
    )
    assert wrong.status_code == 400
