"""The conformance kit, run on the connector for Google RCS for Business."""

import base64
import hmac
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from airlock_rcs import Rcs
from airlock_rcs.emulator import Rcs as RcsEmulator
from connectors import Call, Delivery, Rejected, Reply, Request, Text, Token, Typing
from connectors.conformance import Conformance, Recording
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

#: A service account's key, made once for each run.
KEY = rsa.generate_private_key(65537, 2048)
TOKENS = ("an-older-client-token", "a-newer-client-token")
SETTINGS = {
    "client_tokens": TOKENS,
    "agent_id": "example_agent",
    "service_account": "airlock@example-project.iam.gserviceaccount.com",
    "private_key": KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "key_id": "key-1",
}


def signature(body: bytes) -> str:
    """The proof of a delivery; that of other bodies proves nothing."""
    try:
        data = base64.b64decode(orjson.loads(body)["message"]["data"])
    except (ValueError, TypeError, LookupError):
        data = body
    return base64.b64encode(hmac.digest(TOKENS[-1].encode(), data, "sha512")).decode()


class TestRcs(Conformance):
    emulator = RcsEmulator
    connector = Rcs(Rcs.Config.model_validate(SETTINGS))
    payloads = Path(__file__).parent / "payloads"
    signature_header = "x-goog-signature"
    grade = "gold"
    unread = {  # noqa: RUF012 - read only
        "message/messageId": "The id of the envelope is not signed.",
        "message/data/userFile/thumbnail": "Airlock makes its own thumbnails.",
        "message/attributes": "The envelope around the data is not signed.",
        "message/publishTime": "The envelope around the data is not signed.",
        "subscription": "The envelope around the data is not signed.",
        "message/data/agentId": "The signature proves which agent it is.",
        "message/data/botDisplayName": "A launch names the agent by its id.",
        "message/data/brandDisplayName": "A launch names the agent by its id.",
        "message/data/brandId": "A launch names the agent by its id.",
        "message/data/eventId": "A receipt is named for its text and status.",
        "message/data/hologram": "It stands for content that is not known.",
        "message/data/userFile/payload/mimeType": "A file without an address is not shown.",
        "message/data/suggestionResponse/type": "A reply and an action are read alike.",
    }

    def sign(self, request: Request) -> Request:
        proof = signature(request.body)
        return replace(request, headers={**request.headers, "x-goog-signature": proof})

    def variants(self, request: Request) -> Iterable[Request]:
        yield replace(request, body=request.body.replace(b'"data":', b'"data" : '))

    def forgeries(self, request: Request) -> Iterable[Request]:
        """The data that was signed, and another one that `parse` would read."""
        data = base64.b64encode(b'{"text": "forged"}')
        message = request.body.partition(b'"message":')[2]
        for name in (b"data", b"d\\u0061ta"):
            forged = b'{"message":{"%s":"%s"}}' % (name, data)
            yield replace(request, body=b'{"first":' + message[:-1] + b"," + forged[1:])
            body = request.body.replace(b'"message":{', b'"first":{', 1)
            yield replace(request, body=body[:-1] + b"," + forged[1:])


# what the kit does not see: the data within Base64, and the call for a token

TEXT = Text("msg_1", "example_agent", "+4915112345678", "Until six", "https://chat.example.com/")
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
WRONG: tuple[Any, ...] = (
    None,
    5,
    True,
    "",
    "x",
    [],
    {},
    [{}],
    {"x": []},
    2**62,
    -1.5,
    "💥",
    "\x00",
)


def decoded() -> Iterator[tuple[str, Any]]:
    """The data of each recording."""
    for recording in TestRcs().recorded:
        yield recording.name, orjson.loads(base64.b64decode(recording.content["message"]["data"]))


def parsed(event: Any) -> list[Any]:
    data = base64.b64encode(orjson.dumps(event)).decode()
    delivery = Delivery({"message": {"data": data}}, {}, {}, NOW)
    return TestRcs.connector.parse(delivery)


