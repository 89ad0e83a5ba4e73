"""An S3 bucket, reached with obstore. Every error is StoreUnavailable or FileMissing, and quotes nothing secret."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from obstore.exceptions import BaseError
from obstore.store import S3Store

from gateway.settings.media_store import Bucket
from gateway.settings.s3_credentials import endpoint_of_environment, static_credentials

from .interface import FileMissing, StoreUnavailable
from .s3_errors import DELETE, GET, LIST, PUT, Operation, explain, names_no_bucket

T = TypeVar("T")

#: Attempts of the client itself. Attachments, and browsers, try again after that.
_RETRIES: Any = {
    "max_retries": 2,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {
        "init_backoff": timedelta(milliseconds=50),
        "max_backoff": timedelta(seconds=1),
        "base": 2,
    },
}
#: For a whole request; `Operation.seconds` ends most of them earlier.
_TIMEOUT = "120s"
_CONNECT_TIMEOUT = "5s"


class S3Bucket:
    """One bucket. Keys are complete, including the prefix of the settings."""

    def __init__(self, bucket: Bucket) -> None:
        self._name = str(bucket)
        config: Any = {**static_credentials()}
        if bucket.region is not None:
            config["region"] = bucket.region
        endpoint = bucket.endpoint or endpoint_of_environment()
        if endpoint is not None:
            config["endpoint"] = endpoint
        is_plain = (endpoint or "").startswith("http:")
        options: Any = {
            "timeout": _TIMEOUT,
            "connect_timeout": _CONNECT_TIMEOUT,
            "user_agent": "Airlock",
            **({"allow_http": True} if is_plain else {}),
        }
        try:
            self._store = S3Store(
                bucket.name, config=config, client_options=options, retry_config=_RETRIES
            )
        except BaseError as exc:
            raise StoreUnavailable(f"gateway.media: {self._name}: {explain(exc, GET)}") from None

    async def put(self, key: str, content: Any, media_type: str) -> None:
        """Store an object with one request, so that it is there as a whole or not at all."""
        attributes: Any = {"Content-Type": media_type}
        await self._run(
            PUT,
            self._store.put_async(key, content, attributes=attributes, use_multipart=False),
        )

    async def read(self, key: str, start: int, end: int) -> bytes:
        return bytes(await self._run(GET, self._store.get_range_async(key, start=start, end=end)))

    def read_now(self, key: str, start: int, end: int) -> bytes:
        """Do the same in a thread."""
        with self._translated(GET):
            return bytes(self._store.get_range(key, start=start, end=end))

    async def size(self, key: str) -> int:
        meta = await self._run(GET, self._store.head_async(key))
        return meta["size"]

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that do not exist count as deleted."""
        if keys:
            await self._run(DELETE, self._store.delete_async(list(keys)))

    async def list(self, folder: str) -> list[str]:
        """Return the keys below a folder."""
        found = await self._run(LIST, self._store.list(folder).collect_async())
        return [meta["path"] for meta in found]

    async def probe(self, missing_key: str) -> None:
        """Ask for an object that does not exist; raise StoreUnavailable unless the store says just that."""
        try:
            await self.read(missing_key, 0, 1)
        except FileMissing:
            return

    async def _run(self, operation: Operation, work: Awaitable[T]) -> T:
        with self._translated(operation):
            async with asyncio.timeout(operation.seconds):
                return await work

    @contextmanager
    def _translated(self, operation: Operation) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as exc:
            if names_no_bucket(exc):
                raise self._unavailable(exc, operation) from None
            raise FileMissing(operation.name) from None
        except (BaseError, OSError, ValueError) as exc:
            raise self._unavailable(exc, operation) from None

    def _unavailable(self, error: BaseException, operation: Operation) -> StoreUnavailable:
        return StoreUnavailable(f"the media store {self._name}: {explain(error, operation)}")


async def within(seconds: float, work: Awaitable[None], name: str) -> None:
    """Wait for a check; raise StoreUnavailable if it takes longer."""
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        raise StoreUnavailable(f"{name} does not answer within {seconds:g} s") from None
