"""The kit and what only further recordings show: states of files, schemes of tokens, words of refusals, capitals."""

import base64
import hmac
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from connectors import (
    Call,
    Download,
    Forbidden,
    MediaRef,
    Rejected,
    Reply,
    Request,
    Token,
    matches_any,
    revealed,
)
from connectors.conformance import Conformance

from .fetching import Fetching
from .kit_run import add, failures
from .sound import SECRET, Acme
from .test_kit import FILES, call, folder, step, trial

__all__ = ["folder"]


class Patient(Acme):
    """Waits for files that are prepared, or gives up."""

    waits = True

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        yield Call("GET", f"{self.config.api}/files/{ref.locator['id']}")
        raise Rejected("unreachable", retry=self.waits, after=3.0 if self.waits else None)


class Impatient(Patient):
    waits = False


@pytest.mark.parametrize(
    ("state", "kind", "found"),
    [
        ("PROCESSING", Patient, False),
        ("PROCESSING", Impatient, True),
        ("failed", Patient, True),
        ("failed", Impatient, False),
    ],
)
def test_a_file_is_asked_for_again_while_it_is_prepared(
    folder: Path, state: str, kind: type[Acme], found: bool
) -> None:
    test = "test_a_file_that_is_being_prepared_is_asked_for_again"
    for file in (folder / "exchanges").glob("a_file*"):
        file.unlink()
    steps = [step(FILES, {"status": state})]
    add(folder, "exchanges", "a_file", flow="media", given={"locator": {"id": "f1"}}, steps=steps)
    assert bool(failures(trial(kind, folder), [test])) == found


class WithoutAScheme(Fetching):
    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:  # type: ignore[override]  # as Fetching
        return {"authorization": f"Token {token.value}"}


@pytest.mark.parametrize(("kind", "found"), [(Fetching, False), (WithoutAScheme, True)])
def test_a_bearer_token_is_sent_as_one(folder: Path, kind: type[Acme], found: bool) -> None:
    reply = {"access_token": "t-1", "expires_in": 60, "token_type": "Bearer"}
    asked = step(call("POST", "/token"), reply)
    add(folder, "exchanges", "a_token", flow="token", steps=[asked])
    assert bool(failures(trial(kind, folder), ["test_a_token_is_sent_with_its_scheme"])) == found


def test_a_used_up_quota_needs_an_operator(folder: Path) -> None:
    test = "test_what_only_a_person_can_resolve_calls_an_operator"
    assert not failures(trial(Acme, folder), [test])
    said = {"code": 17, "message": "You have reached your monthly limit"}
    replies = [{"purpose": "send", "status": 400, "content": said}]
    add(folder, "refusals", "quota", refused={"reason": "window_closed"}, replies=replies)
    assert "calls no operator" in failures(trial(Acme, folder), [test])[test]


@pytest.mark.parametrize("words", ["cannot be read", "cannot be shown", "no event"])
def test_a_note_that_is_not_true_is_a_fault(folder: Path, words: str) -> None:
    test = "test_a_recording_that_is_not_read_or_shown_says_so"
    file = folder / "two_messages.json"
    file.write_bytes(file.read_bytes().replace(b"made by hand", f"It {words}".encode()))
    assert f"the note says “{words}”" in failures(trial(Acme, folder), [test])[test]


def test_a_success_after_an_error_needs_a_note(folder: Path) -> None:
    test = "test_an_exchange_ends_as_its_replies_or_its_note_say"

    class Content(Acme):
        def check(self) -> Generator[Call, Reply, str]:
            yield Call("GET", f"{self.config.api}/shops", expects=frozenset({404}))
            return "Ann's Chairs"

    steps = [step(call("GET", "/shops"), None, 404)]
    for note, found in (("made by hand", True), ("It is a success", False)):
        add(folder, "exchanges", "the_account", flow="check", note=note, steps=steps)
        assert bool(failures(trial(Content, folder), [test])) == found


class Nameless(Acme):
    def profile(self, account: str, party: str) -> Generator[Call, Reply, str | None]:
        yield Call("GET", f"{self.config.api}/people/{party}")
        return None


def test_a_name_that_is_not_returned_is_found(folder: Path) -> None:
    test = "test_a_name_in_a_profile_is_returned"
    given = {"account": "shop-1", "party": "ann"}
    for content, note, found in (
        ({"username": "ann"}, "made by hand", True),
        ({"username": "ann"}, "It has no name", False),
        ({"id": "ann"}, "made by hand", False),
    ):
        steps = [step(call("GET", "/people/ann"), content)]
        add(folder, "exchanges", "a_name", flow="profile", given=given, note=note, steps=steps)
        assert bool(failures(trial(Nameless, folder), [test])) == found


class InBase64(Acme):
    """Signs in Base64, and takes capitals for small letters if it is careless."""

    proof: Mapping[str, str] = {"x-acme": ".+"}  # type: ignore[misc]  # a class variable in Acme
    careless = False

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-acme", "")
        expected = [_in_base64(secret, request.body) for secret in revealed(self.config.secrets)]
        if self.careless:
            given, expected = given.lower(), [one.lower() for one in expected]
        if not matches_any(expected, given):
            raise Forbidden("X-Acme matches none of secrets")


class Careless(InBase64):
    careless = True


def _in_base64(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def _signing_in_base64(suite: type[Conformance]) -> type[Conformance]:
    def sign(self: Conformance, request: Request) -> Request:
        headers = {**request.headers, "x-acme": _in_base64(SECRET, request.body)}
        return replace(request, headers=headers)

    return type("Signing", (suite,), {"sign": sign})


@pytest.mark.parametrize(("kind", "found"), [(InBase64, False), (Careless, True)])
def test_capitals_of_a_proof_count(folder: Path, kind: type[Acme], found: bool) -> None:
    test = "test_verify_distinguishes_capitals_in_a_proof"
    assert bool(failures(_signing_in_base64(trial(kind, folder)), [test])) == found
