"""Whether the gateway is live and ready, in words an operator can act on; and whether it may accept more."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from normalizer.media import MediaFailed
from normalizer.scanner import Scanner

from .journal import JournalUnavailable
from .settings import Address, Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the house. `warn` works, with less than full protection; `fail` does not."""

    state: Literal["ok", "warn", "fail"]
    detail: str


def configured_scanner(settings: Settings) -> Scanner | None:
    """The scanner of media.scanner, None where none is configured."""
    where = settings.media.scanner
    if where is None:
        return None
    return Scanner(f"tcp://{where}" if isinstance(where, Address) else str(where))


async def scanning(scanner: Scanner | None) -> Check:
    """Whether files are scanned for malware; a scanner that is away holds media back, not messages."""
    if scanner is None:
        return Check(
            "warn", "no scanner is configured: files are flattened, not scanned for malware"
        )
    try:
        version = await scanner.version()
        await scanner.prove()
        return Check("ok", version)
    except MediaFailed as trouble:
        return Check("warn", f"media wait for the scanner: {trouble.detail}")


Probe = Callable[[], Awaitable[Check]]


async def readiness(probes: Mapping[str, Probe]) -> tuple[bool, dict[str, Any]]:
    """Ask every part; ready unless one fails."""
    checks: dict[str, Any] = {}
    ready = True
    for name, probe in probes.items():
        try:
            check = await probe()
        except (JournalUnavailable, OSError) as trouble:
            check = Check("fail", str(trouble))
        ready = ready and check.state != "fail"
        checks[name] = {"state": check.state, "detail": check.detail}
    return ready, {"status": "ready" if ready else "not ready", "checks": checks}
