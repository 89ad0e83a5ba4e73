"""Tokens of OAuth 2.0 servers."""

from datetime import datetime, timedelta

from connectors.contract import Reply, Token

#: A token that claims to live longer (seconds) was misread; it is used until it is refused.
_LONGEST = 10 * 365 * 86_400.0


def oauth_token(reply: Reply, now: datetime) -> Token | None:
    """Return the token of a reply in the form of RFC 6749, section 5.1; None if the reply has none.

    Without `expires_in`, the token is used until it is refused.
    """
    match reply.content:
        case {"access_token": str(value), **rest} if value.isascii() and value.isprintable():
            seconds = _seconds(rest.get("expires_in"))
            if not value or (seconds is not None and seconds <= 0):
                return None
            return Token(value, now + timedelta(seconds=seconds) if seconds else None)
    return None


def _seconds(value: object) -> float | None:
    """A number, which some servers write as text; None if there is none that makes sense."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -_LONGEST < value < _LONGEST else None
