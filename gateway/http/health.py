"""Health checks: liveness, and readiness of each component."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from gateway.delivery.lanes import Lanes
from gateway.inbound.capacity import CapacityGate
from gateway.journal import SHARDS, Journal, JournalUnavailable, Ownership
from gateway.media.storage.interface import Store
from normalizer.media import MediaFailed
from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner


@dataclass(frozen=True, slots=True)
class Check:
    """State of one component: `warn` means working with reduced protection, `fail` not working.

    `degrades` means that it fails but deliveries are still accepted and kept, so that Airlock stays ready.
    """

    state: Literal["ok", "warn", "fail"]
    detail: str
    degrades: bool = False


#: Seconds that the journal may take to answer, where it is a database.
_JOURNAL_SECONDS = 3.0

Probe = Callable[[], Awaitable[Check]]

_CORE_STATES: Mapping[str, Literal["ok", "warn", "fail"]] = {
    "ok": "ok",
    "down": "warn",
    "gone": "fail",
}


def probes(
    journal: Journal,
    intake: CapacityGate,
    lanes: Lanes,
    sanitizer: Sanitizer,
    store: Store,
) -> dict[str, Probe]:
    nodes = {"nodes": partial(_check_nodes, journal.ownership)} if journal.ownership.shared else {}
    return {
        **nodes,
        "journal": partial(_check_journal, journal, lanes),
        "storage": partial(_check_storage, intake, store),
        "scanner": lambda: check_scanner(sanitizer.scanner),
        "decoders": partial(_check_decoders, sanitizer),
        "core": partial(_check_core, lanes),
    }


async def _check_nodes(ownership: Ownership) -> Check:
    refusal = ownership.refusal()
    if refusal:
        return Check("fail", refusal)
    return Check("ok", f"{len(ownership.shards)} of {SHARDS} shards; {ownership.nodes} nodes")


async def _check_journal(journal: Journal, lanes: Lanes) -> Check:
    try:
        async with asyncio.timeout(_JOURNAL_SECONDS):
            await journal.check_health()
    except TimeoutError:
        return Check("fail", f"the journal has not answered for {_JOURNAL_SECONDS:.0f} s")
    return Check("ok", f"{lanes.waiting} events wait for the core")


async def _check_storage(intake: CapacityGate, store: Store) -> Check:
    refusal = intake.refusal()
    if refusal:
        return Check("fail", refusal)
    reason = await store.unavailable_reason()
    if reason:
        return Check("fail", reason, degrades=store.accepts_deliveries_without)
    closed = "; ".join(f"{name}: {why}" for name, why in sorted(intake.closed().items()))
    if closed:
        return Check("warn", f"deliveries are refused for {closed}")
    return Check("ok", "there is room for media and the journal")


async def _check_decoders(sanitizer: Sanitizer) -> Check:
    if not sanitizer.ready:
        return Check("fail", "no decoder process is running; media wait")
    missing = ", ".join(f"{layer} ({why})" for layer, why in sanitizer.missing_layers.items())
    return (
        Check("warn", f"isolation is reduced; missing: {missing}")
        if missing
        else Check("ok", "fully isolated")
    )


async def _check_core(lanes: Lanes) -> Check:
    state = lanes.core_state
    details = {
        "down": "does not accept events now; they are retried",
        "gone": f"answered 410: forwarding has stopped, and {lanes.waiting} events wait; make the core accept "
        "events, then run `airlock failures retry` with the id of a failed event, or change core.url and reload",
    }
    return Check(_CORE_STATES[state], details.get(state, "accepts events"), degrades=True)


async def check_scanner(scanner: Scanner | None) -> Check:
    """Check whether files are scanned for malware. An unavailable scanner delays media, not messages."""
    if scanner is None:
        return Check(
            "warn", "no scanner is configured; files are sanitized but not scanned for malware"
        )
    try:
        version = await scanner.version()
        await scanner.prove()
        return Check("ok", version)
    except MediaFailed as exc:
        return Check("warn", f"media wait for the scanner: {exc.detail}")


async def readiness(probes: Mapping[str, Probe]) -> tuple[bool, dict[str, Any]]:
    """Check every component; ready unless one fails, or only degraded by those that allow it.

    Degraded still counts as ready: a load balancer that took Airlock away would lose the deliveries of platforms
    that do not repeat them.
    """
    checks: dict[str, Any] = {}
    ready = True
    status = "ready"
    for name, probe in probes.items():
        try:
            check = await probe()
        except (JournalUnavailable, OSError) as exc:
            check = Check("fail", str(exc))
        if check.state == "fail":
            ready, status = ready and check.degrades, "degraded"
        checks[name] = {"state": check.state, "detail": check.detail}
    return ready, {"status": status if ready else "not ready", "checks": checks}
