"""Photos and videos: only for who is assigned, by fresh links, never with the API token."""

import asyncio
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.fake_gateway import TOKEN
from tests.workspace.house import House

LINKS = "/v1/attachments/att_photo/links"
PHOTO = "attachments/att_photo"


@pytest.fixture
async def photo(house: House) -> House:
    house.gateway.hold("conv_mia", "att_photo", thumbnail=b"small", preview=b"large")
    message = samples.message(
        transcript="[photo message]", attachments=[samples.photo(name="IMG_7.JPG")]
    )
    await house.deliver(samples.received("evt_1", message))
    return house


async def fetch(house: House, path: str) -> tuple[int, bytes]:
    async with house.session.get(house.url(path)) as response:
        return response.status, await response.read()


async def redirect(house: House, path: str) -> str:
    async with house.session.get(house.url(path), allow_redirects=False) as response:
        assert response.status == 302
        assert response.headers["Cache-Control"] == "no-store"
        return str(response.headers["Location"])


async def test_opening_takes_in_the_demo_and_then_pictures_come(photo: House) -> None:
    await photo.opened()
    assert photo.gateway.assigned == {"conv_mia": ["agent"]}
    assert await fetch(photo, f"{PHOTO}/thumbnail") == (200, b"small")
    assert await fetch(photo, f"{PHOTO}/preview") == (200, b"large")


async def test_the_browser_never_sees_the_token(photo: House) -> None:
    await photo.opened()
    for path in ("", "api/me", "api/conversations", f"{PHOTO}/thumbnail", "static/workspace.js"):
        async with photo.session.get(photo.url(path), allow_redirects=False) as response:
            assert TOKEN not in str(response.headers) + await response.text()


async def test_links_are_asked_for_when_a_picture_is_wanted_and_once_for_all_renditions(
    photo: House,
) -> None:
    await photo.opened()
    assert photo.gateway.called("POST", LINKS) == []
    names = ("thumbnail", "preview", "thumbnail")
    await asyncio.gather(*(redirect(photo, f"{PHOTO}/{name}") for name in names))
    assert photo.gateway.called("POST", LINKS) == [{"agent": "agent"}]


async def test_a_link_that_is_about_to_expire_is_renewed(photo: House) -> None:
    photo.gateway.link_seconds = 5
    await photo.opened()
    first = await redirect(photo, f"{PHOTO}/thumbnail")
    assert await redirect(photo, f"{PHOTO}/thumbnail") != first


async def test_what_does_not_exist_is_not_found(photo: House) -> None:
    await photo.opened()
    for path in (f"{PHOTO}/video", f"{PHOTO}/etc", "attachments/att_none/thumbnail"):
        assert await photo.status(path) == 404


async def test_who_is_not_assigned_learns_that_there_is_one_and_nothing_else(photo: House) -> None:
    await photo.opened()
    sam = photo.browser()
    async with sam.session:
        assert (await sam.sign_in("sam")).status == 303
        (line,) = (await sam.opened())["lines"]
        assert line["attachments"] == [
            {
                "id": "att_photo",
                "kind": "photo",
                "line": "[photo message]",
                "state": "ready",
                "words": "",
                "visible": False,
                "retry": False,
            }
        ]
        before = len(photo.gateway.calls)
        for path in ("thumbnail", "preview", "download"):
            assert await sam.status(f"{PHOTO}/{path}") == 403
        assert (await sam.try_post(f"{PHOTO}/retry"))[0] == 403
        assert len(photo.gateway.calls) == before


async def test_a_hand_over_counts_at_the_next_look(photo: House) -> None:
    await photo.opened()
    await redirect(photo, f"{PHOTO}/thumbnail")
    await photo.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    assert photo.gateway.assigned == {"conv_mia": ["sam"]}
    assert await photo.status(f"{PHOTO}/thumbnail") == 403
    sam = photo.browser()
    async with sam.session:
        await sam.sign_in("sam")
        assert await fetch(sam, f"{PHOTO}/thumbnail") == (200, b"small")


async def test_a_gateway_that_forgot_who_is_assigned_is_told_again(photo: House) -> None:
    await photo.opened()
    photo.gateway.assigned.clear()
    assert await fetch(photo, f"{PHOTO}/thumbnail") == (200, b"small")


async def test_a_gateway_in_trouble_is_no_server_error_of_ours(photo: House) -> None:
    await photo.opened()
    for told, answered in ((500, 502), (503, 503), (404, 404), (410, 410), (429, 502)):
        photo.gateway.refuse[LINKS] = told, {"title": "trouble"}
        assert await photo.status(f"{PHOTO}/thumbnail") == answered
    photo.gateway.refuse.clear()
    assert await fetch(photo, f"{PHOTO}/thumbnail") == (200, b"small")


