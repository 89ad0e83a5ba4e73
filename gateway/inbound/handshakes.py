"""Handshakes: a platform asks whether a webhook is ours, by GET or by POST."""

from typing import Any

import structlog

from connectors import Connector, Forbidden, Request, Response
from connectors.tools.authorization import MAX_HANDSHAKE, asks_by_post, handshake_by_post
from gateway.problems import Problem

from .refusal_log import RefusalLog

log = structlog.get_logger(__name__)


def answer_to_get(connector: Connector[Any], request: Request) -> Response | None:
    """Return the connector's answer to a GET; None if its platform never asks by GET."""
    if "GET" not in connector.handshakes:
        return None
    try:
        return connector.handshake(request)
    except Forbidden as exc:
        detail = "the handshake does not carry the word of this connector's settings"
        raise Problem(403, "Forbidden", detail) from exc


def may_be_handshake(connector: Connector[Any], length: int | None) -> bool:
    """Whether a POST without a possible proof may be a handshake, which some platforms do not sign."""
    return asks_by_post(connector) and (length or 0) <= MAX_HANDSHAKE


def answer_to_post(
    name: str, connector: Connector[Any], request: Request, refusals: RefusalLog
) -> Response | None:
    """Return the answer to a POST that is a handshake; None for a delivery."""
    try:
        answer = handshake_by_post(connector, request)
    except Exception as exc:  # noqa: BLE001 - a plugin may raise anything, and strangers may repeat it
        refusals.note_failed_handshake(name, exc)
        return None
    if answer is not None:
        log.info("handshake_answered", connector=name)
    return answer
