"""Refusals of platforms, with our credentials masked in the platforms' words.

Platforms repeat what they refuse: an access token, a signed URL. Code and words of a refusal go to the journal, to
the core, to agents' pages and to the log, so they are masked once, here, where every refusal passes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx
import structlog
from pydantic import BaseModel, SecretBytes, SecretStr

from connectors import Call, Connector, Purpose, Rejected, Token
from connectors.tools.authorization import headers_for_call, needs_token

log = structlog.get_logger(__name__)

#: Masks whatever looks like a secret (`gateway.observability.redaction`).
Redact = Callable[[str], str]

_MASK = "***"
#: Shorter secrets are not masked: ordinary sentences contain the same words.
_MIN_SECRET = 6
#: Shorter values in the query of a call are words such as the names of fields.
_MIN_PRIVATE = 16
_MAX_DETAIL = 500
_MAX_CODE = 64
#: The query of a URL, which may be a signature.
_QUERY = re.compile(r"(https?://[^\s?#\"'<>]{1,300})\?[^\s\"'<>]+")


class Refusals:
    """Masks the words of refusals. `redact` is applied in addition to the masking of the connector's credentials.

    `token` returns the present token of a connector.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        redact: Redact,
        token: Callable[[Connector[Any]], Token | None],
    ) -> None:
        self._clock = clock
        self.redact = redact
        self._token = token

    def masked(
        self,
        connector: Connector[Any],
        refusal: Rejected,
        call: Call | None = None,
        *,
        for_token: bool = False,
    ) -> Rejected:
        """Return the refusal of a call with our credentials masked in its code and words.

        `for_token` says that the call itself holds credentials, because it asks for a token.
        """
        found = [*self._private(connector, call), *(_held_by(call) if for_token else ())]
        private = sorted(set(found), key=len, reverse=True)
        refusal.detail = self._mask(refusal.detail, private)[:_MAX_DETAIL]
        refusal.code = self._mask(refusal.code, private)[:_MAX_CODE] if refusal.code else None
        words = f"{refusal.reason}: {refusal.detail}" if refusal.detail else refusal.reason
        refusal.args = (words,)
        return refusal

    def _mask(self, text: str, private: Iterable[str]) -> str:
        for secret in private:
            text = text.replace(secret, _MASK)
        return self.redact(_QUERY.sub(rf"\1?{_MASK}", text))

    def _private(self, connector: Connector[Any], call: Call | None) -> Iterator[str]:
        """Yield what must not be repeated: secrets, tokens made of them, and the proofs in our URLs."""
        known = [*_secrets(connector.config), *self._made(connector, call)]
        yield from (secret for secret in known if len(secret) >= _MIN_SECRET)
        if call is not None and "?" in call.url:
            values = httpx.QueryParams(call.url.partition("?")[2]).values()
            yield from (value for value in values if len(value) >= _MIN_PRIVATE)

    def _made(self, connector: Connector[Any], call: Call | None) -> Iterator[str]:
        """Yield the token, and what `authorize` makes of it and of the secrets."""
        token = self._token(connector)
        if token is not None:
            yield from (token.value, *token.others.values())
        if call is None or (token is None and needs_token(connector)):
            return
        for header in headers_for_call(connector, self._clock(), token, call).values():
            yield from (header, header.rpartition(" ")[2])


def _held_by(call: Call | None) -> Iterator[str]:
    """Yield the values of a call that asks for a token, such as a signed assertion."""
    if call is None:
        return
    fields = call.json if isinstance(call.json, dict) else {}
    for value in (*call.headers.values(), *(call.form or {}).values(), *fields.values()):
        if isinstance(value, str) and len(value) >= _MIN_PRIVATE:
            yield from (value, value.rpartition(" ")[2])


def log_refusal(connector: Connector[Any], purpose: Purpose, refusal: Rejected) -> None:
    """Log a refusal whose words are already masked."""
    log.info(
        "call_refused",
        platform=connector.name,
        purpose=purpose,
        reason=refusal.reason,
        code=refusal.code,
        detail=refusal.detail,
    )


def _secrets(value: Any) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case SecretBytes():
            yield value.get_secret_value().decode(errors="replace")
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secrets(getattr(value, name))
        case Mapping():
            for part in value.values():
                yield from _secrets(part)
        case tuple() | list():
            for part in value:
                yield from _secrets(part)
