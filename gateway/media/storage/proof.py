"""Proof that the bucket can be used: `airlock check` stores, reads, lists and deletes an object."""

from collections.abc import Awaitable, Iterator

from gateway.settings.media_store import Bucket

from .interface import FileMissing, StoreUnavailable
from .keys import new_token
from .s3 import S3Bucket, within

_CONTENT = b"airlock check"
_SECONDS = 20.0


async def prove(bucket: Bucket) -> list[str]:
    """Return what does not work, each as a sentence that names the missing right; empty if everything does."""
    try:
        opened = S3Bucket(bucket)
    except StoreUnavailable as exc:
        return [str(exc)]
    problems: list[str] = []
    for step in _steps(opened, f"{bucket.prefix}check/"):
        try:
            await within(_SECONDS, step, "the media store")
        except StoreUnavailable as exc:
            problems.append(str(exc))
    # Without a connection, every step would say the same.
    return list(dict.fromkeys(problems))


def _steps(opened: S3Bucket, folder: str) -> Iterator[Awaitable[None]]:
    key = f"{folder}{new_token()}"
    yield opened.put(key, _CONTENT, "text/plain")
    yield _reads(opened, key, 0, len(_CONTENT), "the whole object")
    yield _reads(opened, key, 3, 7, "a range of the object")
    yield _lists(opened, folder, key)
    yield opened.delete([key])


async def _reads(opened: S3Bucket, key: str, start: int, end: int, what: str) -> None:
    try:
        content = await opened.read(key, start, end)
    except FileMissing:
        return  # that it could not be stored was said before
    if content != _CONTENT[start:end]:
        raise StoreUnavailable(
            f"the media store answers with something else than {what}; use a store that honours ranges"
        )


async def _lists(opened: S3Bucket, folder: str, key: str) -> None:
    if key in await opened.list(folder):
        return
    try:
        await opened.read(key, 0, 1)
    except (FileMissing, StoreUnavailable):
        return
    raise StoreUnavailable(
        "the media store does not list an object right after storing it; use one whose lists are consistent"
    )
