"""Photos and videos: only for assigned agents, by fresh links, never with the API token."""

import asyncio
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.fake_gateway import TOKEN
from tests.workspace.running import RunningWorkspace

LINKS = "/v1/attachments/att_photo/links"
PHOTO = "attachments/att_photo"


@pytest.fixture
async def with_photo(running: RunningWorkspace) -> RunningWorkspace:
    running.gateway.add_media("conv_mia", "att_photo", thumbnail=b"small", preview=b"large")
    message = samples.message(
        transcript="[photo message]", attachments=[samples.photo(name="IMG_7.JPG")]
    )
    await running.deliver(samples.received("evt_1", message))
    return running


async def fetch(running: RunningWorkspace, path: str) -> tuple[int, bytes]:
    async with running.session.get(running.url(path)) as response:
        return response.status, await response.read()


async def redirect(running: RunningWorkspace, path: str) -> str:
    async with running.session.get(running.url(path), allow_redirects=False) as response:
        assert response.status == 302
        assert response.headers["Cache-Control"] == "no-store"
        return str(response.headers["Location"])


async def test_opening_in_the_demo_assigns_and_shows_media(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    assert with_photo.gateway.assigned == {"conv_mia": ["agent"]}
    assert await fetch(with_photo, f"{PHOTO}/thumbnail") == (200, b"small")
    assert await fetch(with_photo, f"{PHOTO}/preview") == (200, b"large")


async def test_browser_never_sees_the_api_token(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    for path in ("", "api/me", "api/conversations", f"{PHOTO}/thumbnail", "static/workspace.js"):
        async with with_photo.session.get(with_photo.url(path), allow_redirects=False) as response:
            assert TOKEN not in str(response.headers) + await response.text()


async def test_links_are_fetched_on_demand_once_for_all_renditions(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    assert with_photo.gateway.calls_to("POST", LINKS) == []
    names = ("thumbnail", "preview", "thumbnail")
    await asyncio.gather(*(redirect(with_photo, f"{PHOTO}/{name}") for name in names))
    assert with_photo.gateway.calls_to("POST", LINKS) == [{"agent": "agent"}]


async def test_link_about_to_expire_is_renewed(with_photo: RunningWorkspace) -> None:
    with_photo.gateway.link_seconds = 5
    await with_photo.open_conversation()
    first = await redirect(with_photo, f"{PHOTO}/thumbnail")
    assert await redirect(with_photo, f"{PHOTO}/thumbnail") != first


async def test_unknown_rendition_or_attachment_is_not_found(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    for path in (f"{PHOTO}/video", f"{PHOTO}/etc", "attachments/att_none/thumbnail"):
        assert await with_photo.status(path) == 404


async def test_unassigned_agent_sees_only_that_a_photo_exists(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    sam = with_photo.new_browser()
    async with sam.session:
        assert (await sam.sign_in("sam")).status == 303
        (line,) = (await sam.open_conversation())["lines"]
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
        before = len(with_photo.gateway.calls)
        for path in ("thumbnail", "preview", "download"):
            assert await sam.status(f"{PHOTO}/{path}") == 403
        assert (await sam.try_post(f"{PHOTO}/retry"))[0] == 403
        assert len(with_photo.gateway.calls) == before


async def test_hand_over_takes_effect_at_the_next_request(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    await redirect(with_photo, f"{PHOTO}/thumbnail")
    await with_photo.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    assert with_photo.gateway.assigned == {"conv_mia": ["sam"]}
    assert await with_photo.status(f"{PHOTO}/thumbnail") == 403
    sam = with_photo.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        assert await fetch(sam, f"{PHOTO}/thumbnail") == (200, b"small")


async def test_lost_assignment_is_sent_to_the_gateway_again(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    with_photo.gateway.assigned.clear()
    assert await fetch(with_photo, f"{PHOTO}/thumbnail") == (200, b"small")


async def test_gateway_errors_are_mapped_to_http_statuses(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    for status, answered in ((500, 502), (503, 503), (404, 404), (410, 410), (429, 502)):
        with_photo.gateway.refuse[LINKS] = status, {"title": "error"}
        assert await with_photo.status(f"{PHOTO}/thumbnail") == answered
    with_photo.gateway.refuse.clear()
    assert await fetch(with_photo, f"{PHOTO}/thumbnail") == (200, b"small")


async def test_unreachable_gateway_answers_503(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    await with_photo.gateway.server.close()
    assert await with_photo.status(f"{PHOTO}/thumbnail") == 503


async def test_invalid_link_from_the_gateway_is_refused(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    links = {"links": {"thumbnail": "javascript:alert(1)"}, "expires_at": "2999-01-01T00:00:00Z"}
    with_photo.gateway.refuse[LINKS] = 200, links
    assert await with_photo.status(f"{PHOTO}/thumbnail") == 502


async def test_download_has_a_safe_name_and_cannot_run(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    async with with_photo.session.get(with_photo.url(f"{PHOTO}/download")) as response:
        assert await response.read() == b"large"
        assert response.headers["Content-Disposition"] == (
            "attachment; filename=\"IMG_7.jpg\"; filename*=UTF-8''IMG_7.jpg"
        )
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_every_view_is_in_the_audit_log(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    for path in ("thumbnail", "preview", "download"):
        assert (await fetch(with_photo, f"{PHOTO}/{path}"))[0] == 200
    entries = (await with_photo.get("api/audit?glimpses=too"))["entries"]
    seen = [(e["agent"], e["did"], e["attachment"], e["consumer"]) for e in entries[:3]]
    assert seen == [
        ("agent", did, "att_photo", "Mia") for did in ("download", "preview", "thumbnail")
    ]
    looks = (await with_photo.get("api/audit?views=only"))["entries"]
    assert [e["did"] for e in looks] == ["download", "preview"]


FAILED = samples.photo("att_photo", "failed", reason="unreachable")


async def failed(running: RunningWorkspace) -> Any:
    message = samples.message(transcript="[photo message]", attachments=[FAILED])
    data = {"conversation": samples.conversation(), "message": message}
    await running.deliver(samples.event("evt_f", "attachment.updated", data))
    return (await running.open_conversation())["lines"][0]["attachments"][0]


async def shown(running: RunningWorkspace) -> str:
    line = (await running.open_conversation())["lines"][0]["attachments"][0]
    return str(line["state"])


async def test_retried_attachment_is_pending(with_photo: RunningWorkspace) -> None:
    assert (await failed(with_photo))["retry"]
    await with_photo.post(f"{PHOTO}/retry")
    assert with_photo.gateway.calls_to("POST", "/v1/attachments/att_photo/retry") == [None]
    assert await shown(with_photo) == "pending"


async def test_refused_retry_changes_nothing_and_has_a_reason(
    with_photo: RunningWorkspace,
) -> None:
    await failed(with_photo)
    path = "/v1/attachments/att_photo/retry"
    with_photo.gateway.refuse[path] = 409, {"title": "Conflict", "detail": "nothing to fetch"}
    status, answer = await with_photo.try_post(f"{PHOTO}/retry")
    assert (status, answer["error"]) == (502, "nothing to fetch")
    assert await shown(with_photo) == "failed"


async def test_ready_attachment_cannot_be_retried(with_photo: RunningWorkspace) -> None:
    await with_photo.open_conversation()
    assert (await with_photo.try_post(f"{PHOTO}/retry"))[0] == 409


async def test_download_from_an_unreachable_gateway_answers_503(
    with_photo: RunningWorkspace,
) -> None:
    await with_photo.open_conversation()
    assert await with_photo.status(f"{PHOTO}/thumbnail") == 302
    await with_photo.gateway.server.close()
    assert await with_photo.status(f"{PHOTO}/download") == 503


async def pending_photo(running: RunningWorkspace) -> None:
    message = samples.message(
        transcript="[photo message]", attachments=[samples.photo(state="pending")]
    )
    await running.deliver(samples.received("evt_1", message))


async def test_progress_of_a_pending_file_is_described(
    running: RunningWorkspace,
) -> None:
    await pending_photo(running)
    running.gateway.progress["att_photo"] = {
        "step": "making_safe",
        "percent": 40,
        "tries": 1,
        "next_try_at": None,
    }
    assert await running.status(f"{PHOTO}/progress") == 403
    await running.open_conversation()
    assert (await running.get(f"{PHOTO}/progress"))["words"] == "Making it safe… 40%"
    running.gateway.progress.clear()
    assert (await running.get(f"{PHOTO}/progress"))["words"] == ""
    assert await running.status("attachments/att_other/progress") == 404
    await running.gateway.server.close()
    assert await running.status(f"{PHOTO}/progress") == 503


async def test_second_retry_is_refused_with_a_sentence(running: RunningWorkspace) -> None:
    await pending_photo(running)
    await running.open_conversation()
    status, answer = await running.try_post(f"{PHOTO}/retry")
    assert (status, answer["error"]) == (
        409,
        "This has changed in the meantime. Please reload the page.",
    )
