"""How each flow of a recorded exchange is started."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from connectors.contract import Call, Connector, Outcome, Request, Text, Token, Typing
from connectors.recordings import RECEIVED_AT
from connectors.tools.authorization import headers_for_call
from normalizer.events import MediaRef

from .kit_token import kit_token
from .run_flow import Start
from .subject import OUTCOME, TEXT

Given = Mapping[str, Any]


def _token(recorded: Given) -> Token:
    expires = recorded.get("expires")
    return Token(**{**recorded, "expires": datetime.fromisoformat(expires) if expires else None})


def _headers(connector: Connector[Any], given: Given) -> Mapping[str, str]:
    call = {"method": "GET", "url": connector.config.api, **given.get("call", {})}
    token = given.get("token")
    held = _token(token) if token else kit_token(connector)
    return headers_for_call(connector, RECEIVED_AT, held, Call(**call))


#: By the name of the flow; the arguments are the connector, what is given, and the request of a handshake.
STARTS: Mapping[str, Callable[[Connector[Any], Given, Request], Start]] = {
    "media": lambda c, given, _: partial(c.media, MediaRef(**given)),
    "send_text": lambda c, given, _: partial(c.send_text, Text(**{**asdict(TEXT), **given})),
    "send_typing": lambda c, given, _: partial(c.send_typing, Typing(**given)),
    "mark_read": lambda c, given, _: partial(c.mark_read, **given),
    "tell_outcome": lambda c, given, _: partial(
        c.tell_outcome, Outcome(**{**asdict(OUTCOME), **given})
    ),
    "forget": lambda c, given, _: partial(c.forget, **given),
    "tell_closed": lambda c, given, _: partial(c.tell_closed, **given),
    "profile": lambda c, given, _: partial(c.profile, **given),
    "check": lambda c, *_: c.check,
    "token": lambda c, *_: partial(c.token, RECEIVED_AT),
    "authorize": lambda c, given, _: partial(_headers, c, given),
    "acknowledge": lambda c, *_: c.acknowledge,
    "limits": lambda c, given, _: partial(c.limits, **given),
    "handshake": lambda c, _, request: partial(c.handshake, request),
}
