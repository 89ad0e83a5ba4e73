"""What every connector promises, as a pytest class: subclass it, name your connector, and run pytest.

class TestAcme(Conformance):
    connector = Acme(Acme.Config(bot_id="1", secrets=("old", "new")))
    payloads = Path(__file__).parent / "payloads"
    signature_header = "x-acme"

    def sign(self, request):
        proof = hmac.new(b"new", request.body, sha256).hexdigest()
        return replace(request, headers={**request.headers, "x-acme": proof})
"""

import copy
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar, get_args
from urllib.parse import urlsplit

import orjson
import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from normalizer.events import (
    TRANSCRIPT_LINES,
    AnyEvent,
    Echo,
    Edit,
    MediaRef,
    Message,
    dump,
    load,
)

from .capabilities import FEATURES, Feature
from .contract import (
    API,
    Call,
    Connector,
    Download,
    Forbidden,
    Purpose,
    Rejected,
    Reply,
    Request,
    Text,
)
from .damage import damaged
from .recordings import RECEIVED_AT, Recording, recordings

#: No platform takes more to tell where a file is.
MOST_CALLS = 10
#: How often each recording is damaged.
DAMAGES = 300

HOSTILE = (
    *("", " ", "=", ",", "\x00", "é", "\udce9", "💥", "a" * 100_000),
    *("sha256=", "sha256=" + "0" * 64, "sha256=" + "\u0660" * 64, "sha1=" + "0" * 40),
    *("Bearer", "Bearer ", "Bearer a.b.c", "Bearer " + "." * 50, "Basic Og==", "AAAA"),
)
ANSWERS: tuple[Any, ...] = (
    None,
    [],
    {},
    "no",
    5,
    {"error": None},
    {"error": 5},
    {"error": {"code": "x"}},
    {"code": []},
)
STATUSES = (200, 302, 400, 401, 403, 404, 408, 410, 413, 418, 429, 500, 503, 599)
OUT = Text("msg_1", "", "consumer-1", "Good morning", "https://chat.example.com/status?m=msg_1")

#: The features that a method stands behind.
METHODS: Mapping[Feature, str] = {
    "photo": "media",
    "video": "media",
    "send_text": "send_text",
    "mark_read": "mark_read",
}


