"""Search for short words, for scripts without spaces, and for names as the page shows them."""

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from workspace.store.folding import find_folded, fold

TEXTS = {
    "conv_ok": ("Bjørn 🌸", "OK, bus X9 at 7"),
    "conv_zh": ("王小明", "是的，我要退款"),
    "conv_ja": ("さくら", "ありがとう。返品したい"),
    "conv_ko": ("김", "안녕하세요"),
    "conv_th": ("สมชาย", "สินค้าเสีย"),
    "conv_ar": ("مُحَمَّد", "لا يعمل"),
    "conv_emoji": ("👩‍💻 Dev", "fine 👍🏽 thanks"),
    "conv_book": (None, "bookish, not the short word"),
}


@pytest.fixture
async def worldwide(running: RunningWorkspace) -> RunningWorkspace:
    for number, (id, (name, text)) in enumerate(TEXTS.items()):
        who = samples.conversation(
            id, platform="messenger", consumer={"id": f"page-{number:04}", "name": name}
        )
        message = samples.message(1, id=f"msg_{id}", text=text)
        await running.deliver(samples.received(f"evt_{id}", message, who))
    return running


async def search(running: RunningWorkspace, words: str, **view: str) -> set[str]:
    address = running.url("api/conversations")
    async with running.session.get(address, params={"q": words, **view}) as response:
        assert response.status == 200
        found = (await response.json())["conversations"]
    return {entry["id"].removeprefix("conv_") for entry in found}


#: What is searched for, and where it is found.
FOUND = {
    "ok": {"ok"},
    "OK bus": {"ok"},
    "x9": {"ok"},
    "8": set(),
    "at": {"ok"},
    "bjorn": {"ok"},
    "BJØRN": {"ok"},
    "🌸": {"ok"},
    "退款": {"zh"},
    "款": {"zh"},
    "我 退款": {"zh"},
    "王": {"zh"},
    "小明": {"zh"},
    "返品": {"ja"},
    "とう": {"ja"},
    "さく": {"ja"},
    "안": {"ko"},
    "안녕": {"ko"},
    "김": {"ko"},
    "요": {"ko"},
    "ค้า": {"th"},
    "สม": {"th"},
    "محمد": {"ar"},
    "مُحَمَّد": {"ar"},
    "محمـد": {"ar"},
    "لا": {"ar"},
    "👩‍💻": {"emoji"},
    "👍": {"emoji"},
    "👍🏽": {"emoji"},
    "dev": {"emoji"},
    "Customer 0007": {"book"},
    "customer": {"book"},
    "?": set(),
    "zz": set(),
    "ok zz": set(),
}


async def test_short_words_and_shown_names_are_found(worldwide: RunningWorkspace) -> None:
    assert {words: await search(worldwide, words) for words in FOUND} == FOUND


async def test_search_looks_into_the_chosen_view_only(running: RunningWorkspace) -> None:
    # More conversations than a page shows have the word, and the agent's own is the oldest.
    for number in range(70):
        where = samples.conversation(f"conv_{number}", consumer={"id": f"49{number}", "name": "A"})
        message = samples.message(1, id=f"msg_{number}", text="the same word")
        await running.deliver(samples.received(f"evt_{number}", message, where))
    await running.post("api/conversations/conv_0/agents", {"do": "take"})
    assert await search(running, "word", show="mine") == {"0"}
    assert len(await search(running, "word")) == 60
    assert await search(running, "word", show="closed") == set()


async def test_hit_is_shown_also_if_it_is_written_with_accents(running: RunningWorkspace) -> None:
    text = f"{'x ' * 60}the café"
    await running.deliver(samples.received("evt_1", samples.message(text=text)))
    (entry,) = (await running.get("api/conversations?q=CAFE"))["conversations"]
    assert entry["last"]["line"].startswith("… ")
    assert entry["last"]["line"].endswith("the café")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Straße  Ğ İI ı", "strasse g ii i"),
        ("\u202eevil\u202c \u00ad\u200d x\x02\x03y", "evil x y"),
        ("ＡＢＣ ｶﾞ", "abc カ"),
        (None, ""),
    ],
)
def test_folding_removes_what_people_write_differently(text: str | None, folded: str) -> None:
    assert fold(text) == folded


def test_place_of_a_folded_term_is_in_the_written_text() -> None:
    assert find_folded("a ß e\u0301te\u0301", "ete") == 4
    assert find_folded("nothing", "else") == -1
