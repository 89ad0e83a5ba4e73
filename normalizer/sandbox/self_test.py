"""The self-test at start: every wall is attacked from inside a cell, and must hold."""

import asyncio
import signal
from typing import TYPE_CHECKING

from .errors import SandboxLost
from .escape_attempts import ATTEMPTS
from .isolation import NOT_IN_THIS_KERNEL

if TYPE_CHECKING:
    from .zygote_client import Zygote

#: Attempts take a millisecond; a machine that needs this long is not up to the job.
_SECONDS = 20.0

#: Walls that cells raise only where they are attacked: the others must hold without them.
_BESIDES = {"seccomp": ("seccomp",)}


async def prove(zygote: "Zygote") -> dict[str, str]:
    """What is wrong with each wall, "" for one that stands."""
    # First of all, because the others are attacked behind it: where it is missing they may stand all the same.
    limits = await _attack(zygote, "limits", ("limits",))
    own = () if limits else ("limits",)
    others = {name: (*own, *_BESIDES.get(name, ())) for name in ATTEMPTS if name != "limits"}
    found = await asyncio.gather(*(_attack(zygote, *each) for each in others.items()))
    return {"limits": limits, **dict(zip(others, found, strict=True))}


def excused(wall: str, trouble: str) -> bool:
    """Landlock is asked for only where the kernel has it: seccomp alone closes the file system too."""
    return not trouble or (wall == "landlock" and trouble == NOT_IN_THIS_KERNEL)


async def _attack(zygote: "Zygote", wall: str, behind: tuple[str, ...]) -> str:
    if zygote.layers.get(wall):
        return zygote.layers[wall]
    for name in ATTEMPTS[wall]:
        trouble = await _attempt(zygote, wall, name, behind)
        if trouble:
            return trouble
    return ""


async def _attempt(zygote: "Zygote", wall: str, name: str, behind: tuple[str, ...]) -> str:
    cell = await zygote.spawn(behind)
    try:
        job = {"job": "attempt", "wall": wall, "attempt": name, "cpu_seconds": 10}
        answer = await cell.ask(job, [], _SECONDS)
    except SandboxLost as lost:
        # To be killed for the attempt is the strongest of walls; any other end proves nothing.
        return "" if lost.status == -signal.SIGSYS else f"the cell that tried to {name} {lost}"
    finally:
        cell.end()
    return "" if answer.get("done", {}).get("held") is True else f"a cell could {name}"
