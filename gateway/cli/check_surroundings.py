"""What `airlock check` finds out about the core, the way from outside, and the clock."""

import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from gateway.delivery.signing import Signer
from gateway.events.envelope import MEDIA_TYPE
from gateway.settings import Settings, is_loopback

from .check_place import Finding

_TIMEOUT = aiohttp.ClientTimeout(total=15)
#: Seconds by which clocks may differ. Standard Webhooks and the platforms accept five minutes.
_SLIGHT, _WRONG = 30.0, 240.0
#: The type of the event that only asks whether the core is there.
PROBE = "gateway.check"


class Surroundings:
    """Makes the requests. Each answer shows the time of another clock."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        #: Seconds by which our clock is ahead of others.
        self._ahead: list[float] = []

    async def core(self) -> Finding:
        """Post a signed event that the core may refuse; what counts is whether it accepts the signature."""
        core = self._settings.core
        if core.url is None:
            return Finding("ok", "core: ok, the built-in workspace")
        id = f"evt_check_{secrets.token_hex(8)}"
        body = orjson.dumps(
            {
                "specversion": "1.0",
                "id": id,
                "type": PROBE,
                "source": "airlock",
                "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "datacontenttype": "application/json",
                "data": {},
            }
        )
        signer = Signer([secret.get_secret_value() for secret in core.secrets])
        headers = {**signer.headers(id, int(self._clock()), body), "content-type": MEDIA_TYPE}
        try:
            status, _ = await self._request("POST", str(core.url), data=body, headers=headers)
        except _Unreachable as exc:
            remedy = exc.remedy or "start the core, or correct the URL"
            return Finding("failed", f"core.url: {exc}; {remedy}")
        return _judged(status)

    async def public_url(self) -> Finding | None:
        """Ask for a path that does not exist: Airlock's answer repeats it, as it arrived through the proxy."""
        gateway = self._settings.gateway
        if gateway.public_url == f"http://{gateway.listen}":
            return None
        if self._is_bare():
            return Finding(
                "failed",
                f"gateway.public_url: {gateway.public_url} is plain http, but platforms deliver to https, and texts "
                "would be readable on the way; put a proxy with a certificate in front, and set its https address",
            )
        path = f"/webhooks/check-{secrets.token_hex(4)}"
        try:
            status, text = await self._request("GET", gateway.public_url.rstrip("/") + path)
        except _Unreachable as exc:
            if exc.is_wrong:
                return Finding("failed", f"gateway.public_url: {exc}; {exc.remedy}")
            hint = "that may be normal from this machine: try it from outside"
            return Finding("note", f"gateway.public_url: {exc}; {hint}")
        if status == 404 and f"'{path}'" in text:
            return Finding("ok", "public_url: ok, requests reach Airlock with an unchanged path")
        if status == 404 and "there is nothing at" in text:
            return Finding(
                "failed",
                "gateway.public_url: requests reach Airlock with another path; forward it unchanged, or correct "
                "the URL: some platforms' signatures depend on it",
            )
        if status in {502, 503, 504}:
            return Finding(
                "note",
                f"gateway.public_url: the proxy answers {status}; start Airlock to check the rest",
            )
        return Finding(
            "failed",
            f"gateway.public_url: {gateway.public_url}{path} was answered with {status}, and not by Airlock; let "
            "the proxy forward /webhooks/",
        )

    def _is_bare(self) -> bool:
        """Whether real platforms would have to reach us without TLS."""
        url = urlsplit(self._settings.gateway.public_url)
        has_platforms = self._settings.connectors and not self._settings.fetch.allow_private_hosts
        return bool(url.scheme == "http" and has_platforms and not is_loopback(url.hostname or ""))

    async def clock(self) -> Finding:
        """Compare our clock with the others' whom the checks asked, or with a platform's."""
        if not self._ahead:
            await self._ask_a_platform()
        if not self._ahead:
            return Finding("note", "clock: not checked, because nobody answered with a time")
        ahead = min(self._ahead, key=abs)
        if abs(ahead) <= _SLIGHT:
            return Finding("ok", "clock: ok")
        direction = "ahead of" if ahead > 0 else "behind"
        remedy = "synchronise it (timedatectl set-ntp true)"
        words = f"clock: this machine is {abs(ahead):.0f} s {direction} others; {remedy}"
        return Finding("failed" if abs(ahead) > _WRONG else "note", words)

    async def _ask_a_platform(self) -> None:
        for connector in self._settings.connectors.values():
            url = connector.config.api_url
            try:
                await self._request("HEAD", f"{url.scheme}://{url.host}:{url.port}/")
            except _Unreachable:
                continue
            return

    async def _request(self, method: str, url: str, **options: Any) -> tuple[int, str]:
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as http,
                http.request(method, url, allow_redirects=False, **options) as response,
            ):
                self._compare(response.headers.get("date", ""))
                return response.status, (await response.content.read(4096)).decode(
                    "utf-8", "replace"
                )
        except aiohttp.ClientConnectorCertificateError as exc:
            raise _Unreachable(
                f"the certificate is not valid: {exc.certificate_error}",
                "renew it, and let the server send the whole chain",
            ) from exc
        except aiohttp.ClientConnectorDNSError as exc:
            name = f"the name {exc.host} has no address"
            raise _Unreachable(name, "correct it, or its entry in DNS") from exc
        except TimeoutError as exc:
            raise _Unreachable("no answer within 15 s") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise _Unreachable(f"cannot be reached: {_cause(exc)}") from exc

    def _compare(self, date: str) -> None:
        try:
            self._ahead.append(self._clock() - parsedate_to_datetime(date).timestamp())
        except (TypeError, ValueError):
            return


class _Unreachable(Exception):
    """There was no answer; the message says why. It has a `remedy` if no other machine would get one."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.remedy = remedy

    @property
    def is_wrong(self) -> bool:
        return bool(self.remedy)


def _cause(exc: Exception) -> str:
    match exc:
        case aiohttp.ClientConnectorSSLError():
            return "no TLS is spoken there"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "the connection was closed without an answer"
        case aiohttp.ClientResponseError():
            return "the answer is not HTTP"
        case OSError(errno=int(code)):
            return os.strerror(code).lower()
        case _:
            return type(exc).__name__


def _judged(status: int) -> Finding:
    if 200 <= status < 300:
        return Finding("ok", "core: ok, it accepts signed events")
    words = _REFUSALS.get(status)
    if words is not None:
        return Finding("failed", f"core.url: {words}")
    if 300 <= status < 400:
        return Finding("failed", f"core.url: answers {status}; set the URL to which it redirects")
    if status >= 500:
        return Finding("failed", f"core.url: answers {status}; look at the core's log")
    return Finding(
        "ok", f"core: ok, it answers; it refuses the check's event with {status}, which it may"
    )


_REFUSALS = {
    401: "answers 401; compare core.secrets with the core's secret",
    403: "answers 403; compare core.secrets with the core's secret",
    404: "answers 404; correct the path",
    405: "answers 405; the path is not that of a receiver of events",
    410: "answers 410, which says that it wants no events",
}
