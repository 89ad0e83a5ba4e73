"""Agents read a text whose charset was guessed in another charset: each is a file of its own, with links like others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.timestamps import now_ms
from tests.gateway.test_documents import links, opened, send
from tests.gateway.test_gateway import House, house
from tests.journal_rows import rows

TEXT = "退款请求，谢谢"
GUESSED = TEXT.encode("gb18030")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, hold_seconds=30) as built:
        yield built


async def readings(home: House) -> dict[str, str]:
    """Send the text, and return what each of its links shows, by the link's name."""
    found = await links(home, await send(home, GUESSED))
    answers = {name: await opened(url) for name, url in found.items()}
    assert {status for status, _, _ in answers.values()} == {200}
    for _, headers, _ in answers.values():
        assert headers["content-disposition"].startswith("attachment; ")
        assert headers["content-type"] == "text/plain; charset=utf-8"
    return {name: body.decode() for name, (_, _, body) in answers.items()}


async def test_each_other_charset_has_a_link_of_its_own(home: House, tmp_path: Path) -> None:
    texts = await readings(home)
    (attachment,) = home.core.taken[-1]["data"]["message"]["attachments"]
    assert attachment["charset"] == "guessed"
    assert set(attachment["renditions"]) == {"text"}
    first, *others = attachment["charsets"]
    assert set(texts) == {"text", *(f"text-{name}" for name in others)}
    assert TEXT in texts.values()
    assert texts["text"] == GUESSED.decode(first)
    assert {row for (row,) in rows(tmp_path, "SELECT rendition FROM viewed")} == set(texts)


@pytest.mark.parametrize("name", ["text-utf_8", "text-", "text-../text", "text-cp1252x"])
async def test_unknown_charsets_have_no_link(home: House, name: str) -> None:
    found = await links(home, await send(home, GUESSED))
    assert (await opened(found["text"].replace("/text?", f"/{name}?")))[0] in {403, 404}


async def test_texts_in_other_charsets_go_with_the_attachment(home: House, tmp_path: Path) -> None:
    await send(home, GUESSED)
    files = [path for path in (tmp_path / "media").rglob("text-*") if path.is_file()]
    assert files
    await home.gateway._journal.expire_media(now_ms() + 1000)
    (expired,) = (await home.core.until(2))[-1]["data"]["message"]["attachments"]
    assert "charsets" not in expired
    conversation = home.core.taken[-1]["data"]["conversation"]["id"]
    await home.call("DELETE", f"/v1/conversations/{conversation}")
    assert not any(path.exists() for path in files)
