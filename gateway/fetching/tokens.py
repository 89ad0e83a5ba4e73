"""Tokens: obtained by the flow `Connector.token`, kept, and renewed, once for all calls of a connector.

A token is renewed shortly before it expires, and after a call was answered with 401. While one flow runs, all calls
that need its token wait for it. After a failure they share the failure for a while, so that a platform that refuses our
credentials is not asked for each call. A token that is still valid is used meanwhile.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import structlog

from connectors import Call, Connector, Flow, Rejected, Token
from connectors.tools.authorization import needs_token
from gateway.backoff import delay

from .allowlist import trusts
from .errors import Blocked
from .origin import origin_of, read_url

log = structlog.get_logger(__name__)

Run = Callable[[Connector[Any], Flow[Token | None]], Awaitable[Token | None]]

#: Seconds before its expiry in which a token is renewed, or this part of its life if that is shorter.
_MARGIN, _PART = 60.0, 0.2
#: Seconds for the whole flow.
_TIMEOUT = 30.0
#: Seconds between two attempts after failures in a row: the first pause, the same if an operator must act, the longest.
_FIRST_PAUSE, _PAUSE_FOR_OPERATOR, _LONGEST_PAUSE = 1.0, 15.0, 60.0
#: Seconds that a platform may ask us to wait.
_LONGEST_ASKED = 3600.0
#: Seconds between two renewals because of a 401: some platforms answer so for a single file of somebody else.
_BETWEEN_REFUSALS = 30.0


class TokenRefused(Rejected):
    """There is no token, so a call was not made. The reasons are valid for texts and for files."""

    def __init__(self, cause: Rejected, after: float) -> None:
        super().__init__(
            "unauthorized" if cause.operator else "unreachable",
            retry=True,
            after=after,
            code=cause.code,
            detail=f"no token: {cause.detail or cause.reason}",
            operator=cause.operator,
            explained=True,
        )


@dataclass(slots=True)
class _Held:
    """What is known about the token of one connector."""

    token: Token | None = None
    renew_at: datetime | None = None
    #: The connector's settings are enough: `token` returned None.
    is_needless: bool = False
    is_refused: bool = False
    flight: asyncio.Task[None] | None = None
    failure: Rejected | None = None
    failures: int = 0
    #: By the steady clock.
    retry_at: float = 0.0
    refused_at: float | None = None

    def usable(self, now: datetime) -> Token | None:
        token = self.token
        if token is None or self.is_refused:
            return None
        return token if token.expires is None or now < token.expires else None

    def is_due(self, now: datetime) -> bool:
        if self.is_needless:
            return False
        return self.usable(now) is None or (self.renew_at is not None and now >= self.renew_at)


class Tokens:
    """The tokens of all connectors. `run` runs a flow; `clock` is the time, and `steady` counts seconds."""

    def __init__(
        self,
        run: Run,
        clock: Callable[[], datetime],
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._clock = clock
        self._steady = steady
        #: Called with a connector whose token could not be obtained.
        self.on_failure: list[Callable[[Connector[Any]], None]] = []
        self._all: WeakKeyDictionary[Connector[Any], _Held] = WeakKeyDictionary()

    def known(self, connector: Connector[Any]) -> Token | None:
        """Return the latest token, if there was one, without obtaining any."""
        held = self._all.get(connector)
        return held.token if held else None

    async def current(self, connector: Connector[Any]) -> Token | None:
        """Return a valid token; None if the connector needs none. Raises TokenRefused."""
        if not needs_token(connector):
            return None
        held = self._all.setdefault(connector, _Held())
        if held.is_due(self._clock()) and self._may_try(held):
            if held.flight is None:
                held.flight = asyncio.create_task(self._obtain(connector, held), name="token")
            # Shielded: if one caller gives up, the others still wait for it.
            await asyncio.shield(held.flight)
        token = held.usable(self._clock())
        if token is not None or held.is_needless:
            return token
        cause = held.failure or Rejected("unreachable", retry=True)
        raise TokenRefused(cause, max(0.0, held.retry_at - self._steady()))

    def refuse(self, connector: Connector[Any], token: Token) -> bool:
        """Note that a call with a token was answered with 401; whether the call is worth repeating."""
        held = self._all.get(connector)
        if held is None:
            return False
        if held.token is not token or held.is_refused:
            return True  # renewed, or being renewed
        now = self._steady()
        if held.refused_at is not None and now < held.refused_at + _BETWEEN_REFUSALS:
            return False
        held.refused_at, held.is_refused = now, True
        return True

    async def aclose(self) -> None:
        """End the flows that run."""
        flights = [held.flight for held in self._all.values() if held.flight is not None]
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _may_try(self, held: _Held) -> bool:
        return held.failure is None or self._steady() >= held.retry_at

    async def _obtain(self, connector: Connector[Any], held: _Held) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT):
                token = await self._run(connector, connector.token(self._clock()))
            self._keep(connector, held, token)
        except Rejected as exc:
            self._fail(connector, held, exc)
        except TimeoutError:
            detail = f"the token did not arrive within {_TIMEOUT:.0f} s"
            self._fail(connector, held, Rejected("unreachable", retry=True, detail=detail))
        except Exception as exc:
            # A bug in a connector must not end the calls of the others.
            log.exception("token_unexpected_error", platform=connector.name)
            detail = f"{type(exc).__name__} in token(); see the log for details"
            self._fail(connector, held, Rejected("misconfigured", detail=detail, operator=True))
        finally:
            held.flight = None

    def _keep(self, connector: Connector[Any], held: _Held, token: Token | None) -> None:
        now = self._clock()
        if token is None:
            held.is_needless, held.failure = True, None
            return
        if not token.value:
            raise Rejected("misconfigured", detail="the token is empty", operator=True)
        if token.expires is not None and token.expires <= now:
            detail = "the token has expired already; check this machine's clock"
            raise Rejected("misconfigured", detail=detail, operator=True)
        held.token, held.is_refused = token, False
        held.failure, held.failures = None, 0
        held.renew_at = None
        if token.expires is not None:
            life = (token.expires - now).total_seconds()
            held.renew_at = token.expires - timedelta(seconds=min(_MARGIN, life * _PART))
        log.info("token_obtained", platform=connector.name, expires=token.expires)

    def _fail(self, connector: Connector[Any], held: _Held, cause: Rejected) -> None:
        held.failures += 1
        base = _PAUSE_FOR_OPERATOR if cause.operator else _FIRST_PAUSE
        pause = delay(held.failures, base=base, ceiling=_LONGEST_PAUSE)
        pause = max(pause, min(cause.after or 0.0, _LONGEST_ASKED))
        held.failure, held.retry_at = cause, self._steady() + pause
        log.warning(
            "token_refused",
            platform=connector.name,
            reason=cause.reason,
            code=cause.code,
            detail=cause.detail,
            retry_in=round(pause, 1),
        )
        for notify in self.on_failure:
            notify(connector)


def call_for_token(connector: Connector[Any], call: Call) -> Call:
    """Return a call that asks for a token, without headers of `authorize`. It may hold credentials itself."""
    origin = origin_of(read_url(call.url))
    # The allowlist admits this machine only where simulators stand in for platforms.
    if not (trusts(connector, origin) or origin.is_loopback):
        raise Blocked(
            f"{origin.host} may not receive credentials; the connector must declare it in hosts"
        )
    return replace(call, auth=False)
