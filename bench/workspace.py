"""How quick the workspace's pages are with many conversations: searches, and the longest frame of a long list.

    python -m bench.workspace                 # 2,000 conversations, 100,000 messages
    python -m bench.workspace 500 10000

Frames are measured in Chromium while the whole list loads, is scrolled, and changes.
"""

import argparse
import asyncio
import statistics
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import Page

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace.store.apply_event import apply_event
from workspace.store.database import connect
from workspace.store.migrations import migrate

#: Words of the messages. Each message has some of them, so that common and rare terms both occur.
WORDS = (
    *(
        "the",
        "order",
        "did",
        "not",
        "arrive",
        "because",
        "lid",
        "was",
        "dented",
        "OK",
        "X9",
        "退款",
    ),
    *("café", "please", "send", "another", "one", "today"),
)
SEARCHES = (
    "ok",
    "x9",
    "退款",
    "退",
    "cafe",
    "the",
    "customer 0019",
    "the order dented",
    "zz",
    "nothing",
)
ROUNDS = 20

#: Collects the time between two frames, in milliseconds.
FRAMES = """() => {
    window.frames_seen = [];
    let before = performance.now();
    const frame = (now) => { window.frames_seen.push(now - before); before = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""


def fill(path: Path, conversations: int, messages: int) -> None:
    """Apply events to a file that no workspace has opened."""
    with closing(connect(path)) as db:
        migrate(db)
        db.execute("BEGIN")
        for number in range(messages):
            place = number % conversations
            who = samples.conversation(
                f"conv_{place}", consumer={"id": f"49{place:08}", "name": f"Customer {place:04}"}
            )
            text = " ".join(
                WORDS[(number + step) % len(WORDS)] for step in range(0, 13, 1 + number % 3)
            )
            at = samples.stamp(number // 10)
            message = samples.message(
                number // conversations + 1,
                id=f"msg_{number}",
                text=text,
                sent_at=at,
                received_at=at,
            )
            apply_event(
                db, f"evt_{number}", samples.received(f"evt_{number}", message, who), b"", 0
            )
        db.execute("COMMIT")


async def measure_searches(running: RunningWorkspace) -> None:
    for words in SEARCHES:
        spent = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            address = running.url("api/conversations")
            async with running.session.get(address, params={"q": words, "show": "open"}) as answer:
                found = len((await answer.json())["conversations"])
            spent.append(1000 * (time.perf_counter() - began))
        spent.sort()
        print(
            f"search {words!r}: median {statistics.median(spent):.0f} ms, longest {spent[-1]:.0f} ms, {found} found"
        )


async def measure_list(running: RunningWorkspace, conversations: int) -> None:
    async with pages(running, viewport={"width": 1280, "height": 900}) as (page,):
        await page.evaluate(FRAMES)
        count = 0
        while count < conversations:
            await page.evaluate("document.getElementById('list-scroll').scrollTop = 1e9")
            await asyncio.sleep(0.05)
            count = await page.locator(".entry").count()
        await report(page, f"loading {count} rows")
        for step in range(40):
            await page.evaluate(f"document.getElementById('list-scroll').scrollTop = {step * 4000}")
            await asyncio.sleep(0.03)
        await report(page, "scrolling")
        for number in range(20):
            await running.deliver(new_message(number, conversations))
            await asyncio.sleep(0.05)
        await report(page, "20 new messages")
        await page.locator(".entry").first.click()
        await page.locator(".message").first.wait_for()
        await report(page, "opening a conversation")


def new_message(number: int, conversations: int) -> Any:
    place = number * 97 % conversations
    who = samples.conversation(
        f"conv_{place}", consumer={"id": f"49{place:08}", "name": f"Customer {place:04}"}
    )
    at = samples.stamp(20_000 + number)
    message = samples.message(9_000 + number, id=f"msg_new_{number}", sent_at=at, received_at=at)
    return samples.received(f"evt_new_{number}", message, who)


async def report(page: Page, what: str) -> None:
    await asyncio.sleep(0.5)
    seen = sorted(await page.evaluate("window.frames_seen.splice(0)"))
    print(
        f"{what}: longest frame {seen[-1]:.0f} ms, median {statistics.median(seen):.0f} ms, {len(seen)} frames"
    )


async def run(conversations: int, messages: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.sqlite3"
        began = time.perf_counter()
        fill(path, conversations, messages)
        print(
            f"{messages} messages applied in {time.perf_counter() - began:.0f} s, {path.stat().st_size / 1e6:.0f} MB"
        )
        async with run_workspace(Path(folder)) as running:
            await measure_searches(running)
            await measure_list(running, conversations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("conversations", type=int, nargs="?", default=2_000)
    parser.add_argument("messages", type=int, nargs="?", default=100_000)
    given = parser.parse_args()
    asyncio.run(run(given.conversations, given.messages))


if __name__ == "__main__":
    main()
