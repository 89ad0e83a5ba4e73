"""Messenger and Instagram: several accounts in one section, each with its own token."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from connectors import Call, Rejected, Reply, Text, Typing
from connectors.meta import appsecret_proof

from .accounts import APP_SECRET, NOW, instagram, messenger
from .run_flow import drive, ok, refused

SHOP, OUTLET = "17841400000000001", "17841400000000002"
TOKENS = {SHOP: "the-token-of-the-shop", OUTLET: "the-token-of-the-outlet"}
EXPIRED = Reply(400, {}, {"error": {"code": 190, "message": "Session has expired"}}, b"", "check")

Maker = Callable[..., Any]


def pages(**more: Any) -> Any:
    return messenger(page_id=None, access_token=None, pages=TOKENS, **more)


def accounts(**more: Any) -> Any:
    return instagram(account_id=None, access_token=None, accounts=TOKENS, **more)


BOTH = pytest.mark.parametrize("make", [pages, accounts])


def text(account: str) -> Text:
    return Text("msg_1", account, "24", "Good morning", "https://chat.example.com/status?m=msg_1")


def token_of(connector: Any, call: Call) -> str:
    return str(connector.authorize(NOW, None, call)["authorization"]).removeprefix("Bearer ")


@BOTH
@pytest.mark.parametrize("account", [SHOP, OUTLET])
def test_an_answer_carries_the_token_of_its_account(make: Maker, account: str) -> None:
    connector = make()
    call = next(connector.send_text(text(account)))
    assert token_of(connector, call) == TOKENS[account]
    assert f"appsecret_proof={appsecret_proof(APP_SECRET, TOKENS[account])}" in call.url


@BOTH
def test_typing_reading_and_names_use_the_accounts_token(make: Maker) -> None:
    connector = make()
    for flow in (
        connector.send_typing(Typing("typing_1", OUTLET, "24", "m1")),
        connector.mark_read(OUTLET, "24", "m1"),
        connector.profile(OUTLET, "24"),
    ):
        assert token_of(connector, next(flow)) == TOKENS[OUTLET]


def test_a_page_posts_to_its_own_messages() -> None:
    call = next(pages(appsecret_proof=False).send_text(text(OUTLET)))
    assert call.url.endswith(f"/v25.0/{OUTLET}/messages")


def test_a_single_account_keeps_its_calls_as_they_were() -> None:
    call = next(messenger(appsecret_proof=False).send_text(text("")))
    assert (call.account, call.expects) == ("", frozenset())


@BOTH
def test_an_account_that_is_not_listed_cannot_answer(make: Maker) -> None:
    refusal = refused(make().send_text(text("17841400000000009")))
    assert (refusal.reason, refusal.operator) == ("misconfigured", True)
    assert "17841400000000009" in refusal.detail
    assert "to answer" in refusal.detail


@BOTH
def test_names_of_an_account_that_is_not_listed_hold_up_no_others(make: Maker) -> None:
    assert list(make().profile("17841400000000009", "24")) == []


@BOTH
def test_a_refused_text_names_its_account(make: Maker) -> None:
    reply = Reply(400, {}, {"error": {"code": 190, "message": "Expired"}}, b"", "send")
    refusal = refused(make().send_text(text(OUTLET)), reply)
    assert (refusal.reason, refusal.code, refusal.explained) == ("unauthorized", "190", True)
    assert f"{OUTLET}: Expired" in refusal.detail


def test_the_check_asks_for_each_page_and_names_them() -> None:
    connector = pages()
    calls, names = drive(connector.check(), ok({"name": "Shop"}), ok({"name": "Outlet"}))
    assert names == "Shop, Outlet"
    assert [token_of(connector, call) for call in calls] == list(TOKENS.values())


@BOTH
def test_one_bad_token_names_its_account_alone(make: Maker) -> None:
    good = {"name": "Shop", "instagram_business_account": {"id": SHOP, "username": "shop"}}
    refusal = refused(make().check(), ok(good), EXPIRED)
    assert (refusal.reason, refusal.operator) == ("unauthorized", True)
    assert OUTLET in refusal.detail
    assert SHOP not in refusal.detail


def test_what_an_operator_must_correct_comes_first() -> None:
    busy = Reply(500, {}, {"error": {"code": 2, "message": "Try later"}}, b"", "check")
    refusal = refused(pages().check(), busy, EXPIRED)
    assert refusal.reason == "unauthorized"
    assert refusal.detail == (
        f"Page {OUTLET}: Session has expired; Page {SHOP}: Try later (temporary)"
    )


def test_a_token_of_another_account_is_reported() -> None:
    swapped = {"name": "P", "instagram_business_account": {"id": OUTLET, "username": "outlet"}}
    right = {"name": "P", "instagram_business_account": {"id": OUTLET, "username": "outlet"}}
    refusal = refused(accounts().check(), ok(swapped), ok(right))
    assert (refusal.reason, refusal.operator) == ("misconfigured", True)
    assert refusal.detail.startswith(f"account {SHOP}: the token belongs to the account {OUTLET}")


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (messenger, {"pages": TOKENS}),
        (messenger, {"page_id": None}),
        (messenger, {"access_token": None}),
        (messenger, {"page_id": None, "access_token": None}),
        (messenger, {"page_id": None, "access_token": None, "pages": {}}),
        (messenger, {"access_token": None, "pages": TOKENS}),
        (instagram, {"accounts": TOKENS}),
        (instagram, {"account_id": None}),
    ],
)
def test_one_account_and_several_exclude_each_other(make: Maker, settings: Any) -> None:
    with pytest.raises(ValidationError) as found:
        make(**settings)
    (error,) = found.value.errors()
    assert "pages" in error["msg"] or "accounts" in error["msg"]


@pytest.mark.parametrize(
    ("tokens", "where"),
    [
        ({1: "a-token"}, ("pages", 1, "[key]")),
        ({"a/b": "a-token"}, ("pages", "a/b", "[key]")),
        ({"1": "abc"}, ("pages", "1")),
        ({"1": " a-token "}, ("pages", "1")),
        ({str(n): "a-token" for n in range(51)}, ("pages",)),
    ],
)
def test_a_mistake_in_a_list_of_pages_is_located(tokens: Any, where: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as found:
        messenger(page_id=None, access_token=None, pages=tokens)
    assert found.value.errors()[0]["loc"] == where


def test_the_settings_never_show_a_token_of_several() -> None:
    shown = f"{pages().config!r} {accounts().config!r}"
    assert not any(token in shown for token in TOKENS.values())


def test_a_refusal_of_an_unlisted_account_is_not_retried() -> None:
    with pytest.raises(Rejected) as found:
        pages().config.account("17841400000000009")
    assert not found.value.retry
