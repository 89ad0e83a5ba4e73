"""Bearer tokens of `/v1`: who may make a call, by the scopes of the token."""

import hmac
from collections.abc import Collection, Iterable

from aiohttp import web

from gateway.problems import Problem
from gateway.settings.api_tokens import SCOPES, ScopedToken

from .server import is_local

_CHALLENGE = 'Bearer realm="airlock"'


class ApiTokens:
    """The tokens that are accepted now. Each comparison takes constant time."""

    def __init__(self, tokens: Iterable[ScopedToken] = ()) -> None:
        self._given: dict[bytes, frozenset[str]] = {}
        self._internal: dict[bytes, frozenset[str]] = {}
        self.replace(tokens)

    def replace(self, tokens: Iterable[ScopedToken]) -> None:
        """Accept these tokens in place of those of the settings so far."""
        self._given = {
            _header(token.get_secret_value()): frozenset(token.scopes) for token in tokens
        }

    def add_internal(self, token: str) -> None:
        """Accept a token of this process, such as that of the built-in workspace, with every scope."""
        self._internal[_header(token)] = frozenset(SCOPES)

    def check(self, request: web.Request, scopes: Collection[str]) -> None:
        """Raise Problem unless the request carries a token with one of the scopes. The control socket needs none."""
        if is_local(request):
            return
        granted = self._scopes_of(request)
        if granted is None:
            raise Problem(
                401,
                "Unauthorized",
                "this call needs the header Authorization: Bearer with one of gateway.api_tokens",
                {"www-authenticate": _CHALLENGE},
            )
        if not granted & set(scopes):
            # RFC 6750, section 3.1.
            wanted = " ".join(sorted(scopes))
            challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{wanted}"'
            raise Problem(
                403,
                "Forbidden",
                f"the scopes of this token are {', '.join(sorted(granted))}; this call needs one of: "
                f"{', '.join(sorted(scopes))}",
                {"www-authenticate": challenge},
                reason="insufficient_scope",
            )

    def _scopes_of(self, request: web.Request) -> frozenset[str] | None:
        header = request.headers.get("authorization", "").encode("utf-8", "surrogatepass")
        known = {**self._given, **self._internal}
        matches = [scopes for token, scopes in known.items() if hmac.compare_digest(header, token)]
        return matches[0] if matches else None


def _header(token: str) -> bytes:
    return f"Bearer {token}".encode()
