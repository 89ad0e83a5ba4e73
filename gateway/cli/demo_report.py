"""What `airlock demo` prints: where everything is, and what became of each file."""

import asyncio
import os
import sys
import webbrowser

from gateway.service import Gateway
from simulator.scenario import Step

#: Seconds between two looks at a file that is still being made safe, and the most that are spent on one message.
_LOOK_EVERY, _PATIENCE = 0.5, 60.0


def announce(address: str, shop: str, settings: str, token: str, platform: str) -> None:
    """Print where the pages, the API and the settings are."""
    origin = address.removesuffix("/workspace/")
    print(f"Open the workspace at {address} (Ctrl-C stops the demo)", flush=True)
    print(f"Write to it as a customer of {shop}")
    print(f"The operators' page: {origin}/operations; who looked at what: {origin}/audit")
    print(f"The API: {origin}/openapi.json describes it; the token is {token}")
    print(f"Send more: airlock simulate {platform} --text Hello -c {settings}", flush=True)


def print_step(step: Step) -> None:
    """Print a message that was sent."""
    line = step.line
    files = ", ".join(sample.name for sample in line.files)
    content = " · ".join(part for part in (line.text, files) if part)
    print(f"{line.platform:>10}  {line.consumer.name}: {content}", flush=True)


class Files:
    """Follows the files of the story, and opens the conversation of the first one that is ready."""

    def __init__(self, gateway: Gateway, address: str) -> None:
        self._gateway = gateway
        self._address = address
        self._has_opened = False
        self._following: set[asyncio.Task[None]] = set()

    def follow(self, step: Step) -> None:
        """Print what became of the files of a message, once that is known."""
        for answer in step.answers:
            for id in answer.ids:
                task = asyncio.create_task(self._report(step, id))
                self._following.add(task)
                task.add_done_callback(self._following.discard)

    async def _report(self, step: Step, id: str) -> None:
        names = ", ".join(sample.name for sample in step.line.files)
        platform = step.line.platform
        for _ in range(round(_PATIENCE / _LOOK_EVERY)):
            states = await self._gateway.attachment_states(platform, id)
            if states and "pending" not in states:
                print(f"{platform:>10}  {names or 'file'}: {', '.join(states)}", flush=True)
                if "ready" in states:
                    await self._open(platform, id)
                return
            await asyncio.sleep(_LOOK_EVERY)

    async def _open(self, platform: str, id: str) -> None:
        conversation = await self._gateway.conversation_of(platform, id)
        if self._has_opened or conversation is None:
            return
        self._has_opened = True
        address = f"{self._address}?conversation={conversation}"
        print(f"Its conversation: {address}", flush=True)
        if sys.stdout.isatty() and (os.environ.get("DISPLAY") or sys.platform == "darwin"):
            webbrowser.open(address)
