"""A sound's way through two sandboxes: one decodes it to numbers, and a fresh one that sees only these encodes them.

A decoder that was taken over can change the sound, and nothing else: no byte of the sender's file reaches an agent.
"""

import asyncio
import mmap
import os
import signal
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal

from normalizer.isobmff import Broken
from normalizer.media import Clean, Limits, MediaFailed, MediaRejected, Rendition
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import JobClass, Pool
from normalizer.sandbox.turns import Claim
from normalizer.sound import BARS, MAX_BYTES, RATES, Form, SoundFormat

from . import answers, mp4_audit
from .shared_files import seal, sealed_content, shared_file
from .video import OnProgress

#: A voice message is at most a minute long as a rule. Longer sound has slots of its own.
_QUICK_SOUND_SECONDS = 60.0

#: By slot: seconds for either sandbox. A busy machine gets a few times what an idle one needs.
_SECONDS: Mapping[JobClass, float] = {"quick": 30.0, "slow": 900.0}

#: Bits a second for each channel, fewer for sound that would exceed the size of a file.
_BITS, _MAX_BYTES = 64_000, 32_000_000

#: The share of a file that is sound; the rest is its index.
_SOUND_SHARE = 0.9

#: The encoder fills its last frame.
_TOLERANCE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Decoded sound in memory that no sandbox can change."""

    file: int
    size: int
    form: Form
    complete: bool

    @property
    def seconds(self) -> float:
        return self.form.seconds(self.size)

    @property
    def bit_rate(self) -> int:
        most = int(_MAX_BYTES * _SOUND_SHARE * 8 / max(self.seconds, 1.0))
        return min(_BITS * self.form.channels, most)


class AudioPipeline:
    """Makes sound safe."""

    def __init__(self, limits: Limits, pool: Pool, threads: Executor) -> None:
        self._limits, self._pool, self._threads = limits, pool, threads

    async def clean(
        self, source: int, size: int, format: SoundFormat, progress: OnProgress, claim: Claim
    ) -> Clean:
        """Return the rendition of a sound. Raise MediaRejected or MediaFailed."""
        message = {"job": "audio", "bytes": size, "format": format}
        try:
            clean = await self._clean_quickly(source, message, progress, claim)
            return clean or await self._clean_slowly(source, message, progress, claim)
        except SandboxLost as lost:
            if _is_out_of_time(lost):
                raise MediaRejected("too_long", "making it safe takes too long") from None
            raise MediaFailed("decoder_crashed", str(lost)) from None
        except SandboxUnavailable as exc:
            raise MediaFailed("decoder_crashed", str(exc)) from None

    async def _clean_quickly(
        self, source: int, message: dict[str, Any], progress: OnProgress, claim: Claim
    ) -> Clean | None:
        """Return None for sound that is long, or takes long."""
        try:
            return await self._clean_in("quick", source, message, progress, claim)
        except SandboxLost as lost:
            if _is_out_of_time(lost):
                return None
            raise

    async def _clean_slowly(
        self, source: int, message: dict[str, Any], progress: OnProgress, claim: Claim
    ) -> Clean:
        clean = await self._clean_in("slow", source, message, progress, claim)
        if clean is None:
            raise answers.invalid_answer("no sound is too long for a slow job")
        return clean

    async def _clean_in(
        self,
        pace: JobClass,
        source: int,
        message: dict[str, Any],
        progress: OnProgress,
        claim: Claim,
    ) -> Clean | None:
        """Decode and encode in one cell, which bounds the memory for numbers; None if it takes a slower one."""
        async with self._pool.slot(pace, claim):
            with shared_file("numbers") as file:
                numbers = await self._decode(pace, source, file, message)
                return await self._encode(pace, numbers, progress) if numbers else None

    async def _decode(
        self, pace: JobClass, source: int, file: int, message: dict[str, Any]
    ) -> _Numbers | None:
        longest = self._limits.audio_max_seconds
        is_quick = pace == "quick" and longest > _QUICK_SOUND_SECONDS
        request = {
            **message,
            **_pace(pace),
            "quick": is_quick,
            "seconds": min(longest, _QUICK_SOUND_SECONDS) if is_quick else longest,
        }
        async with self._pool.fresh_sandbox() as sandbox:
            result = answers.result_of(await sandbox.ask(request, [source, file], _SECONDS[pace]))
        if is_quick and result.get("long") is True:
            return None
        numbers = _parse_numbers(result, file)
        await seal(file, numbers.size, sandbox.exit_status)
        return numbers

    async def _encode(self, pace: JobClass, numbers: _Numbers, progress: OnProgress) -> Clean:
        form = numbers.form
        request = {
            "job": "encode_audio",
            **_pace(pace),
            "bytes": numbers.size,
            "rate": form.rate,
            "channels": form.channels,
            "bit_rate": numbers.bit_rate,
        }

        def on_note(note: dict[str, Any]) -> None:
            share = note.get("progress")
            if isinstance(share, float):
                progress(min(1.0, max(0.0, share)))

        with shared_file("audio") as target:
            async with self._pool.fresh_sandbox() as sandbox:
                answer = await sandbox.ask(request, [numbers.file, target], _SECONDS[pace], on_note)
            result = answers.result_of(answer)
            length, waveform = _parse_encoded(result, target)
            await seal(target, length, sandbox.exit_status)
            content = await self._audited(target, length, numbers.seconds)
        facts = {"complete": numbers.complete, "waveform": waveform}
        audio = Rendition("audio", "audio/mp4", 0, 0, content)
        return Clean("audio", 0, 0, round(numbers.seconds, 3), (audio,), facts=facts)

    async def _audited(self, target: int, length: int, seconds: float) -> mmap.mmap:
        content = sealed_content(target, length)
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, _audit, content, seconds)
        except BaseException:
            content.close()
            raise
        return content


def _is_out_of_time(lost: SandboxLost) -> bool:
    return lost.timed_out or lost.status == -signal.SIGXCPU


def _pace(pace: JobClass) -> dict[str, Any]:
    slow = {"low_priority": True} if pace == "slow" else {}
    return {"cpu_seconds": int(_SECONDS[pace]), **slow}


def _parse_numbers(result: dict[str, Any], file: int) -> _Numbers:
    try:
        size = answers.parse_number(result["bytes"], min(MAX_BYTES, os.fstat(file).st_size))
        rate, channels = result["rate"], result["channels"]
        if rate not in RATES or channels not in {1, 2}:
            raise ValueError("the form of the sound is not one of ours")
    except (KeyError, ValueError, TypeError) as exc:
        raise answers.invalid_answer(exc) from None
    count: Literal[1, 2] = 1 if channels == 1 else 2
    form = Form(int(rate), count)
    return _Numbers(
        file, size - size % form.frame_bytes, form, complete=result.get("complete") is True
    )


def _parse_encoded(result: dict[str, Any], target: int) -> tuple[int, list[int]]:
    try:
        most = min(_MAX_BYTES, os.fstat(target).st_size)
        return answers.parse_number(result["bytes"], most), _parse_waveform(result["waveform"])
    except (KeyError, ValueError) as exc:
        raise answers.invalid_answer(exc) from None


def _parse_waveform(value: object) -> list[int]:
    if not isinstance(value, list) or len(value) != BARS:
        raise ValueError("the waveform is missing")
    if not all(type(bar) is int and 0 <= bar <= 255 for bar in value):
        raise ValueError("a bar of the waveform is out of range")
    return value


def _audit(content: mmap.mmap, seconds: float) -> None:
    try:
        with memoryview(content) as data:
            audited = mp4_audit.audit(data, mp4_audit.SOUND)
        if abs(audited.seconds - seconds) > _TOLERANCE_SECONDS:
            raise Broken("the file is not as long as the sound")
    except Broken as broken:
        raise answers.invalid_answer(broken) from None
