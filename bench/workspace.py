"""How quick the workspace's pages are with many conversations: searches, and the longest frame of a long list.

    python -m bench.workspace              # 2,000 conversations, 100,000 messages
    python -m bench.workspace 500 10000

Frames are measured in Chromium while the whole list loads, is scrolled, and changes. On a busy machine they are late,
so the time that the page computes is measured, too: for each step, and for the longest frame.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
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


#: A task of the main thread, and the part of one that ends a frame: style, layout and paint.
_TASKS = frozenset({"RunTask", "ThreadControllerImpl::RunTask"})
_FRAME = "WebFrameWidgetImpl::UpdateLifecycle"


class Trace:
    """What the page's main thread computed for each frame, without the time in which other processes ran."""

    async def start(self, page: Page) -> None:
        self._events: list[dict[str, Any]] = []
        self._complete = asyncio.Event()
        self._client = await page.context.new_cdp_session(page)
        self._client.on("Tracing.dataCollected", lambda part: self._events.extend(part["value"]))
        self._client.on("Tracing.tracingComplete", lambda _: self._complete.set())
        categories = {"includedCategories": ["devtools.timeline", "toplevel", "blink"]}
        await self._client.send("Tracing.start", {"traceConfig": categories})

    async def frames(self) -> list[float]:
        """End the trace and return the milliseconds of each frame, the longest first."""
        await self._client.send("Tracing.end")
        await self._complete.wait()
        drawn = (_thread(event) for event in self._events if event["name"] == _FRAME)
        page = Counter(drawn).most_common(1)[0][0]
        spans = sorted(
            (event for event in self._events if _thread(event) == page),
            key=lambda event: event["ts"],
        )
        frames, spent = [], 0.0
        for event in spans:
            if event["name"] in _TASKS:
                spent += event.get("tdur", 0) / 1000
            elif event["name"] == _FRAME:
                # Its task has been counted, because it began before.
                frames.append(spent)
                spent = 0.0
        return sorted(frames, reverse=True)


def _thread(event: dict[str, Any]) -> tuple[int, int]:
    return event["pid"], event["tid"]


class Costs:
    """The time that the page's main thread computed for each step, which other processes do not prolong."""

    async def open(self, page: Page) -> None:
        self._client = await page.context.new_cdp_session(page)
        await self._client.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before = await self._total()
        self._steps: list[float] = []

    async def step(self) -> None:
        now = await self._total()
        self._steps.append(1000 * (now - self._before))
        self._before = now

    def take(self) -> str:
        steps, self._steps = sorted(self._steps), []
        return f"median {statistics.median(steps):.0f} ms, longest {steps[-1]:.0f} ms of computing a step"

    async def _total(self) -> float:
        found = (await self._client.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


async def measure_list(running: RunningWorkspace, conversations: int) -> None:
    costs = Costs()
    async with pages(running, viewport={"width": 1280, "height": 900}) as (page,):
        await page.evaluate(FRAMES)
        await costs.open(page)
        trace = Trace()
        await trace.start(page)
        count = 0
        while count < conversations:
            await page.evaluate("document.getElementById('list-scroll').scrollTop = 1e9")
            await asyncio.sleep(0.05)
            count = await page.evaluate("document.querySelectorAll('.entry').length")
            await costs.step()
        await report(page, f"loading {count} rows", costs.take())
        computed = await trace.frames()
        print(
            f"loading {count} rows: the longest of {len(computed)} frames computed {computed[0]:.0f} ms"
        )
        for step in range(40):
            await page.evaluate(f"document.getElementById('list-scroll').scrollTop = {step * 4000}")
            await asyncio.sleep(0.03)
            await costs.step()
        await report(page, "scrolling", costs.take())
        for number in range(20):
            await running.deliver(new_message(number, conversations))
            await asyncio.sleep(0.1)
            await costs.step()
        await report(page, "20 new messages", costs.take())
        await page.locator(".entry").first.click()
        await page.locator(".message").first.wait_for()
        await costs.step()
        await report(page, "opening a conversation", costs.take())


def new_message(number: int, conversations: int) -> Any:
    place = number * 97 % conversations
    who = samples.conversation(
        f"conv_{place}", consumer={"id": f"49{place:08}", "name": f"Customer {place:04}"}
    )
    at = samples.stamp(20_000 + number)
    message = samples.message(9_000 + number, id=f"msg_new_{number}", sent_at=at, received_at=at)
    return samples.received(f"evt_new_{number}", message, who)


async def report(page: Page, what: str, costs: str) -> None:
    await asyncio.sleep(0.5)
    seen = sorted(await page.evaluate("window.frames_seen.splice(0)"))
    print(f"{what}: longest of {len(seen)} frames {seen[-1]:.0f} ms; {costs}")


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
