"""Platforms that sign a part of a delivery: the kit changes exactly what `covered` names."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from connectors import Forbidden, Request, matches_any
from connectors.conformance import Conformance
from connectors.recordings import Recording

from .kit_run import failing
from .sound import SECRET, Acme
from .test_kit import acme

CONTENT = {"updates": [{"kind": "message", "id": "1", "from": "ann", "text": "hi", "at": 1}]}
TESTS = [
    "test_verify_rejects_a_change_to_each_covered_part",
    "test_verify_rejects_a_change_to_anything_it_covers",
    "test_verify_accepts_a_genuine_request",
    "test_body_covers_max_body_and_keeps_are_valid",
]


def signature(request: Request) -> str:
    """Sign id and text of the first update, the time in a header, and the shop in the query."""
    update = orjson.loads(request.body)["updates"][0]
    signed = (str(update["id"]), update["text"], request.headers["x-time"], request.query["shop"])
    return hmac.new(SECRET.encode(), "\n".join(map(str, signed)).encode(), "sha256").hexdigest()


class SignsParts(Acme):
    covers: ClassVar = frozenset({"part"})
    covered: ClassVar = frozenset({"updates.0.id", "updates.0.text", "header:x-time", "query:shop"})

    def verify(self, request: Request) -> None:
        try:
            expected = signature(request)
        except (ValueError, LookupError, TypeError):
            raise Forbidden("not a delivery of Acme") from None
        if not matches_any([expected], request.headers.get("x-acme", "")):
            raise Forbidden("X-Acme does not match secrets")


class NamesTheSender(SignsParts):
    covered: ClassVar = SignsParts.covered | {"updates.0.from"}


def suite(kind: type[Acme], folder: Path) -> type[Conformance]:
    headers: Mapping[str, Any] = {"x-time": "5"}
    recording = {"content": CONTENT, "headers": headers, "query": {"shop": "1"}, "events": []}
    (folder / "text.json").write_bytes(orjson.dumps(recording))

    class Suite(Conformance):
        connector = acme(kind)
        payloads = folder
        signature_header = "x-acme"

        def sign(self, request: Request) -> Request:
            return replace(request, headers={**request.headers, "x-acme": signature(request)})

    return Suite


def test_a_connector_that_names_what_is_signed_passes(tmp_path: Path) -> None:
    assert failing(suite(SignsParts, tmp_path), TESTS) == set()


def test_a_part_that_is_named_but_not_signed_fails(tmp_path: Path) -> None:
    assert failing(suite(NamesTheSender, tmp_path), TESTS) == {TESTS[0]}


@pytest.mark.parametrize("name", ["updates.1.text", "updates.0.words", "header:x-date", "query:x"])
def test_a_part_that_no_recording_has_fails(name: str, tmp_path: Path) -> None:
    class Names(SignsParts):
        covered: ClassVar = frozenset({name})

    assert failing(suite(Names, tmp_path), TESTS[:1])


def test_recordings_stay_as_they_are(tmp_path: Path) -> None:
    found = suite(SignsParts, tmp_path)()
    found.test_verify_rejects_a_change_to_each_covered_part()
    (recording,) = found.recorded
    assert recording == Recording("text", CONTENT, [], {"x-time": "5"}, {"shop": "1"})
