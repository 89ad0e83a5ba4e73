"""A document's way through the sandbox: its text, its cards, or its pages."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from normalizer.charsets import GUESSED
from normalizer.file_type import DocumentFormat
from normalizer.media import OTHER_TEXT, Clean, Limits, MediaFailed, MediaRejected, Rendition
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool
from normalizer.sandbox.turns import Claim

from . import answers
from .contacts import parse_cards
from .memory_files import memory_file, read_file
from .pages import PagesPipeline
from .plain_text import text_rendition

#: The largest document takes a fifth of it. The rest is for busy machines, on which processor time passes slowly.
_CPU_SECONDS, _SECONDS = 5, 60.0

#: In addition to the loaded libraries.
_MEMORY_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class _Written:
    """The file that a sandbox wrote, and its answer, still unchecked."""

    content: bytes
    answer: dict[str, Any]
    #: The same text in other charsets, by charset.
    others: Mapping[str, bytes]


class DocumentPipeline:
    """Makes documents and cards safe. They have a lane of their own, so that photos never wait for them."""

    def __init__(self, limits: Limits, pool: Pool, threads: Executor) -> None:
        self._limits, self._pool = limits, pool
        self._pages = PagesPipeline(limits, pool, threads)

    async def clean(self, source: int, format: DocumentFormat, size: int, claim: Claim) -> Clean:
        """Return the renditions or the cards of a document. Raise MediaRejected or MediaFailed."""
        if format == "pdf":
            return await self._pages.clean(source, size, claim)
        job = "card" if format == "vcard" else "text"
        written = await self._run(job, source, format, size, claim)
        facts: dict[str, Any] = {"complete": written.answer.get("complete") is True}
        if written.answer.get("guessed"):
            facts["charset"] = "guessed"
        if format == "vcard":
            return _contacts(written, facts)
        rendition, whole = text_rendition(written.content, self._limits)
        if rendition is None:
            raise MediaRejected("unsupported_type", "the document holds no text")
        facts["complete"] = facts["complete"] and whole
        facts["text_differs"] = written.answer.get("differs") is True
        others = _other_readings(written, rendition, self._limits)
        if others:
            facts["charsets"] = [_guess(written), *others]
        return Clean("document", 0, 0, None, (rendition, *others.values()), facts=facts)

    async def _run(self, job: str, source: int, format: str, size: int, claim: Claim) -> _Written:
        message = {
            "job": job,
            "cpu_seconds": _CPU_SECONDS,
            "memory_bytes": _MEMORY_BYTES,
            "format": format,
            "bytes": size,
            "text_max_bytes": self._limits.text_max_bytes,
        }
        try:
            async with self._pool.sandbox("document", claim) as sandbox:
                with memory_file() as target:
                    answer = await sandbox.ask(message, [source, target], _SECONDS)
                    result = answers.result_of(answer)
                    content = read_file(target, result.get("bytes"))
                    others = _read_others(target, len(content), result.get("others"))
                    return _Written(content, result, others)
        except SandboxLost as lost:
            if lost.timed_out or lost.used_up_processor:
                raise MediaRejected("too_long", "reading it takes too long") from None
            raise MediaFailed("decoder_crashed", str(lost)) from None
        except SandboxUnavailable as exc:
            raise MediaFailed("decoder_crashed", str(exc)) from None


def _read_others(target: int, at: int, listed: object) -> Mapping[str, bytes]:
    """Return the texts that follow the first one. Raise MediaFailed if the list of them is invalid."""
    found: dict[str, bytes] = {}
    try:
        for charset, length in listed if isinstance(listed, list) else ():
            if charset not in GUESSED or charset in found:
                raise ValueError("a charset is unknown")
            found[charset] = read_file(target, length, at)
            at += len(found[charset])
    except (TypeError, ValueError) as exc:
        raise answers.invalid_answer(exc) from None
    return found


def _guess(written: _Written) -> str:
    guess = written.answer["guessed"]
    if guess not in GUESSED:
        raise answers.invalid_answer("a charset is unknown")
    return str(guess)


def _other_readings(written: _Written, first: Rendition, limits: Limits) -> dict[str, Rendition]:
    """Return the text in other charsets, each that differs from those before."""
    seen, found = {bytes(first.content)}, {}
    for charset, content in written.others.items():
        reading, _ = text_rendition(content, limits)
        if reading is not None and bytes(reading.content) not in seen:
            seen.add(bytes(reading.content))
            found[charset] = replace(reading, name=f"{OTHER_TEXT}{charset}")
    return found


def _contacts(written: _Written, facts: dict[str, Any]) -> Clean:
    cards = parse_cards(written.content)
    if not cards:
        raise MediaRejected("corrupt", "the file holds no contact card")
    return Clean("contact", 0, 0, None, (), facts={**facts, "contacts": cards})
