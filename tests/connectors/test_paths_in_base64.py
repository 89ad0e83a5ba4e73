"""Paths in recorded deliveries continue in a text that is JSON in Base64."""

import base64
from typing import Any

import orjson
import pytest

from connectors.kit.paths import changed, fields, lists, opened, without
from connectors.kit.trials import leaves


def encoded(value: Any) -> str:
    return base64.b64encode(orjson.dumps(value)).decode()


EVENT = {"id": "m-1", "files": [{"name": "a.jpg"}]}
CONTENT = {"message": {"data": encoded(EVENT), "publishTime": "2026-10-03"}}


def test_leaves_are_found_inside_of_base64() -> None:
    assert dict(leaves(CONTENT)) == {
        ("message", "data", "id"): "m-1",
        ("message", "data", "files", 0, "name"): "a.jpg",
        ("message", "publishTime"): "2026-10-03",
    }


def test_fields_and_lists_are_found_inside_of_base64() -> None:
    assert ("message", "data", "files", 0, "name") in set(fields(CONTENT))
    assert list(lists(CONTENT)) == [(("message", "data", "files"), EVENT["files"])]


def test_a_value_inside_of_base64_is_changed_in_a_copy() -> None:
    found = changed(CONTENT, ("message", "data", "files", 0, "name"), "b.jpg")
    assert opened(found["message"]["data"]) == {"id": "m-1", "files": [{"name": "b.jpg"}]}
    assert found["message"]["publishTime"] == "2026-10-03"
    assert opened(CONTENT["message"]["data"]) == EVENT


def test_a_field_inside_of_base64_is_removed_from_a_copy() -> None:
    found = without(CONTENT, ("message", "data", "files"))
    assert opened(found["message"]["data"]) == {"id": "m-1"}
    assert without(CONTENT, ("message", "data")) == {"message": {"publishTime": "2026-10-03"}}


def test_the_whole_delivery_can_be_changed() -> None:
    assert changed(CONTENT, (), 5) == 5
    assert changed([EVENT], (0, "id"), "m-2") == [{**EVENT, "id": "m-2"}]


@pytest.mark.parametrize(
    "value",
    [
        *("", "eyJ", "Wyno", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"),
        *("eyJicm9rZW4iOiB0cnVl", encoded("only a text"), "a sentence", 5, None, True),
    ],
)
def test_any_other_value_stays_closed(value: Any) -> None:
    assert opened(value) is value


@pytest.mark.parametrize(
    "text",
    [
        *('{"a": "bcde"}', '{ "a": "bcd"}', '{\n "a": "bc"}', '["a", "bcde"]', "[1, 2, 3, 4]"),
        *('[{"a": "bc"}]', "[[1], [2], 3]", "[\n 1, 2, 3]", "[true, false]"),
    ],
)
def test_objects_and_lists_are_opened_however_they_are_written(text: str) -> None:
    assert opened(base64.b64encode(text.encode()).decode()) == orjson.loads(text)
