"""Types for addresses in the settings: the listen address, the scanner's socket, URLs and host names."""

import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic.dataclasses import dataclass

_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_HOST_AND_PORT = re.compile(
    r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[^\[\]:\s/]*)):(?P<port>[0-9]{1,5})"
)


@dataclass(frozen=True)
class Address:
    """A host and a port; `str()` puts an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class UnixSocket:
    """A Unix domain socket."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


def parse_listen_address(value: Any) -> Address:
    """Parse `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; port 0 means any free port."""
    address = value if isinstance(value, Address) else _parse_address(value)
    if address is None:
        raise ValueError("must be host:port, such as 127.0.0.1:8080 or [::1]:8080")
    return address


def parse_scanner_address(value: Any) -> Address | UnixSocket:
    """Parse `unix:/run/clamav/clamd.ctl` or `tcp://127.0.0.1:3310`."""
    if isinstance(value, Address | UnixSocket):
        return value
    kind, _, rest = str(value).partition(":")
    address = _parse_address(rest.removeprefix("//")) if kind == "tcp" else None
    if address:
        return address
    if kind == "unix" and rest.startswith("/"):
        return UnixSocket(Path("/" + rest.lstrip("/")))
    raise ValueError("must be unix:/path/to/socket or tcp://host:port")


def check_url(value: str) -> str:
    """Accept an http or https URL without credentials and without a fragment; return it unchanged."""
    parts = _split_url(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL such as https://chat.example.com")
    if "@" in parts.netloc:
        raise ValueError("must not contain a user name or a password")
    if parts.fragment:
        raise ValueError("must not contain a #fragment")
    return value


def check_base_url(value: str) -> str:
    """Accept a URL that paths are appended to: without a query; a trailing slash is removed."""
    if "?" in check_url(value):
        raise ValueError("must not contain a ?query")
    return value.rstrip("/")


def check_origin(value: str) -> str:
    """Accept scheme, host and port without a path; return them in lower case."""
    parts = urlsplit(check_base_url(value))
    if parts.path.strip("/"):
        raise ValueError("must not have a path; give scheme, host and port alone")
    return f"{parts.scheme}://{parts.netloc}".lower()


def check_host(value: str) -> str:
    """Accept a host name, or all hosts below one with a leading dot; return it in lower case."""
    name = value.removeprefix(".")
    if not _HOST.fullmatch(name):
        raise ValueError("must be a host name such as media.example.com, without a scheme or port")
    if value.startswith(".") and "." not in name.rstrip("."):
        raise ValueError("is too broad; give at least two labels, such as .example.com")
    return value.lower()


def _parse_address(value: Any) -> Address | None:
    parts = _HOST_AND_PORT.fullmatch(value) if isinstance(value, str) else None
    if parts is None or int(parts["port"]) > 65_535:
        return None
    if parts["ipv6"]:
        return Address(parts["ipv6"], int(parts["port"])) if _is_ipv6(parts["ipv6"]) else None
    return Address(parts["host"], int(parts["port"])) if _HOST.fullmatch(parts["host"]) else None


def _is_ipv6(text: str) -> bool:
    try:
        return IPv6Address(text).version == 6
    except ValueError:
        return False


def _split_url(value: str) -> SplitResult | None:
    if re.search(r"[\s\\]|[^\x21-\x7e]", value):
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises if the port is invalid
    except ValueError:
        return None
    return parts


Listen = Annotated[
    Address,
    BeforeValidator(parse_listen_address),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^(\[[0-9A-Fa-f:.]+\]|[^:\s/]+):[0-9]{1,5}$"}),
]
Scanner = Annotated[
    Address | UnixSocket,
    BeforeValidator(parse_scanner_address),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^(unix:/|tcp://.+:[0-9]{1,5}$)"}),
]
_URL = {"type": "string", "format": "uri", "pattern": "^https?://"}
Url = Annotated[str, AfterValidator(check_url), WithJsonSchema(_URL)]
BaseUrl = Annotated[str, AfterValidator(check_base_url), WithJsonSchema(_URL)]
Origin = Annotated[str, AfterValidator(check_origin), WithJsonSchema(_URL)]
Host = Annotated[str, AfterValidator(check_host)]
