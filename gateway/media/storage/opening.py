"""Opens the bucket of `gateway.media`. Imported only if one is set: the package for it is an extra."""

from gateway.observability.system_errors import CannotStart
from gateway.settings.media_store import Bucket

from .filesystem import FileStore
from .interface import StoreUnavailable
from .keys import Keys
from .objects import ObjectStore
from .s3 import S3Bucket


def open_bucket(bucket: Bucket, before: FileStore) -> tuple[ObjectStore, S3Bucket, Keys]:
    """Return the store in a bucket, without asking the bucket; raise CannotStart for an address it cannot use."""
    try:
        opened = S3Bucket(bucket)
    except StoreUnavailable as exc:
        raise CannotStart(str(exc)) from exc
    keys = Keys(bucket.prefix)
    return ObjectStore(opened, keys, before), opened, keys
