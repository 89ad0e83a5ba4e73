"""A job: asks a sandbox, encodes its pixels while it is still decoding, and wipes the memory afterwards."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from normalizer.canvas import Canvas, PixelLayout
from normalizer.media import Limits, MediaFailed, Rendition
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool

from . import answers
from .answers import Painted
from .pixel_buffers import PixelBuffer, PixelBufferPool
from .while_decoding import Encoding, JobSpec


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a job: the sandbox's answer, still unchecked, and the images."""

    result: dict[str, Any]
    painted: Painted
    images: tuple[Rendition, Rendition]
    #: Done when no part of the sandbox runs any more.
    exit_status: asyncio.Future[int]


class SandboxRunner:
    """Runs jobs and turns pixels into files. Threads encode, so that the event loop never waits."""

    def __init__(
        self, canvas: Canvas, limits: Limits, pool: Pool, encoders: Executor, keep: int
    ) -> None:
        self._canvas, self._limits = canvas, limits
        self._pool, self._encoders = pool, encoders
        self._buffers = PixelBufferPool(canvas, keep)
        self._wipe_tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._wipe_tasks:
            task.cancel()
        await asyncio.gather(*self._wipe_tasks, return_exceptions=True)
        self._buffers.close()

    async def run(self, job: JobSpec) -> JobResult:
        """Run a job. Raise MediaRejected or MediaFailed."""
        try:
            return await self._run_or_retry(job)
        except (SandboxLost, SandboxUnavailable) as exc:
            raise MediaFailed("decoder_crashed", str(exc)) from None

    async def _run_or_retry(self, job: JobSpec) -> JobResult:
        try:
            return await self._run(job)
        except SandboxUnavailable:
            # All sandboxes were lost, which this file did not cause: try once more in a new one.
            return await self._run(job)

    async def _run(self, job: JobSpec) -> JobResult:
        # The slot is held while encoding, so that the memory for pixels is bounded by the number of slots.
        async with self._pool.sandbox(claim=job.claim) as sandbox:
            buffer = self._buffers.take()
            try:
                files = [job.source, buffer.descriptor]
                files += [] if job.video_file is None else [job.video_file]
                encoding = Encoding(buffer, job, self._canvas, self._limits, self._encoders)
                answer = await sandbox.ask(job.message, files, job.seconds, encoding.on_note)
                if job.video_file is not None:
                    # The video is read only when the sandbox can no longer write to it.
                    sandbox.end()
                result = answers.result_of(answer)
                painted, images = await encoding.finish()
            except BaseException:
                buffer.close()
                raise
            self._recycle(buffer, painted.preview, sandbox.exit_status)
            return JobResult(result, painted, images, sandbox.exit_status)

    def _recycle(
        self, buffer: PixelBuffer, layout: PixelLayout, exit_status: asyncio.Future[int]
    ) -> None:
        if not self._buffers.admit(buffer, layout):
            return
        task = asyncio.create_task(self._wipe(buffer, layout, exit_status))
        self._wipe_tasks.add(task)
        task.add_done_callback(self._wipe_tasks.discard)

    async def _wipe(
        self, buffer: PixelBuffer, layout: PixelLayout, exit_status: asyncio.Future[int]
    ) -> None:
        try:
            await asyncio.shield(exit_status)
            loop = asyncio.get_running_loop()
            clean = await loop.run_in_executor(self._encoders, buffer.wipe, layout)
        except SandboxUnavailable:
            clean = False
        except BaseException:
            self._buffers.discard(buffer)
            raise
        if clean:
            self._buffers.give_back(buffer)
        else:
            self._buffers.discard(buffer)
