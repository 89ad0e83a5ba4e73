"""Messenger: the look-up of a consumer's name, and what it does when Meta does not reveal it."""

from typing import Any

import pytest

from connectors import Call

from .accounts import messenger
from .messenger_items import CONSUMER
from .run_flow import drive, ok, refused


def look_up(content: Any) -> Any:
    connector = messenger(appsecret_proof=False)
    return drive(connector.profile("", CONSUMER), ok(content, purpose="profile"))


def test_a_name_is_looked_up_with_one_authenticated_call() -> None:
    (call,), name = look_up({"name": "Ann Smith", "id": CONSUMER})
    fields = "fields=name%2Cfirst_name%2Clast_name"
    assert call == Call("GET", f"https://graph.facebook.com/v25.0/{CONSUMER}?{fields}")
    assert name == "Ann Smith"


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"first_name": "Ann", "last_name": "Smith"}, "Ann Smith"),
        ({"first_name": "Ann", "id": "1"}, "Ann"),
        ({"last_name": "Smith", "name": " "}, "Smith"),
        ({"name": " Ann "}, "Ann"),
        ({"name": None, "id": "1"}, None),
        ({"name": ["Ann"], "first_name": {}, "id": "1"}, None),
        ({"name": "Facebook User"}, None),
        ({"first_name": "Facebook", "last_name": "User"}, None),
    ],
)
def test_a_name_is_read_from_whatever_a_profile_holds(profile: Any, name: str | None) -> None:
    _, found = look_up(profile)
    assert found == name


@pytest.mark.parametrize("content", [None, [], "x", {}, {"error": {"code": 190}}])
def test_a_reply_without_a_profile_is_refused(content: Any) -> None:
    refusal = refused(messenger().profile("", CONSUMER), ok(content, purpose="profile"))
    assert refusal.reason in {"unreadable_answer", "unauthorized"}


def test_a_consumers_id_cannot_leave_its_place_in_the_address() -> None:
    call = next(messenger(appsecret_proof=False).profile("", "../1?x=y"))
    assert call.url.startswith("https://graph.facebook.com/v25.0/..%2F1%3Fx%3Dy?")
