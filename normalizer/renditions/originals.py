"""The original of a file that cannot be shown, for download, if nothing speaks against it."""

import mmap

from normalizer.file_type import ORIGINAL_ENDINGS, Recognised, is_office
from normalizer.media import Clean, MediaRejected, Rendition, Unsafe
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool
from normalizer.sandbox.turns import Claim

from . import answers

#: Of an office document, whose parts are inflated once more.
_CPU_SECONDS, _SECONDS, _MEMORY_BYTES = 5, 60.0, 256 << 20


class OriginalsPipeline:
    """Adds originals to what can be shown of files. Whether a scanner found them clean is for the caller to check."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add_to(
        self, clean: Clean, source: int, seen: Recognised, size: int, claim: Claim
    ) -> Clean:
        """Add the original to a document of which only the text is shown."""
        if not clean.renditions or any(
            not each.name.startswith("text") for each in clean.renditions
        ):
            return clean
        if not await self._is_offered(source, seen, size, claim):
            return clean
        return clean.with_renditions(*clean.renditions, _original(source, size))

    async def instead_of(
        self, refusal: MediaRejected, source: int, seen: Recognised, size: int, claim: Claim
    ) -> Clean:
        """Return the original of a file that is in no format that can be shown; otherwise raise the refusal."""
        if refusal.reason != "unsupported_type" or seen.kind == "contact":
            raise refusal
        if not await self._is_offered(source, seen, size, claim):
            raise refusal
        return Clean("document", 0, 0, None, (_original(source, size),), refusal=refusal)

    async def _is_offered(self, source: int, seen: Recognised, size: int, claim: Claim) -> bool:
        if seen.media_type not in ORIGINAL_ENDINGS:
            return False
        return not is_office(seen.format) or await self._is_inactive(source, size, claim)

    async def _is_inactive(self, source: int, size: int, claim: Claim) -> bool:
        """Whether an office document holds no macro, no embedded file and nothing else to run."""
        message = {
            "job": "active",
            "cpu_seconds": _CPU_SECONDS,
            "memory_bytes": _MEMORY_BYTES,
            "bytes": size,
        }
        try:
            async with self._pool.sandbox("document", claim) as sandbox:
                answer = await sandbox.ask(message, [source], _SECONDS)
                return answers.result_of(answer).get("active") is False
        except (Unsafe, SandboxLost, SandboxUnavailable):
            # What cannot be looked into is not offered.
            return False


def without_original(clean: Clean) -> Clean:
    """Return what is shown without the original. Raise the refusal if nothing is."""
    if clean.refusal is not None:
        raise clean.refusal
    return clean.with_renditions(*(each for each in clean.renditions if each.name != "original"))


def _original(source: int, size: int) -> Rendition:
    content = mmap.mmap(source, size, access=mmap.ACCESS_READ)
    return Rendition("original", "application/octet-stream", 0, 0, content)
