"""Instagram: stories and shares, announcements without content, names, and whose token it is."""

from typing import Any

import pytest

from connectors import AnyEvent, Message, Notice, Reply, Text
from connectors.recordings import Recording

from .accounts import INSTAGRAM_ID, instagram
from .run_flow import drive, ok, refused

CONSUMER = "1789012345678901"
FILE = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=AbyKSu"


def item(**content: Any) -> dict[str, Any]:
    return {
        "sender": {"id": CONSUMER},
        "recipient": {"id": INSTAGRAM_ID},
        "timestamp": 1760000000001,
        **content,
    }


def read(*items: Any, name: str = "messaging", **settings: Any) -> list[AnyEvent]:
    entry = {"id": INSTAGRAM_ID, "time": 1760000000001, name: list(items)}
    connector = instagram(**settings)
    content = {"object": "instagram", "entry": [entry]}
    return connector.parse(Recording("made", content).delivery(connector))


def said(**message: Any) -> Message:
    *_, event = read(item(message={"mid": "m1", **message}))
    assert isinstance(event, Message), event
    return event


def shared(type: str, **payload: Any) -> Message:
    return said(attachments=[{"type": type, "payload": payload}])


@pytest.mark.parametrize(
    ("type", "words", "kind"),
    [
        ("story_mention", "Mentioned you in a story", "photo"),
        ("ig_story", "Shared a story", "photo"),
        ("ig_post", "Shared a post", "photo"),
        ("share", "Shared a post", "photo"),
        ("ig_reel", "Shared a reel", "video"),
        ("reel", "Shared a reel", "video"),
    ],
)
def test_what_is_shared_has_words_and_a_file(type: str, words: str, kind: str) -> None:
    message = shared(type, url=FILE, title="A title")
    assert message.text == f"{words}\nA title"
    (file,) = message.attachments
    assert file.kind == kind
    assert file.media is not None
    assert file.media.locator == {"url": FILE}


@pytest.mark.parametrize(
    "url",
    [
        "https://scontent.cdninstagram.com/v/1.jpg",
        "https://scontent-muc2-1.xx.fbcdn.net/v/1.jpg",
        "https://cdn.fbsbx.com/v/1.jpg",
    ],
)
def test_every_network_of_meta_holds_files(url: str) -> None:
    assert len(shared("ig_post", url=url).attachments) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/page",
        "http://lookaside.fbsbx.com/1",
        "https://fbsbx.com.example.com/1",
        "https://notfbsbx.com/1",
        "https://lookaside.fbsbx.com@example.com/1",
        "https://[lookaside.fbsbx.com/1",
    ],
)
def test_a_strange_address_is_read_and_never_fetched(url: str) -> None:
    message = shared("ig_post", url=url)
    assert message.attachments == ()
    assert message.text == f"Shared a post\n{url}"


def test_the_signature_of_a_file_is_in_its_attachment_alone() -> None:
    message = shared("ig_story", story_media_id="18", story_media_url=FILE)
    assert "AbyKSu" not in f"{message.text} {message.extra}"
    assert message.extra == {
        "attachments": [{"type": "ig_story", "payload": {"story_media_id": "18"}}]
    }


def test_a_reply_to_a_story_is_preceded_by_a_notice() -> None:
    story = {"id": "18040000000000001", "url": FILE}
    notice, message = read(item(message={"mid": "m1", "text": "?", "reply_to": {"story": story}}))
    assert isinstance(notice, Notice)
    assert isinstance(message, Message)
    assert (notice.kind, notice.details) == ("story_reply", {"story": {"id": story["id"]}})
    assert notice.party == message.party
    assert (message.text, message.reply_to) == ("?", None)
    assert [file.media.locator["url"] for file in message.attachments if file.media] == [FILE]
    assert message.extra == {"reply_to": {"story": {"id": story["id"]}}}


def test_a_repeated_reply_to_a_story_has_the_same_ids() -> None:
    again = item(message={"mid": "m1", "text": "?", "reply_to": {"story": {"id": "1"}}})
    first, second = read(again), read(again)
    assert [event.id for event in first] == [event.id for event in second]


def test_a_reply_in_standby_is_preceded_by_a_notice_too() -> None:
    reply = item(message={"mid": "m1", "text": "?", "reply_to": {"story": {"id": "1"}}})
    notice, message = read(reply, name="standby")
    assert isinstance(notice, Notice)
    assert isinstance(message, Message)
    assert message.extra is not None
    assert message.extra["standby"] is True


def test_a_post_in_both_forms_is_one_file() -> None:
    forms = [
        {"type": type, "payload": {"ig_post_media_id": "1", "title": "T", "url": f"{FILE}{type}"}}
        for type in ("share", "ig_post")
    ]
    message = said(attachments=forms)
    assert len(message.attachments) == 1
    assert message.text == "Shared a post\nT"


