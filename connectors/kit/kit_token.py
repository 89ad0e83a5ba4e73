"""The token with which the kit asks a connector for headers."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from connectors.contract import Call, Connector, Reply, Token
from connectors.recordings import RECEIVED_AT
from connectors.tools.authorization import needs_token

from .run_flow import drive

#: Kept, because a token may be signed, and many tests ask for it.
_FOUND: WeakKeyDictionary[Connector[Any], Token | None] = WeakKeyDictionary()
_VALUE = "token-of-the-conformance-kit"
#: What most platforms answer (RFC 6749, section 5.1).
_ANSWER = {"access_token": _VALUE, "token_type": "Bearer", "expires_in": 3600}


def kit_token(connector: Connector[Any]) -> Token | None:
    """Return a token as the gateway would hold it; None if the connector needs none.

    It is the connector's own if it takes an answer in the form of OAuth, or needs no call. Otherwise it is made up.
    """
    if not needs_token(connector):
        return None
    if connector not in _FOUND:
        _FOUND[connector] = _made(connector)
    return _FOUND[connector]


def _made(connector: Connector[Any]) -> Token | None:
    found = _obtained(connector, RECEIVED_AT)
    if found is None or isinstance(found, Token):
        return found
    others: dict[str, str] = defaultdict(lambda: f"{_VALUE}-too")
    return Token(_VALUE, RECEIVED_AT + timedelta(hours=1), others)


def own_token(connector: Connector[Any], now: datetime) -> Token | None:
    """Return the token that a connector obtains at `now`; None if it does not take an answer in the form of OAuth."""
    found = _obtained(connector, now)
    return found if isinstance(found, Token) else None


def _obtained(connector: Connector[Any], now: datetime) -> Any:
    """Return what `token` returns; a refusal or an error if it does not."""
    try:
        driven = drive(connector, lambda: connector.token(now), "check", _answer)
    except Exception as exc:  # noqa: BLE001 - other tests say what is wrong with the flow
        return exc
    return driven.refused or driven.result


def _answer(call: Call, at: int) -> Reply:
    del call, at
    return Reply(200, {}, _ANSWER)
