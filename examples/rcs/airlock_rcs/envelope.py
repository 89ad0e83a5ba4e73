"""The envelope of a delivery, in the form of Cloud Pub/Sub: JSON whose `message.data` is JSON again, in Base64.

https://developers.google.com/business-communications/rcs-business-messaging/guides/integrate/webhooks
"""

import base64
import re
from typing import Any

import orjson
from connectors import Forbidden

#: The signed field, found without decoding the body. Serializers may write / as \/ and = as \u003d.
_DATA = re.compile(rb'"data"\s*:\s*"([A-Za-z0-9+/=\\]+)"')


def claimed_data(body: bytes) -> bytes:
    """The bytes that the signature covers, if it is genuine. Only `confirm` says that `parse` reads the same ones."""
    found = _DATA.search(body)
    if found is None:
        raise Forbidden("the body has no message.data in Base64")
    try:
        return base64.b64decode(orjson.loads(b'"%s"' % found[1]), validate=True)
    except ValueError:
        raise Forbidden("message.data is not Base64") from None


def confirm(body: bytes, data: bytes) -> None:
    """Raise Forbidden unless `opened_data` finds this data in the body, such as if a stranger added a second field."""
    try:
        opened = opened_data(orjson.loads(body))
    except (ValueError, TypeError, LookupError):
        raise Forbidden("the signed data is not in message.data") from None
    if opened != data:
        raise Forbidden("message.data is not the data that was signed")


def opened_data(content: Any) -> bytes:
    """The decoded `message.data`. Raises ValueError, TypeError or LookupError for anything else."""
    return base64.b64decode(content["message"]["data"], validate=True)


def agent_in(data: bytes) -> str | None:
    """The agent that an event names, without a domain; None if it names none, as events are allowed to."""
    try:
        event = orjson.loads(data)
    except ValueError:
        return None
    match event:
        case {"agentId": str(agent)} if agent:
            return without_domain(agent)
    return None


def without_domain(agent: str) -> str:
    """An agent's id as the API wants it: consoles and some deliveries add @rbm.goog."""
    return agent.removesuffix("@rbm.goog")