async def test_a_gateway_that_is_away_is_said_so(photo: House) -> None:
    await photo.opened()
    await photo.gateway.server.close()
    assert await photo.status(f"{PHOTO}/thumbnail") == 503


async def test_a_link_to_somewhere_strange_is_not_followed(photo: House) -> None:
    await photo.opened()
    links = {"links": {"thumbnail": "javascript:alert(1)"}, "expires_at": "2999-01-01T00:00:00Z"}
    photo.gateway.refuse[LINKS] = 200, links
    assert await photo.status(f"{PHOTO}/thumbnail") == 502


async def test_a_download_has_the_bytes_a_safe_name_and_no_way_to_run(photo: House) -> None:
    await photo.opened()
    async with photo.session.get(photo.url(f"{PHOTO}/download")) as response:
        assert await response.read() == b"large"
        assert response.headers["Content-Disposition"] == (
            "attachment; filename=\"IMG_7.jpg\"; filename*=UTF-8''IMG_7.jpg"
        )
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_every_look_leaves_a_trace(photo: House) -> None:
    await photo.opened()
    for path in ("thumbnail", "preview", "download"):
        assert (await fetch(photo, f"{PHOTO}/{path}"))[0] == 200
    entries = (await photo.get("api/audit?glimpses=too"))["entries"]
    seen = [(e["agent"], e["did"], e["attachment"], e["consumer"]) for e in entries[:3]]
    assert seen == [
        ("agent", did, "att_photo", "Mia") for did in ("download", "preview", "thumbnail")
    ]
    looks = (await photo.get("api/audit?views=only"))["entries"]
    assert [e["did"] for e in looks] == ["download", "preview"]


FAILED = samples.photo("att_photo", "failed", reason="unreachable")


async def failed(house: House) -> Any:
    message = samples.message(transcript="[photo message]", attachments=[FAILED])
    data = {"conversation": samples.conversation(), "message": message}
    await house.deliver(samples.event("evt_f", "attachment.updated", data))
    return (await house.opened())["lines"][0]["attachments"][0]


async def shown(house: House) -> str:
    line = (await house.opened())["lines"][0]["attachments"][0]
    return str(line["state"])


async def test_a_retry_shows_that_it_is_being_fetched(photo: House) -> None:
    assert (await failed(photo))["retry"]
    await photo.post(f"{PHOTO}/retry")
    assert photo.gateway.called("POST", "/v1/attachments/att_photo/retry") == [None]
    assert await shown(photo) == "pending"


async def test_a_retry_that_is_refused_changes_nothing_and_says_why(photo: House) -> None:
    await failed(photo)
    path = "/v1/attachments/att_photo/retry"
    photo.gateway.refuse[path] = 409, {"title": "Conflict", "detail": "nothing to fetch"}
    status, answer = await photo.try_post(f"{PHOTO}/retry")
    assert (status, answer["error"]) == (502, "nothing to fetch")
    assert await shown(photo) == "failed"


async def test_what_is_ready_is_not_retried(photo: House) -> None:
    await photo.opened()
    assert (await photo.try_post(f"{PHOTO}/retry"))[0] == 409


async def test_a_download_from_a_gateway_that_went_away_is_said_so(photo: House) -> None:
    await photo.opened()
    assert await photo.status(f"{PHOTO}/thumbnail") == 302
    await photo.gateway.server.close()
    assert await photo.status(f"{PHOTO}/download") == 503


async def pending_photo(house: House) -> None:
    message = samples.message(
        transcript="[photo message]", attachments=[samples.photo(state="pending")]
    )
    await house.deliver(samples.received("evt_1", message))


async def test_what_is_being_done_for_a_pending_file_is_told_in_words(house: House) -> None:
    await pending_photo(house)
    house.gateway.progress["att_photo"] = {
        "step": "making_safe",
        "percent": 40,
        "tries": 1,
        "next_try_at": None,
    }
    assert await house.status(f"{PHOTO}/progress") == 403
    await house.opened()
    assert (await house.get(f"{PHOTO}/progress"))["words"] == "Being made safe … 40 %"
    house.gateway.progress.clear()
    assert (await house.get(f"{PHOTO}/progress"))["words"] == ""
    assert await house.status("attachments/att_other/progress") == 404
    await house.gateway.server.close()
    assert await house.status(f"{PHOTO}/progress") == 503


async def test_a_second_click_on_retry_is_answered_in_words(house: House) -> None:
    await pending_photo(house)
    await house.opened()
    assert await house.try_post(f"{PHOTO}/retry") == (
        409,
        {"error": "This has changed meanwhile."},
    )
