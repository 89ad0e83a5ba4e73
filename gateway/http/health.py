"""What `/readyz` asks of each part of the house, and in which words it answers."""

from gateway.delivery.lanes import Lanes
from gateway.health import Check, Probe, scanning
from gateway.inbound.capacity import Intake
from gateway.journal import Journal
from gateway.media.storage.filesystem import FileStore
from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner


def probes(
    journal: Journal,
    intake: Intake,
    lanes: Lanes,
    sanitizer: Sanitizer,
    scanner: Scanner | None,
    store: FileStore,
) -> dict[str, Probe]:
    async def journal_check() -> Check:
        await journal.answers()
        return Check("ok", f"{lanes.waiting} events wait for the core")

    async def storage_check() -> Check:
        refusal = intake.refusal() or store.trouble()
        return Check("fail", refusal) if refusal else Check("ok", "media and journal have room")

    async def scanner_check() -> Check:
        return await scanning(scanner)

    async def decoder_check() -> Check:
        if not sanitizer.ready:
            return Check("fail", "no decoder process is at hand; media wait")
        missing = ", ".join(f"{wall} ({why})" for wall, why in sanitizer.missing_walls.items())
        return (
            Check("warn", f"isolation is reduced, without: {missing}")
            if missing
            else Check("ok", "every wall stands")
        )

    async def core_check() -> Check:
        state = lanes.core_state
        words = {"down": "takes no events now", "gone": "answered 410: forwarding stopped"}
        return Check("warn" if state in words else "ok", words.get(state, "takes events"))

    return {
        "journal": journal_check,
        "storage": storage_check,
        "scanner": scanner_check,
        "decoders": decoder_check,
        "core": core_check,
    }