def positions(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in a JSON value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from positions(inner, (*path, key))


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    return {**value, path[0]: with_other(value[path[0]], path[1:], other)}


def test_damaged_data_becomes_an_event_with_an_id() -> None:
    for name, event in decoded():
        for path in positions(event):
            for wrong in WRONG:
                found = parsed(with_other(event, path, wrong))
                assert found, (name, path, wrong)
                assert all(one.id for one in found), (name, path, wrong)


def test_the_note_of_a_recording_shows_its_data() -> None:
    notes = {one.name: one.note for one in TestRcs().recorded}
    for name, event in decoded():
        assert orjson.loads(notes[name].partition("The data: ")[2]) == event


@pytest.mark.parametrize("data", [b"", b"no JSON", b"[]", b"5", b"null", b'"text"'])
def test_data_that_cannot_be_read_is_kept_as_unknown(data: bytes) -> None:
    content = {"message": {"data": base64.b64encode(data).decode()}}
    (found,) = TestRcs.connector.parse(Delivery(content, {}, {}, NOW))
    assert found.type == "unknown"


@pytest.mark.parametrize(("plain", "escaped"), [(b"=", b"\\u003d"), (b"/", b"\\/")])
def test_data_is_verified_although_it_is_escaped(plain: bytes, escaped: bytes) -> None:
    data = base64.b64encode(b'{"text":"????!"}').decode()
    assert plain.decode() in data
    content = {"message": {"data": data}}
    genuine = TestRcs().genuine(Recording("escaped", content))
    body = genuine.body.replace(plain, escaped)
    assert body != genuine.body
    TestRcs.connector.verify(replace(genuine, body=body))


@pytest.mark.parametrize("agent", ["example_agent", "example_agent@rbm.goog"])
def test_an_agent_is_known_with_and_without_its_domain(agent: str) -> None:
    connector = Rcs(Rcs.Config.model_validate({**SETTINGS, "agent_id": agent}))
    for recording in TestRcs().recorded:
        connector.verify(TestRcs().genuine(recording))
    assert connector.config.agent_id == "example_agent"


@pytest.mark.parametrize(
    ("size", "read"), [(5, 5), ("5", 5), ("x", None), (None, None), (-1, None)]
)
def test_a_file_is_shown_whatever_its_size_says(size: Any, read: int | None) -> None:
    payload = {"mimeType": "image/png", "fileUri": "https://storage.googleapis.com/b/1"}
    user = {"senderPhoneNumber": "+4915112345678", "messageId": "m-1"}
    (found,) = parsed({**user, "userFile": {"payload": {**payload, "fileSizeBytes": size}}})
    assert [(one.kind, one.media.size) for one in found.attachments] == [("photo", read)]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-10-03T15:01:23Z", 23),
        ("2026-10-03T20:31:23.5+05:30", 23.5),
        ("2026-10-03T15:01:23", 23),
    ],
)
def test_times_have_a_zone_and_keep_fractions(written: str, seconds: float) -> None:
    user = {"senderPhoneNumber": "+4915112345678", "messageId": "m-1", "text": "Hi"}
    (found,) = parsed({**user, "sendTime": written})
    begin = datetime(2026, 10, 3, 15, 1, tzinfo=UTC)
    assert found.sent_at == begin + timedelta(seconds=seconds)


def obtaining() -> Generator[Call, Reply, Token]:
    flow = TestRcs.connector.token(NOW)
    assert isinstance(flow, Generator)
    return flow


def test_a_token_is_obtained_with_a_signed_assertion() -> None:
    flow = obtaining()
    call = next(flow)
    assert (call.method, call.url) == ("POST", "https://oauth2.googleapis.com/token")
    assert call.form is not None
    assert call.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert jwt.get_unverified_header(call.form["assertion"])["kid"] == "key-1"
    claims = jwt.decode(
        call.form["assertion"],
        KEY.public_key(),
        algorithms=["RS256"],
        options={"verify_exp": False, "verify_aud": False, "verify_iat": False},
    )
    assert claims == {
        "iss": "airlock@example-project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/rcsbusinessmessaging",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
    }
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, {"access_token": "ya29.issued", "expires_in": 3599}))
    assert end.value.value == Token("ya29.issued", NOW + timedelta(seconds=3599))


def test_a_reply_without_a_token_is_refused() -> None:
    flow = obtaining()
    next(flow)
    with pytest.raises(Rejected):
        flow.send(Reply(200, {}, {"token_type": "Bearer"}))


def test_refused_keys_call_for_an_operator() -> None:
    error = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    found = TestRcs.connector.refusal(Reply(400, {}, error, b"", "check"))
    assert (found.reason, found.operator, found.code) == ("unauthorized", True, "invalid_grant")
    assert found.detail == "Invalid JWT Signature."


def test_texts_have_the_traffic_type_of_the_settings() -> None:
    settings = {**SETTINGS, "traffic_type": "SERVICEREQUEST"}
    flow = Rcs(Rcs.Config.model_validate(settings)).send_text(TEXT)
    assert isinstance(flow, Generator)
    assert next(flow).json == {
        "contentMessage": {"text": "Until six"},
        "messageTrafficType": "SERVICEREQUEST",
    }


def test_a_typing_indicator_is_not_taken_back() -> None:
    assert TestRcs.connector.send_typing(Typing("t", "a", "+49", "m", on=False)) is None
