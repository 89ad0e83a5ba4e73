"""Sounds in a real browser: playing, seeking, speed, one at a time, and what the audit log says of it."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.workspace import samples
from tests.workspace.browser import pages, until
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def tone() -> bytes:
    return samples.m4a()


@pytest.fixture
async def with_sounds(running: RunningWorkspace, tone: bytes) -> RunningWorkspace:
    """A voice message, and a song with a name."""
    song: dict[str, Any] = {"voice": False, "name": "rattle.mp3", "duration_seconds": 63.0}
    for number, sound in enumerate([samples.sound("att_1"), samples.sound("att_2", **song)], 1):
        running.gateway.add_media("conv_mia", sound["id"], audio=tone)
        await deliver(running, number, sound)
    return running


async def deliver(running: RunningWorkspace, number: int, sound: dict[str, Any]) -> None:
    message = samples.message(number, transcript="[audio message]", attachments=[sound])
    await running.deliver(samples.received(f"evt_{number}", message))


async def open_mia(page: Page, running: RunningWorkspace) -> Locator:
    """Open the conversation and return its first sound."""
    await page.goto(running.url("?conversation=conv_mia"))
    await expect(page.locator(".sound").first).to_be_visible()
    return page.locator(".sound").first


async def position(page: Page, place: int = 0) -> float:
    return float(await page.evaluate(f"document.querySelectorAll('audio')[{place}].currentTime"))


def playing(place: int = 0) -> str:
    return f"(a => !a.paused && a.currentTime > 0.2)(document.querySelectorAll('audio')[{place}])"


async def test_voice_message_plays_pauses_and_ends(with_sounds: RunningWorkspace) -> None:
    async with pages(with_sounds) as (page,):
        sound = await open_mia(page, with_sounds)
        await expect(sound.get_by_text("Voice message", exact=True)).to_be_visible()
        assert with_sounds.gateway.served == [], "nothing is loaded before it is played"
        await sound.get_by_role("button", name=re.compile("Play Voice message")).click()
        await until(page, playing())
        await sound.get_by_role("button", name=re.compile("Pause Voice message")).click()
        paused = await position(page)
        await page.wait_for_timeout(300)
        assert await position(page) == paused
        slider = sound.get_by_role("slider")
        await slider.press("End")
        await slider.press("ArrowLeft")
        await sound.get_by_role("button", name=re.compile("Play")).click()
        await expect(slider).to_have_attribute("aria-valuetext", "0:12 of 0:12")
        await expect(sound.get_by_role("button", name=re.compile("Play"))).to_be_visible()
        await sound.get_by_role("button", name=re.compile("Play")).click()
        # A sound that has ended starts again.
        await until(page, f"{playing()} && document.querySelector('audio').currentTime < 9")
    assert {path for path, _ in with_sounds.gateway.served} == {"/media/att_1/audio"}


async def test_bars_are_a_slider_for_the_keyboard(with_sounds: RunningWorkspace) -> None:
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        slider = page.get_by_role("slider").nth(1)
        await expect(slider).to_have_attribute("aria-valuetext", "0:00 of 1:03")
        await slider.focus()
        steps = [
            ("ArrowRight", "0:03"),
            ("ArrowUp", "0:06"),
            ("ArrowDown", "0:03"),
            ("End", "1:03"),
            ("ArrowRight", "1:03"),
            ("PageDown", "0:57"),
            ("Home", "0:00"),
            ("ArrowLeft", "0:00"),
            ("PageUp", "0:06"),
        ]
        for key, reached in steps:
            await slider.press(key)
            await expect(slider).to_have_attribute("aria-valuetext", f"{reached} of 1:03")
        await expect(slider).to_have_attribute("aria-valuenow", "6")
        await expect(slider).to_have_attribute("aria-valuemax", "63")
        assert with_sounds.gateway.served == [], "moving in a sound does not load it"


async def test_space_on_the_bars_plays_and_pauses(with_sounds: RunningWorkspace) -> None:
    async with pages(with_sounds) as (page,):
        sound = await open_mia(page, with_sounds)
        await sound.get_by_role("slider").press(" ")
        await until(page, playing())
        await sound.get_by_role("slider").press(" ")
        await until(page, "document.querySelector('audio').paused")


async def test_playing_sound_continues_while_its_line_changes(
    with_sounds: RunningWorkspace,
) -> None:
    async with pages(with_sounds) as (page,):
        sound = await open_mia(page, with_sounds)
        await sound.locator(".sound-play").click()
        await until(page, playing())
        # However slow the machine is, the sound does not end meanwhile.
        await page.evaluate("document.querySelector('audio').loop = true")
        data = {
            "conversation": samples.conversation(),
            "message": {"id": "msg_1", "platform_id": "x"},
            "emoji": "👍",
        }
        await with_sounds.deliver(samples.event("evt_r", "reaction.changed", data))
        await expect(page.locator(".reaction")).to_have_text("👍")
        await until(page, playing())


async def test_pending_document_becomes_a_sound_once_fetched(
    with_sounds: RunningWorkspace, tone: bytes
) -> None:
    await deliver(with_sounds, 3, samples.attachment("att_3", "document", "pending"))
    with_sounds.gateway.add_media("conv_mia", "att_3", audio=tone)
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        figure = page.locator("[data-attachment=att_3]")
        await expect(figure.locator(".slot")).to_contain_text("Downloading")
        message = samples.message(
            3, transcript="[audio message]", attachments=[samples.sound("att_3")]
        )
        data = {"conversation": samples.conversation(), "message": message}
        await with_sounds.deliver(samples.event("evt_u", "attachment.updated", data))
        await expect(figure).to_contain_text("[audio message]")
        await figure.locator(".sound-play").click()
        await until(page, playing(2))


async def test_click_on_the_bars_moves_and_playing_starts_there(
    with_sounds: RunningWorkspace,
) -> None:
    async with pages(with_sounds) as (page,):
        sound = await open_mia(page, with_sounds)
        slider = sound.get_by_role("slider")
        box = await slider.bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
        await expect(slider).to_have_attribute("aria-valuetext", "0:06 of 0:12")
        await sound.get_by_role("button", name=re.compile("Play")).click()
        await until(page, playing())
        assert await position(page) > 6


async def test_bars_show_the_waveform(with_sounds: RunningWorkspace) -> None:
    flat: dict[str, Any] = {"waveform": None, "name": None}
    for number, odd in enumerate([flat, {"waveform": [[], "x", 1e9, -4, 255]}], 3):
        await deliver(with_sounds, number, samples.sound(f"att_{number}", **odd))
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        drawn = await page.locator(".bars > svg path").evaluate_all(
            "paths => paths.map((path) => path.getAttribute('d').split('M').slice(1))"
        )
        assert [len(bars) for bars in drawn] == [64, 64, 64, 3]
        assert len(set(drawn[0])) > 32
        assert len({bar.partition("v")[2] for bar in drawn[2]}) == 1


async def test_only_one_sound_plays_at_a_time(with_sounds: RunningWorkspace) -> None:
    still = samples.jpeg(270, 480, (120, 150, 200))
    with_sounds.gateway.add_media("conv_mia", "att_v", poster=still, video=samples.mp4(12.0))
    message = samples.message(3, attachments=[samples.video("att_v")])
    await with_sounds.deliver(samples.received("evt_3", message))
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        for place, button in enumerate(await page.locator(".sound-play").all()):
            await button.click()
            await until(page, playing(place))
        paused = "document.querySelectorAll('audio')[{}].paused"
        assert await page.evaluate(paused.format(0))
        await page.get_by_role("button", name=re.compile("Play Video")).click()
        await until(page, paused.format(1))


async def test_speed_is_kept_for_the_session(with_sounds: RunningWorkspace) -> None:
    async with pages(with_sounds) as (page,):
        sound = await open_mia(page, with_sounds)
        speeds = page.locator(".sound-speed")
        await sound.get_by_role("button", name="Speed 1×").click()
        await expect(speeds).to_have_text(["1.5×", "1.5×"])
        await sound.get_by_role("button", name="Speed 1.5×").click()
        await page.reload()
        await expect(speeds).to_have_text(["2×", "2×"])
        await page.locator(".sound-play").last.click()
        await until(page, playing(1))
        assert await page.evaluate("document.querySelectorAll('audio')[1].playbackRate") == 2
        await speeds.last.click()
        await expect(speeds).to_have_text(["1×", "1×"])
        assert await page.evaluate("document.querySelectorAll('audio')[1].playbackRate") == 1


async def test_incomplete_and_named_sounds_say_so(with_sounds: RunningWorkspace) -> None:
    await deliver(with_sounds, 3, samples.sound("att_3", complete=False))
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        whole, song, partial = await page.locator(".sound").all()
        await expect(whole).not_to_contain_text("Incomplete")
        await expect(partial).to_contain_text("Incomplete: parts of it could not be read")
        await expect(song).to_contain_text("rattle.mp3")
        await expect(song).not_to_contain_text("Voice message")
        await expect(page.get_by_role("group", name="Audio rattle.mp3")).to_be_visible()


async def test_sound_continues_after_its_link_has_expired(with_sounds: RunningWorkspace) -> None:
    with_sounds.gateway.link_seconds = 1
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        await page.locator(".sound-play").first.click()
        await until(page, playing())
        with_sounds.gateway.revoke_links()
        await page.evaluate("document.querySelector('audio').dispatchEvent(new Event('error'))")
        await until(page, "document.querySelector('audio').src.includes('again')")
        await until(page, playing())


async def test_sound_that_cannot_be_loaded_can_be_retried(
    with_sounds: RunningWorkspace,
) -> None:
    async def fail(route: Route) -> None:
        await route.fulfill(status=503)

    async with pages(with_sounds) as (page,):
        sound = await open_mia(page, with_sounds)
        await page.route("**/attachments/att_1/audio*", fail)
        await page.locator(".sound-play").first.click()
        await expect(sound).to_contain_text("The sound could not be loaded.")
        await page.unroute("**/attachments/att_1/audio*")
        await sound.get_by_role("button", name=re.compile("Play")).click()
        await until(page, playing())
        await expect(sound).not_to_contain_text("could not be loaded")


async def test_listening_and_saving_are_in_the_audit_log(with_sounds: RunningWorkspace) -> None:
    async with pages(with_sounds) as (page,):
        await open_mia(page, with_sounds)
        await page.locator(".sound-play").first.click()
        await until(page, playing())
        async with page.expect_download() as saving:
            await page.get_by_role("link", name="Download the audio, 101 kB").last.click()
        assert (await saving.value).suggested_filename == "rattle.m4a"
        await page.goto(with_sounds.url("audit"))
        await page.get_by_label("Attachments only").check()
        rows = page.locator("#entries tr")
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("downloaded an audio message att_2")
        await expect(rows.last).to_contain_text("listened to an audio message att_1")
