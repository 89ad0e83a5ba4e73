"""Look-ups of each platform's files: the calls in order, and the resulting download."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors import AesCtr, Attachment, Call, Download, Echo, MediaRef, Message, Rejected
from connectors.recordings import Recording, recordings

from .accounts import ACCOUNT_SID, apple, messenger, twilio, whatsapp
from .run_flow import drive, ok, refused
from .test_conformance import PAYLOADS

LOOKASIDE = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2&hash=3"
DIGEST = hashlib.sha256(b"abc")
HEX, BASE64 = DIGEST.hexdigest(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="


def found(platform: str, connector: Any, recording: str) -> list[MediaRef]:
    """The files of a recorded delivery."""
    record = next(r for r in recordings(PAYLOADS / platform) if r.name == recording)
    return [one.media for one in attachments(connector, record) if one.media is not None]


def attachments(connector: Any, record: Recording) -> list[Attachment]:
    events = connector.parse(record.delivery(connector))
    return [a for e in events if isinstance(e, Message | Echo) for a in e.attachments]


# WhatsApp -----------------------------------------------------------------------------------------


def test_whatsapp_look_up_and_download_both_send_the_token() -> None:
    connector = whatsapp(appsecret_proof=False)
    (ref,) = found("whatsapp", connector, "photo_with_caption")
    answer = {"url": LOOKASIDE, "mime_type": "image/jpeg", "sha256": HEX, "file_size": 61901}
    (call,), download = drive(connector.media(ref), ok(answer))
    assert call == Call(
        "GET",
        "https://graph.facebook.com/v25.0/1037543291543636",
    )
    assert call.auth
    assert download == Download(
        Call("GET", LOOKASIDE), sha256=HEX, size=61901, media_type="image/jpeg"
    )
    assert download.call.auth
    assert "lookaside.fbsbx.com" in connector.hosts


def test_whatsapp_look_up_names_no_phone_number() -> None:
    connector = whatsapp()
    ref = MediaRef({"id": "m1", "account": "200000000000001"})
    (call,), _ = drive(connector.media(ref), ok({"url": LOOKASIDE}))
    assert "phone_number_id" not in call.url
    assert "200000000000001" not in call.url


@pytest.mark.parametrize("checksum", [HEX, BASE64])
def test_whatsapp_checksums_are_passed_on_in_either_notation(checksum: str) -> None:
    connector = whatsapp()
    ref = MediaRef({"id": "m1", "account": "1"}, sha256=BASE64)
    _, download = drive(connector.media(ref), ok({"url": LOOKASIDE, "sha256": checksum}))
    assert download.sha256 == checksum
    _, download = drive(connector.media(ref), ok({"url": LOOKASIDE}))
    assert download.sha256 == BASE64


@pytest.mark.parametrize("size", ["61901", 61901])
def test_whatsapp_sizes_may_be_numbers_or_text(size: Any) -> None:
    ref = MediaRef({"id": "m1", "account": "1"})
    _, download = drive(whatsapp().media(ref), ok({"url": LOOKASIDE, "file_size": size}))
    assert download.size == 61901


def test_whatsapp_errors_in_a_success_are_refusals() -> None:
    ref = MediaRef({"id": "m1", "account": "1"})
    refusal = refused(whatsapp().media(ref), ok({"error": {"code": 190, "message": "expired"}}))
    assert (refusal.reason, refusal.operator) == ("unauthorized", True)


# Messenger ----------------------------------------------------------------------------------------


def test_messenger_files_are_fetched_without_our_token() -> None:
    connector = messenger()
    refs = found("messenger", connector, "three_photos")
    assert len(refs) == 3
    for ref in refs:
        calls, download = drive(connector.media(ref))
        assert calls == []
        assert download == Download(Call("GET", ref.locator["url"], auth=False))


@pytest.mark.parametrize("recording", ["link_in_the_text", "link_cards_only", "appointment"])
def test_messenger_link_cards_are_never_fetched(recording: str) -> None:
    assert found("messenger", messenger(), recording) == []


def test_messenger_stickers_are_fetched_once() -> None:
    for recording in (
        "sticker_in_its_old_form",
        "sticker_in_both_forms",
        "sticker_in_its_new_form",
    ):
        assert len(found("messenger", messenger(), recording)) == 1


# Twilio -------------------------------------------------------------------------------------------

MEDIA = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM{'0' * 32}/Media/ME{'1' * 32}"


@pytest.mark.parametrize(
    "origin",
    [
        "https://api.twilio.com",
        "https://api.ie1.twilio.com",
        "https://api.dublin.ie1.twilio.com",
        "https://api.sydney.au1.twilio.com",
    ],
)
def test_twilio_files_are_requested_with_our_password(origin: str) -> None:
    connector = twilio()
    calls, download = drive(connector.media(MediaRef({"url": origin + MEDIA})))
    assert calls == []
    assert download == Download(Call("GET", origin + MEDIA))
    assert download.call.auth
    assert origin.removeprefix("https://") in connector.hosts


@pytest.mark.parametrize(
    "url",
    [
        "http://api.twilio.com" + MEDIA,
        "https://api.twilio.com.example.com" + MEDIA,
        "https://example.com" + MEDIA,
        "https://api.twilio.com@example.com" + MEDIA,
        "https://example.com/#https://api.twilio.com" + MEDIA,
        "https://example.com/?https://api.twilio.com" + MEDIA,
        "https://api.twilio.com:8443" + MEDIA,
        "https://video.twilio.com" + MEDIA,
        "https://api.twilio.com\\@example.com" + MEDIA,
        "https://api.twilio.com\n" + MEDIA,
        "",
    ],
)
def test_no_other_url_receives_our_twilio_password(url: str) -> None:
    # The gateway's allowlist decides about other hosts (tests/gateway/test_blocked_hosts.py).
    assert twilio().media(MediaRef({"url": url})) == Download(Call("GET", url, auth=False))


@pytest.mark.parametrize(
    "path",
    [
        MEDIA.replace(ACCOUNT_SID, "AC" + "1" * 32),
        MEDIA + "?x=1",
        MEDIA + "\n",
        MEDIA.replace("Media", "Feedback"),
        MEDIA + "/../../../../x",
        "/2010-04-01/Accounts.json",
        "/x" + MEDIA,
    ],
)
def test_only_our_own_files_are_requested_from_twilios_api(path: str) -> None:
    refusal = refused_at_once(twilio(), MediaRef({"url": "https://api.twilio.com" + path}))
    assert (refusal.reason, refusal.retry) == ("blocked_host", False)


def test_twilio_files_of_a_configured_subaccount_are_fetched() -> None:
    other = "AC" + "1" * 32
    url = "https://api.twilio.com" + MEDIA.replace(ACCOUNT_SID, other)
    _, download = drive(twilio(account_sids=[other]).media(MediaRef({"url": url})))
    assert download.call.url == url


def test_files_are_requested_from_a_different_api_url() -> None:
    connector = twilio(api_url="http://127.0.0.1:9000/")
    _, download = drive(connector.media(MediaRef({"url": "http://127.0.0.1:9000" + MEDIA})))
    assert download.call.auth
    elsewhere = MediaRef({"url": "http://127.0.0.1:9001" + MEDIA})
    assert not connector.media(elsewhere).call.auth


def refused_at_once(connector: Any, ref: MediaRef) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        connector.media(ref)
    return refusal.value


# Apple --------------------------------------------------------------------------------------------

KEY = "008254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"
SEALED = bytes.fromhex(
    "363b9fab50acfa2431802c691bd06dd31758b2f942c7a2a0e412b8022559ae5157a67eb5da46"
)
OPEN = b"apple attachment test bytes 0123456789"
ICLOUD = "https://p54-content.icloud.com/d/1?x=%2F"


def test_apple_receives_the_header_names_of_its_sample_code() -> None:
    connector = apple()
    (ref,) = found("apple", connector, "photo_with_caption")
    (call,), download = drive(connector.media(ref), ok({"download-url": ICLOUD}))
    assert (call.method, call.url) == ("GET", "https://mspgw.push.apple.com/v1/preDownload")
    assert call.headers == {
        "source-id": "0a1b2c3d-0000-4000-8000-000000000001",
        "mmcs-url": "https://p54-content.icloud.com/M1",
        "mmcs-owner": "M3a1",
        "mmcs-signature": "gQABAgMEBQYHCAkKCwwNDg8QERIT",
    }
    assert call.auth
    assert download.call == Call("GET", ICLOUD, auth=False)
    assert download.size == 234567


@pytest.mark.parametrize("status", [400, 404])
def test_apple_receives_the_older_header_names_after_a_refusal(status: int) -> None:
    connector = apple()
    (ref,) = found("apple", connector, "photo_with_caption")
    (first, second), download = drive(
        connector.media(ref), ok(status=status), ok({"download-url": ICLOUD})
    )
    assert first.expects == {400, 404}
    assert second.expects == frozenset()
    assert second.url == first.url
    assert second.headers == {
        "source-id": "0a1b2c3d-0000-4000-8000-000000000001",
        "url": "https://p54-content.icloud.com/M1",
        "owner": "M3a1",
        "signature": "gQABAgMEBQYHCAkKCwwNDg8QERIT",
    }
    assert download.call.url == ICLOUD


def test_apple_receives_the_file_signature_in_base64() -> None:
    connector = apple()
    for recording in ("signature_in_one_form_only", "attachment_with_older_field_names"):
        for ref in found("apple", connector, recording):
            call = next(connector.media(ref))
            assert call.headers["mmcs-signature"] == "gQABAgMEBQYHCAkKCwwNDg8QERIT"


@pytest.mark.parametrize("key", [KEY, KEY.removeprefix("00"), KEY.upper()])
def test_apple_files_are_decrypted_with_their_key(key: str) -> None:
    decrypt = downloaded(key).decrypt
    assert decrypt == AesCtr(bytes.fromhex(KEY)[1:], bytes(16))
    cipher = Cipher(algorithms.AES(decrypt.key), modes.CTR(decrypt.counter)).decryptor()
    assert cipher.update(SEALED) + cipher.finalize() == OPEN
    assert KEY[2:] not in repr(downloaded(key))


@pytest.mark.parametrize(
    "key", ["", KEY[:-4], KEY + "00", "01" + KEY[2:], "zz" * 32, KEY[:-1] + "é", KEY + "\n", "0"]
)
def test_an_invalid_attachment_key_is_rejected_before_any_call(key: str) -> None:
    ref = MediaRef({"url": "u", "owner": "o", "signature": "s", "business": "b", "key": key})
    with pytest.raises(Rejected) as refusal:
        next(apple().media(ref))
    assert (refusal.value.reason, refusal.value.retry) == ("corrupt", False)
    assert not key or key not in str(refusal.value)


def downloaded(key: str) -> Any:
    ref = MediaRef({"url": "u", "owner": "o", "signature": "s", "business": "b", "key": key})
    _, download = drive(apple().media(ref), ok({"download-url": ICLOUD}))
    return download


def test_an_attachment_without_an_address_keeps_its_caption() -> None:
    for platform, connector, recording in (
        ("apple", apple(), "attachment_that_cannot_be_fetched"),
        ("messenger", messenger(), "attachment_without_address"),
        ("whatsapp", whatsapp(), "file_that_meta_could_not_fetch"),
    ):
        record = next(r for r in recordings(PAYLOADS / platform) if r.name == recording)
        event = connector.parse(record.delivery(connector))[0]
        assert isinstance(event, Message)
        assert event.text
        assert {one.refused for one in event.attachments} == {"gone"}
