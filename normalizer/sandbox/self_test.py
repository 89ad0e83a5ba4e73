"""The self-test at start: every isolation layer is attacked from inside a sandbox and must hold."""

import asyncio
import signal
from typing import TYPE_CHECKING

from .errors import SandboxLost
from .escape_attempts import ATTEMPTS
from .isolation import NOT_IN_THIS_KERNEL

if TYPE_CHECKING:
    from .zygote_client import Zygote

#: Attempts take a millisecond; a machine that needs this long is too slow.
_SECONDS = 20.0

#: Layers that a sandbox applies only when they are attacked: the others must hold without them.
_EXTRA_LAYERS = {"seccomp": ("seccomp",)}


async def run_self_test(zygote: "Zygote") -> dict[str, str]:
    """Return an error for each layer, or "" if it holds."""
    # Limits come first, because the other attacks run with them. Without limits the other layers may still hold.
    limits = await _attack(zygote, "limits", ("limits",))
    base = () if limits else ("limits",)
    rest = {name: (*base, *_EXTRA_LAYERS.get(name, ())) for name in ATTEMPTS if name != "limits"}
    found = await asyncio.gather(*(_attack(zygote, *each) for each in rest.items()))
    return {"limits": limits, **dict(zip(rest, found, strict=True))}


def may_be_missing(layer: str, error: str) -> bool:
    """Return whether a layer may fail. Only Landlock may, on a kernel without it: seccomp closes the files too."""
    return not error or (layer == "landlock" and error == NOT_IN_THIS_KERNEL)


async def _attack(zygote: "Zygote", layer: str, layers: tuple[str, ...]) -> str:
    if zygote.layers.get(layer):
        return zygote.layers[layer]
    for name in ATTEMPTS[layer]:
        error = await _attempt(zygote, layer, name, layers)
        if error:
            return error
    return ""


async def _attempt(zygote: "Zygote", layer: str, name: str, layers: tuple[str, ...]) -> str:
    sandbox = await zygote.spawn(layers)
    try:
        job = {"job": "attempt", "layer": layer, "attempt": name, "cpu_seconds": 10}
        answer = await sandbox.ask(job, [], _SECONDS)
    except SandboxLost as lost:
        # Being killed for the attempt is the strongest proof; any other end proves nothing.
        return "" if lost.status == -signal.SIGSYS else f"the sandbox that tried to {name} {lost}"
    finally:
        sandbox.end()
    return "" if answer.get("done", {}).get("held") is True else f"a sandbox could {name}"
