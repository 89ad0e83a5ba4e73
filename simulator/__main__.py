"""`python -m simulator`: the emulated platforms, for a gateway that runs separately on this machine."""

import argparse
import asyncio
import contextlib
import sys

import yaml

from . import PLATFORMS
from .scenario import play

_DESCRIPTION = """Start the emulated platforms, print the sections of connectors.yaml that fit them,
and play the demonstration as soon as a gateway listens."""

#: Seconds for which each delivery is retried until the gateway listens and accepts it.
_RETRY_SECONDS = 600.0


def main() -> None:
    options = _options()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(options.webhooks.rstrip("/"), options.port, options.pace))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=_DESCRIPTION)
    parser.add_argument(
        "--webhooks",
        default="http://127.0.0.1:8080/webhooks",
        help="URL below which the gateway accepts deliveries (default: %(default)s)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=9100,
        help="port of the first platform; the others use the next ports (default: %(default)s)",
    )
    parser.add_argument(
        "--pace", type=float, default=3.0, help="seconds between messages (default: %(default)s)"
    )
    return parser.parse_args()


async def _run(webhooks: str, port: int, pace: float) -> None:
    platforms = {name: kind(f"{webhooks}/{name}") for name, kind in PLATFORMS.items()}
    async with contextlib.AsyncExitStack() as stack:
        for number, platform in enumerate(platforms.values()):
            await platform.start(port=port + number)
            stack.push_async_callback(platform.close)
            platform.retries_for = _RETRY_SECONDS
            platform.receipts = _RECEIPTS[platform.name]
        sections = {name: platform.settings() for name, platform in platforms.items()}
        _print(yaml.safe_dump({"fetch": {"allow_private_hosts": True}, "connectors": sections}))
        async for step in play(platforms, pace=pace):
            files = [sample.name for sample in step.line.files]
            content = " + ".join(filter(None, [step.line.text, *files]))
            _print(f"{step.line.platform:>10}  {step.line.consumer.name}: {content}\n")
        _print(
            "The demonstration is over. Agents' texts are still accepted; Ctrl-C stops the platforms.\n"
        )
        await asyncio.Event().wait()


_RECEIPTS: dict[str, tuple[str, ...]] = {
    "apple": (),
    "instagram": ("read",),
    "messenger": ("delivered", "read"),
    "twilio": ("sent", "delivered"),
    "whatsapp": ("sent", "delivered", "read"),
}


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
