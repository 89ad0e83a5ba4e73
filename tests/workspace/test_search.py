"""Search for conversations by names, numbers and texts."""

import pytest
from yarl import URL

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace


@pytest.fixture
async def searchable(running: RunningWorkspace) -> RunningWorkspace:
    texts = {
        "conv_zoe": ("Zoë Ångström", "+4915550001", "The café machine drips since Monday"),
        "conv_ali": ("علي", "+4915550002", "الجهاز لا يعمل"),
        "conv_sms": (None, "+15550003", "drips, yes. Since Tuesday " + "x " * 80 + "needle"),
    }
    for number, (id, (name, consumer, text)) in enumerate(texts.items()):
        who = samples.conversation(id, consumer={"id": consumer, "name": name})
        message = samples.message(1, id=f"msg_{id}", text=text)
        await running.deliver(samples.received(f"evt_{number}", message, who))
    return running


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("zoe", {"conv_zoe"}),
        ("ANGSTROM zo", {"conv_zoe"}),
        ("5550003", {"conv_sms"}),
        ("cafe", {"conv_zoe"}),
        ("drips", {"conv_zoe", "conv_sms"}),
        ("drips monday", {"conv_zoe"}),
        ("onda", {"conv_zoe"}),
        ("الجهاز", {"conv_ali"}),
        ("علي", {"conv_ali"}),
        ("nothing of that kind", set()),
        ('"', set()),
        ("drips' OR 1=1 --", set()),
        ("NEAR(drips monday)", set()),
        ("%", set()),
        ("   ", {"conv_zoe", "conv_ali", "conv_sms"}),
    ],
)
async def test_search_finds_names_numbers_and_parts_of_words(
    searchable: RunningWorkspace, words: str, found: set[str]
) -> None:
    async with searchable.session.get(
        searchable.url("api/conversations"), params={"q": words}
    ) as response:
        listed = (await response.json())["conversations"]
    assert {entry["id"] for entry in listed} == found


async def test_search_hit_is_shown_with_context(searchable: RunningWorkspace) -> None:
    (entry,) = (await searchable.get("api/conversations?q=needle"))["conversations"]
    assert entry["last"]["line"].endswith("needle")
    assert entry["last"]["line"].startswith("… ")


async def test_edited_message_is_found_by_its_new_text_only(
    searchable: RunningWorkspace,
) -> None:
    edit = {"id": "msg_conv_zoe", "platform_id": "x", "text": "all is well", "transcript": "x"}
    data = {"conversation": samples.conversation("conv_zoe"), "message": edit}
    await searchable.deliver(samples.event("evt_e", "message.edited", data))
    assert (await searchable.get("api/conversations?q=monday"))["conversations"] == []
    assert len((await searchable.get("api/conversations?q=well"))["conversations"]) == 1


@pytest.mark.parametrize(
    "words", ["abc%00", "%00", "a%22b%22cc", "abc*", "NEAR(abc)", "%F0%9F%98%80"]
)
async def test_query_syntax_of_the_index_has_no_effect(
    running: RunningWorkspace, words: str
) -> None:
    await running.deliver(samples.received("evt_1", samples.message(text="some words")))
    async with running.session.get(
        URL(running.url(f"api/conversations?q={words}"), encoded=True)
    ) as response:
        assert response.status == 200
