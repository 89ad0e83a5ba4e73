"""Settings that are allowed but deserve a warning in `airlock check`."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from .credentials import signing_key
from .databases import DatabaseUrl
from .media_store import bucket_of
from .model import Settings

#: Minimum length of a Standard Webhooks key, in bytes.
_MIN_SIGNING_KEY = 24


def advice(settings: Settings) -> tuple[str, ...]:
    """Return warnings for the operator, each beginning with the key that it concerns."""
    return tuple(_warnings(settings))


def _warnings(settings: Settings) -> Iterator[str]:
    if not settings.connectors:
        yield "connectors: none is configured, so no platform can deliver anything yet"
    if isinstance(settings.gateway.journal, DatabaseUrl):
        yield from _of_several_nodes(settings)
    if settings.core.url and not settings.gateway.api_tokens:
        yield "gateway.api_tokens: none is set, so the core can neither reply nor show media"
    if any(len(signing_key(secret)) < _MIN_SIGNING_KEY for secret in settings.core.secrets):
        yield f"core.secrets: a key is shorter than {_MIN_SIGNING_KEY} bytes; create one with openssl rand -base64 32"
    if settings.media.scanner is None:
        yield "media.scanner: none is set, so files are sanitized but not scanned for malware"
    if settings.media.originals != "never":
        yield "media.originals: unshown, so agents may download files as their senders wrote them"
    if settings.media.isolation == "reduced":
        yield "media.isolation: reduced, so media are decoded even if an isolation layer is missing"
    if settings.fetch.allow_private_hosts:
        yield "fetch.allow_private_hosts: true, which is for simulators and tests only"
    yield from _plain_http(settings)
    yield from _closed_to_us(settings)
    yield from _hard_to_read(settings)


def _of_several_nodes(settings: Settings) -> Iterator[str]:
    if settings.gateway.media == "file":
        yield (
            "gateway.journal: only the journal is in PostgreSQL; files are in gateway.data, so several nodes need "
            "a bucket (gateway.media) or one folder for them"
        )
    if settings.webchat is not None:
        yield (
            "webchat: its conversations are in a SQLite file of this node; let one node serve it, and the others "
            "have no such section, or run it alone by airlock chat"
        )


def _plain_http(settings: Settings) -> Iterator[str]:
    addresses = {
        "gateway.public_url": settings.gateway.public_url,
        "core.url": settings.core.url or "",
        "webchat.public_url": settings.webchat.public_url if settings.webchat else "",
        "webchat.deliver_to": settings.webchat.deliver_to if settings.webchat else "",
        "gateway.media": _endpoint(settings.gateway.media),
        **{
            f"connectors.{name}.api_url": str(connector.config.api_url)
            for name, connector in settings.connectors.items()
        },
    }
    for key, address in addresses.items():
        if address.startswith("http:") and not is_loopback(urlsplit(address).hostname or ""):
            yield f"{key}: plain http, so anyone on the network path can read the traffic; use https"


def _closed_to_us(settings: Settings) -> Iterator[str]:
    """Yield a warning for each `api_url` that the fetcher would refuse."""
    fetch = settings.fetch
    for name, connector in settings.connectors.items():
        api = urlsplit(str(connector.config.api_url))
        opened = f"{api.scheme}://{api.netloc}" in fetch.own_origins
        if api.scheme == "http" and not (fetch.allow_private_hosts or opened):
            yield (
                f"connectors.{name}.api_url: plain http, which is refused; use https, or name the origin in "
                "fetch.own_origins if the platform is yours"
            )


def _hard_to_read(settings: Settings) -> Iterator[str]:
    sites = settings.webchat.sites if settings.webchat else {}
    for name, site in sites.items():
        for finding in site.theme.values().unreadable():
            yield f"webchat.sites.{name}.theme.{finding}"


def _endpoint(media: str) -> str:
    """Return the endpoint of the bucket; "" if there is none."""
    bucket = bucket_of(media)
    return (bucket.endpoint or "") if bucket is not None else ""


def is_loopback(host: str) -> bool:
    """Whether a host, by its name or address, is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
