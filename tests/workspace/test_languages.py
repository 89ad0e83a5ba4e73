"""The language of a request: the browser's, the operator's, this browser's choice, and the agent's."""

from pathlib import Path
from typing import Any

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace

GERMAN = {"Accept-Language": "de-AT,de;q=0.9"}
ARABIC = {"Accept-Language": "ar"}


async def page(running: RunningWorkspace, path: str, headers: dict[str, str]) -> str:
    async with running.session.get(running.url(path), headers=headers) as response:
        return await response.text()


async def post(running: RunningWorkspace, path: str, content: Any) -> Any:
    """Make a call of a German page."""
    headers = {"X-CSRF-Token": running.csrf, **GERMAN}
    async with running.session.post(running.url(path), json=content, headers=headers) as response:
        return await response.json()


async def test_pages_and_errors_are_in_the_language_of_the_browser(
    running: RunningWorkspace,
) -> None:
    assert '<html lang="de" dir="ltr">' in await page(running, "audit", GERMAN)
    arabic = await page(running, "media", ARABIC)
    assert '<html lang="ar" dir="rtl">' in arabic
    assert "<h1>الصور والملفات</h1>" in arabic
    missing = await page(running, "attachments/none/preview", {"Accept": "text/html", **GERMAN})
    assert "Das wurde nicht gefunden." in missing
    assert '<html lang="en" dir="ltr">' in await page(running, "audit", {"Accept-Language": "fr"})


async def test_operator_sets_the_language_of_those_who_chose_none(tmp_path: Path) -> None:
    async with run_workspace(tmp_path, language="ar") as running:
        assert 'dir="rtl"' in await page(running, "audit", GERMAN)


async def test_agent_keeps_a_chosen_language_on_every_machine(running: RunningWorkspace) -> None:
    status, _ = await running.try_post("api/language", {"language": "fr"})
    assert status == 400
    await running.post("api/language", {"language": "ar"})
    running.session.cookie_jar.clear()
    await running.sign_in("agent")
    assert 'dir="rtl"' in await page(running, "audit", GERMAN)
    await running.post("sign-out")
    running.session.cookie_jar.clear()
    await running.sign_in("sam")
    assert 'lang="de"' in await page(running, "media", GERMAN)


async def test_sign_in_page_offers_languages_and_remembers_one(running: RunningWorkspace) -> None:
    running.session.cookie_jar.clear()
    form = await page(running, "sign-in?next=audit", {})
    assert 'href="sign-in?language=ar&amp;next=audit" lang="ar"' in form
    assert 'dir="rtl"' in await page(running, "sign-in?language=ar&next=audit", {})
    assert "تسجيل الدخول" in await page(running, "sign-in", GERMAN)
    await running.sign_in("sam")
    assert 'dir="rtl"' in await page(running, "media", GERMAN)


async def test_sentences_of_the_server_are_in_the_language_of_each_reader(
    running: RunningWorkspace,
) -> None:
    unknown = samples.conversation(consumer={"id": "x-12ab", "name": None}, platform="web")
    attachments = [samples.photo(state="rejected", reason="malware")]
    await running.deliver(
        samples.received(
            "evt_1",
            samples.message(1, transcript="[photo message]", attachments=attachments),
            unknown,
        )
    )
    await running.post("api/conversations/conv_mia/agents", {"do": "take"})
    again = await post(running, "api/conversations/conv_mia/agents", {"do": "take"})
    assert again["error"] == "Sie haben diese Unterhaltung schon."
    assert again["title"] == "Forbidden"
    await running.gateway.server.close()
    await post(running, "api/conversations/conv_mia/messages", {"text": "Hi", "key": "k" * 20})

    opened = await post(running, "api/conversations/conv_mia/opened", {"again": True})
    message, notice, reply = opened["lines"]
    assert opened["conversation"]["name"] == "Kunde 12AB"
    assert opened["conversation"]["platform_name"] == "Web-Chat"
    assert notice["text"] == "agent hat die Unterhaltung übernommen"
    # The contract fixes this line.
    assert message["attachments"][0]["line"] == "[photo message]"
    assert message["attachments"][0]["words"].startswith("Nicht angenommen")
    assert reply["status_words"] == "Vielleicht nicht gesendet"
    assert reply["reason"].startswith("Das Gateway ist gerade nicht erreichbar")
    in_english = (await running.get("api/conversations/conv_mia/lines?since=0"))["lines"]
    reasons = [line["reason"] for line in in_english if line["direction"] == "out"]
    assert reasons == ["The gateway cannot be reached right now. Please try again later."]
    for name in ("Kunde 12ab", "Customer 12AB", "العميل 12AB"):
        found = await running.get(f"api/conversations?q={name}")
        assert len(found["conversations"]) == 1, name
