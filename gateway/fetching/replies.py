"""What a flow gets to see of an answer: status, headers, and the first mebibyte of the body."""

from typing import Any

import httpx
import orjson

from connectors import Purpose, Reply

from .body import start_of
from .deadlines import Patience
from .errors import Unreachable

#: The contract's limit (`connectors.Reply`).
_MOST = 1024 * 1024


async def read_reply(response: httpx.Response, purpose: Purpose, patience: Patience) -> Reply:
    """The answer with its body. A refusal is a refusal even if its body breaks off."""
    try:
        body, whole = await start_of(response, patience, _MOST)
    except Unreachable:
        if response.status_code < 300:
            raise
        body, whole = b"", False
    return Reply(
        status=response.status_code,
        headers=dict(response.headers),
        content=_json(body) if whole else None,
        body=body,
        purpose=purpose,
    )


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