def test_two_different_posts_are_two_files() -> None:
    posts = [
        {"type": "ig_post", "payload": {"ig_post_media_id": id, "url": FILE + id}} for id in "12"
    ]
    assert len(said(attachments=posts).attachments) == 2


def test_an_announced_message_does_not_take_its_id() -> None:
    announced, message = read(
        item(message_edit={"mid": "m1", "num_edit": 0}), item(message={"mid": "m1", "text": "hi"})
    )
    assert isinstance(announced, Notice)
    assert announced.opens_window
    assert announced.id != message.id == "m1"


def test_an_announcement_that_names_nobody_is_about_the_account() -> None:
    (notice,) = read({"timestamp": 1, "message_edit": {"mid": "m1", "num_edit": 0}})
    assert isinstance(notice, Notice)
    assert (notice.account, notice.party) == (INSTAGRAM_ID, None)


def test_an_emulators_files_are_where_the_api_is() -> None:
    url = "http://127.0.0.1:9011/ig_messaging_cdn/?asset_id=1"
    card = item(
        message={"mid": "m1", "attachments": [{"type": "ig_post", "payload": {"url": url}}]}
    )
    (message,) = read(card, api_url="http://127.0.0.1:9010/v25.0")
    assert isinstance(message, Message)
    assert len(message.attachments) == 1
    assert shared("ig_post", url=url).attachments == ()


@pytest.mark.parametrize(
    ("login", "api", "proof"),
    [
        ("facebook", "https://graph.facebook.com/v25.0", True),
        ("instagram", "https://graph.instagram.com/v25.0", False),
    ],
)
def test_each_login_has_its_api(login: str, api: str, proof: bool) -> None:
    config = instagram(login=login).config
    assert (config.api, config.appsecret_proof) == (api, proof)
    call = next(instagram(login=login).send_text(Text("k", "", "24", "Hi", "https://x.example")))
    assert call.url.partition("?")[0] == f"{api}/me/messages"
    assert call.json == {
        "recipient": {"id": "24"},
        "messaging_type": "RESPONSE",
        "message": {"text": "Hi"},
    }


def test_settings_of_a_login_can_be_overridden() -> None:
    api = "https://proxy.example.com/v26.0"
    config = instagram(login="instagram", api_url=api, appsecret_proof=True).config
    assert (config.api, config.appsecret_proof) == (api, True)


@pytest.mark.parametrize("id", ["user_id", "id"])
def test_either_id_of_an_instagram_login_is_its_own(id: str) -> None:
    me = {"user_id": "1", "id": "2", "username": "shop", id: INSTAGRAM_ID}
    assert drive(instagram(login="instagram").check(), ok(me))[1] == "@shop"


def test_a_page_whose_account_is_hidden_is_accepted() -> None:
    _, name = drive(instagram().check(), ok({"name": "Shop", "id": "1"}))
    assert name == "Shop, whose Instagram account the token may not see"


@pytest.mark.parametrize("given", ["user_id", "id"])
def test_of_several_accounts_the_id_of_deliveries_is_required(given: str) -> None:
    me = {"user_id": "17841", "id": "28978", "username": "shop"}
    both = {me[given]: "a-token", "9": "another-token"}
    connector = instagram(login="instagram", account_id=None, access_token=None, accounts=both)
    other = {"user_id": "9", "id": "8", "username": "outlet"}
    if given == "user_id":
        assert drive(connector.check(), ok(me), ok(other))[1] == "@shop, @outlet"
        return
    refusal = refused(connector.check(), ok(me), ok(other))
    assert refusal.reason == "misconfigured"
    assert "17841" in refusal.detail


def test_a_story_mention_without_a_message_is_named() -> None:
    (notice,) = read(item(referral={"source": "STORY_MENTION", "type": "OPEN_THREAD"}))
    assert isinstance(notice, Notice)
    assert notice.text == "The customer mentioned you in a story"
    assert notice.opens_window


def test_a_code_below_zero_is_passed_on() -> None:
    error = {"error": {"code": -1, "error_subcode": 2207001, "message": "Server error"}}
    refusal = instagram().refusal(Reply(400, {}, error, b"", "send"))
    assert (refusal.reason, refusal.code) == ("unknown", "-1/2207001")


def test_a_name_that_a_person_has_not_allowed_is_nobodys_mistake() -> None:
    words = "(#230) User consent is required to access user profile"
    error = {"error": {"code": 230, "message": words}}
    refusal = instagram().refusal(Reply(403, {}, error, b"", "profile"))
    assert (refusal.operator, refusal.retry) == (False, False)


@pytest.mark.parametrize("content", [None, [], {}, {"id": "1"}, {"name": False}])
def test_a_check_without_a_name_is_refused(content: Any) -> None:
    assert refused(instagram().check(), ok(content, purpose="check")).reason == "unreadable_answer"
