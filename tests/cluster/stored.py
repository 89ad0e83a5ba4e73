"""A cluster's media in a bucket, and what is in it in the end."""

from dataclasses import dataclass
from pathlib import Path

from gateway.media.storage.s3 import S3Bucket
from gateway.settings.media_store import Bucket
from tests.bucket import BUCKET, Gate, S3Server


@dataclass(frozen=True)
class Stored:
    """The bucket as the nodes reach it, through `gate`, and as the verdict does."""

    setting: str
    prefix: str
    gate: Gate
    bucket: S3Bucket
    #: Whether originals count: those of a node that was killed are removed only after minutes.
    counts_originals: bool

    @classmethod
    async def behind_a_gate(
        cls, server: S3Server, bucket: Bucket, *, counts_originals: bool
    ) -> "Stored":
        gate = Gate(server)
        await gate.open()
        setting = f"s3://{BUCKET}/{bucket.prefix}?endpoint=http://127.0.0.1:{gate.port}"
        return cls(setting, bucket.prefix, gate, S3Bucket(bucket), counts_originals)

    async def copy_to(self, folder: Path) -> None:
        """Copy every object, named as the file store names its files; a second one of a rendition is an orphan."""
        for key in await self.bucket.list(self.prefix):
            *_, attachment, name = key.split("/")
            rendition = name.rpartition("-")[0] or name
            place = folder / attachment.removeprefix("att_")
            place.mkdir(exist_ok=True)
            file = place / f"{rendition}.object"
            is_original = "/quarantine/" in key
            if is_original and not self.counts_originals:
                continue
            if file.exists() or is_original:
                file = place / name.replace(".", "_")
            file.write_bytes(await self.bucket.read(key, 0, await self.bucket.size(key)))
