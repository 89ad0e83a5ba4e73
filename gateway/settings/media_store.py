"""`gateway.media`: where clean media are stored, `file` or an S3 bucket."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import parse_qsl, unquote, urlsplit

from .addresses import check_base_url

SCHEME = "s3://"

#: Names that S3 allows (docs.aws.amazon.com, bucket naming rules); other stores allow no more.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_.=/-]*")
_REGION = re.compile(r"[A-Za-z0-9-]{1,63}")
_OPTIONS = ("endpoint", "region")
_EXAMPLE = "s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1"


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket. `prefix` begins every key and is empty or ends with a slash; no `endpoint` means Amazon's."""

    name: str
    prefix: str
    endpoint: str | None
    region: str | None

    def __str__(self) -> str:
        """The address without anything that could be secret."""
        return f"{SCHEME}{self.name}/{self.prefix}"


def check_media_store(value: str) -> str:
    """Accept `file`, or the address of a bucket if the package for it is installed."""
    if value == "file":
        return value
    if not value.startswith(SCHEME):
        raise ValueError(f"must be file, or a bucket such as {_EXAMPLE}")
    bucket_of(value)
    if find_spec("obstore") is None:
        raise ValueError(
            "stores media in S3, which needs the package obstore, and it is not installed; "
            "install airlock-messaging[s3], or write file"
        )
    return value


def bucket_of(value: str) -> Bucket | None:
    """Return the bucket of `gateway.media`; None for `file`. Raises ValueError, never with the value itself."""
    if value == "file":
        return None
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError(
            "must not contain credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
        )
    if parts.fragment or not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"must name a bucket of S3, such as {_EXAMPLE}")
    options = _options(parts.query)
    return Bucket(
        parts.netloc,
        _prefix(unquote(parts.path)),
        options.get("endpoint"),
        options.get("region"),
    )


def _prefix(path: str) -> str:
    names = [name for name in path.split("/") if name]
    if any(name in {".", ".."} for name in names) or not _PREFIX.fullmatch(path):
        raise ValueError(
            "has a prefix with characters that S3 clients treat differently; use letters, digits, - _ . = and /"
        )
    return "".join(f"{name}/" for name in names)


def _options(query: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise ValueError(f"has a query that cannot be read; write {_EXAMPLE}") from None
    options = dict(pairs)
    for name in options:
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, n=1)
            raise ValueError(
                f"has an unknown option; {f'did you mean {near[0]}' if near else 'endpoint and region are known'}"
                f"{'?' if near else ''}"
            )
    if len(options) < len(pairs):
        raise ValueError("has the same option twice")
    if "endpoint" in options:
        options["endpoint"] = _endpoint(options["endpoint"])
    if "region" in options and not _REGION.fullmatch(options["region"]):
        raise ValueError("has a region that is not a name such as eu-central-1")
    return options


def _endpoint(value: str) -> str:
    try:
        return check_base_url(value)
    except ValueError as exc:
        raise ValueError(f"has an endpoint that {exc}") from None
