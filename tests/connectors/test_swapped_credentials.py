"""Credentials in each other's place, and a number without its plus, are named when the settings are read."""

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.instagram import Instagram
from connectors.messenger import Messenger
from connectors.twilio import Twilio
from connectors.whatsapp import WhatsApp

APP_SECRET, TOKEN = "0123456789abcdef" * 2, "EAAG" + "x" * 60
META: dict[str, Any] = {
    "app_secrets": [APP_SECRET],
    "verify_token": "a word",
    "access_token": TOKEN,
}
TWILIO: dict[str, Any] = {"account_sid": "AC" + "0" * 32, "auth_tokens": ["t" * 32]}


def mistake(kind: Any, **values: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        kind.Config(type="x", **values)
    (error,) = raised.value.errors()
    assert TOKEN not in error["msg"]
    assert APP_SECRET not in error["msg"]
    return f"{error['loc'][0]}: {error['msg']}"


@pytest.mark.parametrize(
    ("kind", "id"),
    [
        (WhatsApp, {"phone_number_id": "1"}),
        (Messenger, {"page_id": "1"}),
        (Instagram, {"account_id": "1"}),
    ],
)
def test_a_swapped_secret_and_token_of_meta_are_named(kind: Any, id: dict[str, str]) -> None:
    assert kind.Config(type="x", **META, **id)
    for token in (TOKEN, "IGAAx" + "y" * 40, "IGQVx" + "y" * 40):
        found = mistake(kind, **{**META, "app_secrets": [APP_SECRET, token]}, **id)
        assert found.startswith("app_secrets: ")
        assert "holds an access token" in found
    found = mistake(kind, **{**META, "access_token": APP_SECRET}, **id)
    assert found.startswith("access_token: ")
    assert "is an app secret by its form" in found


def test_a_swapped_token_of_one_of_several_pages_is_named() -> None:
    values = {name: value for name, value in META.items() if name != "access_token"}

    assert "is an app secret" in mistake(Messenger, **values, pages={"1": TOKEN, "2": APP_SECRET})


@pytest.mark.parametrize(
    "sender",
    ["15550002222", "1555 000 2222", "1-555-000-2222", "whatsapp:15550002222", "4915112345"],
)
def test_a_number_without_its_plus_is_named(sender: str) -> None:
    assert "without its plus" in mistake(Twilio, **TWILIO, sender=sender)


@pytest.mark.parametrize(
    "sender", ["+15550002222", "whatsapp:+15550002222", "12345", "ACME", "rcs:brand_agent"]
)
def test_other_senders_are_accepted(sender: str) -> None:
    assert Twilio.Config(type="twilio", **TWILIO, sender=sender).sender == sender