class Conformance:
    """Subclasses set three attributes and say how the platform signs."""

    connector: ClassVar[Connector[Any]]
    payloads: ClassVar[Path]
    #: The header that holds the proof (lower case).
    signature_header: ClassVar[str]

    def sign(self, request: Request) -> Request:
        """The request with the proof the platform would add."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "recording" in metafunc.fixturenames:
            found = recordings(self.payloads)
            metafunc.parametrize("recording", found, ids=[recording.name for recording in found])

    # what is declared -----------------------------------------------------------------------------

    def test_it_says_what_it_is(self) -> None:
        connector = self.connector
        assert connector.api == API
        assert connector.name == connector.name.lower().strip() != ""
        assert connector.label
        assert connector.docs.startswith("https://")
        assert connector.covers
        assert connector.covers <= {"body", "url", "caller"}
        assert all(header == header.lower() for header in connector.keeps)
        assert not any(host.startswith(".") or ":" in host for host in connector.hosts)

    def test_its_chart_tells_what_its_methods_do(self) -> None:
        can, connector = self.connector.capabilities, type(self.connector)
        assert set(can.features) | set(can.notes) <= set(FEATURES)
        for feature, method in METHODS.items():
            own = getattr(connector, method) is not getattr(Connector, method)
            assert own or can.support(feature) == "no", f"{feature} needs {method}()"
        assert (can.max_text > 0) == (can.support("send_text") != "no")

    def test_there_are_recordings(self) -> None:
        assert recordings(self.payloads), f"{self.payloads} holds no *.json"

    def test_a_setting_it_does_not_know_is_refused(self) -> None:
        known = self.connector.config.model_dump()
        with pytest.raises(ValidationError, match="a_setting_nobody_knows"):
            self.connector.Config.model_validate({**known, "a_setting_nobody_knows": 1})

    def test_settings_show_no_secret(self) -> None:
        assert not self._leaks(repr(self.connector.config), str(self.connector.config))

    # proof ----------------------------------------------------------------------------------------

    def test_a_genuine_request_is_taken(self, recording: Recording) -> None:
        self.connector.verify(self._genuine(recording))

    def test_the_proof_missing_changed_or_cut_is_refused(self, recording: Recording) -> None:
        genuine = self._genuine(recording)
        proof = genuine.headers[self.signature_header]
        others = {k: v for k, v in genuine.headers.items() if k != self.signature_header}
        self._refused(replace(genuine, headers=others), proof)
        middle = len(proof) // 2
        flipped = "0" if proof[middle] != "0" else "1"
        for wrong in (
            proof[:middle] + flipped + proof[middle + 1 :],
            *(proof[:-1], proof[1:], proof + proof, f"{proof}, {proof}"),
        ):
            self._refused(self._with_proof(genuine, wrong), proof)

    @pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
    def test_a_hostile_proof_is_refused_and_nothing_else_happens(self, hostile: str) -> None:
        genuine = self._genuine(recordings(self.payloads)[0])
        self._refused(self._with_proof(genuine, hostile), genuine.headers[self.signature_header])

    def test_what_the_proof_covers_cannot_be_changed(self, recording: Recording) -> None:
        genuine = self._genuine(recording)
        proof = genuine.headers[self.signature_header]
        changed = {
            "body": [
                replace(genuine, body=body) for body in (genuine.body + b" ", genuine.body[1:])
            ],
            "url": [replace(genuine, url=genuine.url + more) for more in ("x", "&x=1")],
            "caller": [],
        }
        for part in self.connector.covers:
            for request in changed[part]:
                self._refused(request, proof)

    @pytest.mark.parametrize(
        "body", [b"", b"\x1f\x8b", b"\xff\xfe\x00", b"[" * 5000, b"%", b"\x00" * 99]
    )
    def test_a_body_of_garbage_never_makes_the_check_fall_over(self, body: bytes) -> None:
        genuine = self._genuine(recordings(self.payloads)[0])
        for request in (replace(genuine, body=body), self.sign(replace(genuine, body=body))):
            with suppress(Forbidden):
                self.connector.verify(request)

    # reading --------------------------------------------------------------------------------------

    def test_a_recording_means_what_was_recorded(self, recording: Recording) -> None:
        found = orjson.loads(dump(self._parse(recording)))
        assert found == recording.events, (
            f"if this is right, record it:\n{orjson.dumps(found).decode()}"
        )

    def test_reading_twice_is_reading_once(self, recording: Recording) -> None:
        before = copy.deepcopy(recording.content)
        assert self._parse(recording) == self._parse(recording)
        assert recording.content == before, "parse changed its input"

    def test_events_survive_being_written_down(self, recording: Recording) -> None:
        events = self._parse(recording)
        assert load(dump(events)) == events
        assert not self._leaks(dump(events).decode())

    def test_events_are_told_apart(self, recording: Recording) -> None:
        events = self._parse(recording)
        assert len({(event.type, event.id) for event in events}) == len(events)
        messages = {event.id for event in events if isinstance(event, Message)}
        others = {event.id for event in events if not isinstance(event, Message)}
        assert not messages & others, "the id of a message belongs to it alone"

    def test_texts_hold_what_people_wrote(self, recording: Recording) -> None:
        for event in self._parse(recording):
            if isinstance(event, Message | Echo | Edit):
                assert event.text != ""
                assert event.text not in TRANSCRIPT_LINES.values()
            if event.sent_at is not None:
                assert event.sent_at.tzinfo is not None

    def test_damage_costs_an_unknown_and_no_more(self, recording: Recording) -> None:
        random = Random(recording.name)  # noqa: S311 - the same damage every time
        for _ in range(DAMAGES):
            broken = replace(recording, content=self._damaged(recording, random))
            events = self._parse(broken)
            assert isinstance(events, list)
            load(dump(events))
            for call in _first_calls(self._media(events)):
                assert isinstance(call.url, str)
                assert all(
                    value.isascii() and value.isprintable() for value in call.headers.values()
                )

    @pytest.mark.parametrize("content", [None, 5, "text", [], [1], {}, {"entry": 5}, [[[[]]]]])
    def test_what_is_no_delivery_costs_an_unknown(self, content: Any) -> None:
        recording = replace(recordings(self.payloads)[0], content=content)
        assert [event.type for event in self._parse(recording)] == ["unknown"]

    # calls ----------------------------------------------------------------------------------------

    def test_credentials_go_only_where_they_belong(self, recording: Recording) -> None:
        flows = [*self._media(self._parse(recording)), *self._other_flows()]
        for call in _first_calls(flows):
            assert not self._leaks(call.url.replace(self._api, ""), str(dict(call.headers)))
            if call.auth:
                assert self._may_have_credentials(call.url), f"{call.url} would get our credentials"

    def test_an_answer_that_makes_no_sense_is_a_refusal(self, recording: Recording) -> None:
        for answer in ANSWERS:
            for flow in (*self._media(self._parse(recording)), *self._other_flows()):
                if isinstance(flow, Generator):
                    self._answered(flow, answer)

    @pytest.mark.parametrize("status", STATUSES)
    def test_every_refusal_can_be_read(self, status: int) -> None:
        for answer in ANSWERS:
            for purpose in get_args(Purpose):
                refusal = self.connector.refusal(Reply(status, {}, answer, b"", purpose))
                assert refusal.reason
                assert not self._leaks(str(refusal))

    def test_our_proof_is_made_of_headers(self) -> None:
        for name, value in self.connector.authorize(RECEIVED_AT).items():
            assert name == name.lower()
            assert value.isascii()
            assert value.isprintable()

    @pytest.mark.parametrize("token", ["", "wrong", "é", "\udce9", "a" * 10_000])
    def test_a_handshake_with_the_wrong_word_is_not_answered(self, token: str) -> None:
        asked = {"hub.mode": "subscribe", "hub.challenge": "echo-me", "hub.verify_token": token}
        for query in (asked, {}, {"hub.challenge": "echo-me"}):
            request = Request("GET", "https://chat.example.com/", {}, b"", RECEIVED_AT, query)
            answer = self.connector.handshake(request)
            assert answer is None or (answer.status >= 400 and b"echo-me" not in answer.body)

    # how it is done -------------------------------------------------------------------------------

    def _damaged(self, recording: Recording, random: Random) -> Any:
        content = damaged(recording.content, random)
        if self.connector.body == "form" and isinstance(content, dict):
            return {name: str(value) for name, value in content.items()}  # a form holds texts alone
        return content

    def _answered(self, flow: Generator[Call, Reply, Any], answer: Any) -> None:
        next(flow)
        with suppress(Rejected, StopIteration):
            for _ in range(MOST_CALLS):
                flow.send(Reply(200, {}, answer))
            pytest.fail("a flow that never ends")

    def _genuine(self, recording: Recording) -> Request:
        return self.sign(recording.request(self.connector))

    def _with_proof(self, request: Request, proof: str) -> Request:
        return replace(request, headers={**request.headers, self.signature_header: proof})

    def _refused(self, request: Request, proof: str) -> None:
        with pytest.raises(Forbidden) as refusal:
            self.connector.verify(request)
        assert proof not in str(refusal.value)
        assert not self._leaks(str(refusal.value))

    def _parse(self, recording: Recording) -> list[AnyEvent]:
        return self.connector.parse(recording.delivery(self.connector))

    def _media(self, events: list[AnyEvent]) -> Iterator[Any]:
        for event in events:
            for ref in _files(event):
                with suppress(Rejected):
                    yield self.connector.media(ref)

    def _other_flows(self) -> Iterator[Any]:
        if self.connector.capabilities.support("send_text") != "no":
            yield self.connector.send_text(OUT)
        yield self.connector.mark_read("", OUT.to, "message-1")
        yield self.connector.check()

    @property
    def _api(self) -> str:
        api: str = self.connector.config.api
        return api

    def _may_have_credentials(self, url: str) -> bool:
        asked, own = urlsplit(url), urlsplit(self._api)
        if (asked.scheme, asked.netloc) == (own.scheme, own.netloc):
            return True
        return asked.scheme == "https" and asked.netloc in self.connector.hosts

    def _leaks(self, *texts: str) -> bool:
        found = list(_secrets(self.connector.config))
        assert all(len(secret) >= 4 for secret in found), (
            "use longer secrets: these are found by chance"
        )
        return any(secret in text for secret in found for text in texts)


def _first_calls(flows: Iterable[Any]) -> Iterator[Call]:
    for flow in flows:
        if isinstance(flow, Download):
            yield flow.call
        elif isinstance(flow, Generator):
            with suppress(Rejected):
                yield next(flow)


def _files(event: AnyEvent) -> Iterator[MediaRef]:
    if isinstance(event, Message | Echo | Edit):
        yield from (found.media for found in event.attachments if found.media is not None)


def _secrets(value: Any) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secrets(getattr(value, name))
        case tuple():
            for one in value:
                yield from _secrets(one)
