"""Agents' texts as the API takes them: idempotent by key, refused where the platform would refuse them."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field

from connectors import Connector, Rejected

from .fetching import Fetcher
from .journal import Journal
from .journal.outgoing import NewText, Situation
from .moments import now_ms
from .problems import Problem, not_found
from .splitting import split

_MAX_TEXT = 40_000


class Reply(BaseModel):
    """An agent's text. Only text goes to consumers: photos and videos come from them, never the other way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(
        min_length=1, max_length=_MAX_TEXT, description="What the consumer shall read"
    )
    agent: str = Field(min_length=1, max_length=200, description="Who wrote it")
    reply_to: str | None = Field(
        default=None, max_length=200, description="The message (msg_…) that it answers"
    )


class Replies:
    """Takes texts into the journal; `on_accepted` wakes whoever sends them."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        fetcher: Fetcher,
        on_accepted: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._fetcher = fetcher
        self._on_accepted = on_accepted

    async def accept(self, conversation: str, key: str, reply: Reply) -> dict[str, Any]:
        """Keep a text, or find the one that was accepted under the same key."""
        id = self._journal.ids.reply(conversation, key)
        before = await self._journal.agent_text(id)
        if before is not None:
            return _same(before, reply)
        situation = await self._journal.situation(conversation)
        if situation is None:
            not_found("conversation", conversation)
        connector = self._connectors.get(situation.connector)
        if connector is None or connector.capabilities.support("send_text") == "no":
            _refuse("unsupported", f"{situation.connector} sends no texts")
        _check_window(connector, situation)
        if not reply.text.strip():
            raise Problem(422, "Unprocessable", "text is blank")
        parts = tuple(split(reply.text, connector.capabilities.max_text))
        quoted = await self._quoted(reply.reply_to)
        new = NewText(id, conversation, reply.agent, reply.text, parts, quoted)
        await self._journal.accept_text(new)
        self._on_accepted()
        return await self._journal.agent_text(id) or {}

    async def tell_read(self, message: str) -> bool:
        """Tell the platform that an agent has seen a message; False where it cannot be told."""
        found = await self._journal.message_origin(message)
        if found is None:
            not_found("message", message)
        name, account, consumer, platform_id = found
        connector = self._connectors.get(name)
        if connector is None or connector.capabilities.support("mark_read") == "no":
            return False
        try:
            flow = connector.mark_read(account, consumer, platform_id)
            await self._fetcher.run(connector, flow, "send")
        except Rejected as refusal:
            raise Problem(502, "Bad gateway", f"{name} refused: {refusal.reason}") from refusal
        return True

    async def _quoted(self, message: str | None) -> str | None:
        if message is None:
            return None
        found = await self._journal.message_origin(message)
        if found is None:
            raise Problem(422, "Unprocessable", f"reply_to: there is no message {message!r}")
        return found[3]


def _same(before: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if before["text"] != reply.text or before["agent"] != reply.agent:
        detail = "this Idempotency-Key was used with another text; use a new key for a new text"
        raise Problem(422, "Unprocessable", detail)
    return before


def _check_window(connector: Connector[Any], situation: Situation) -> None:
    if situation.closed:
        _refuse("closed", "the consumer closed the conversation; they must write first")
    if situation.opted_out:
        _refuse("opted_out", "the consumer wants no more texts; they must write first")
    window = connector.reply_window
    silent = (now_ms() - (situation.heard_at or 0)) / 1000
    if window is not None and silent > window:
        hours = round(window / 3600)
        _refuse(
            "window_closed",
            f"{connector.label} takes texts {hours} h after the consumer's last message",
        )


def _refuse(reason: str, detail: str) -> NoReturn:
    raise Problem(409, "Conflict", detail, reason=reason)
