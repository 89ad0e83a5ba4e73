"""Accepting agents' texts: idempotent by key, refused where the platform would refuse them."""

import secrets
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field

from connectors import Connector, Flow, Rejected, Typing
from gateway.fetching import Fetcher
from gateway.journal import AgentText, Journal, Situation
from gateway.observability.lines import note
from gateway.observability.request_ids import current_id
from gateway.problems import Problem, not_found
from gateway.timestamps import now_ms

from .split_text import split

_MAX_TEXT = 40_000


class Reply(BaseModel):
    """An agent's text. Agents can send only text to consumers, no photos and no videos."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1, max_length=_MAX_TEXT, description="The text for the consumer")
    agent: str = Field(min_length=1, max_length=200, description="The agent who wrote it")
    reply_to: str | None = Field(
        default=None, max_length=200, description="The message (msg_…) that it answers"
    )


class Writing(BaseModel):
    """Whether an agent is writing at the moment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    typing: bool = Field(default=True, description="false if the agent stopped without sending")


class Replies:
    """Accepts agents' texts into the journal, from which they are sent."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        fetcher: Fetcher,
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._fetcher = fetcher

    async def accept(self, conversation: str, key: str, reply: Reply) -> dict[str, Any]:
        """Accept a text, or return the one that was accepted under the same key before."""
        id = self._journal.ids.reply(conversation, key)
        existing = await self._journal.agent_text(id)
        if existing is not None:
            repeat = _accept_repeat(existing, reply)
            _note("text_repeated", conversation, id)
            return repeat
        situation = await self._journal.situation(conversation)
        if situation is None:
            not_found("conversation", conversation)
        connector = self._connectors.get(situation.connector)
        if connector is None or connector.capabilities.support("send_text") == "no":
            _refuse("unsupported", f"{situation.connector} cannot send texts")
        refusal = _reason_to_refuse(connector, situation)
        if refusal is not None:
            _refuse(*refusal)
        if not reply.text.strip():
            raise Problem(422, "Unprocessable", "text is blank")
        limits = connector.limits(situation.account)
        parts = tuple(split(reply.text, limits.max_text, limits.max_text_bytes))
        quoted = await self._quoted(conversation, reply.reply_to)
        new = AgentText(id, conversation, reply.agent, reply.text, parts, quoted, current_id())
        if await self._journal.accept_text(new):
            _note("text_accepted", conversation, id, situation.connector)
        accepted = await self._journal.agent_text(id)
        # If two texts arrive under one key at the same time, one is accepted and the other is refused.
        return _accept_repeat(accepted, reply) if accepted else {}

    async def mark_read(self, message: str) -> bool:
        """Mark a message as read on the platform; False if the platform does not support that."""
        found = await self._journal.message_origin(message)
        if found is None:
            not_found("message", message)
        name, account, consumer, platform_id = found
        connector = self._connectors.get(name)
        if connector is None or connector.capabilities.support("mark_read") == "no":
            return False
        await self._run_flow(name, connector, connector.mark_read(account, consumer, platform_id))
        return True

    async def close(self, conversation: str) -> bool:
        """Close a conversation; whether its platform is informed."""
        situation = await self._journal.situation(conversation)
        if situation is None or not await self._journal.close_conversation(
            conversation, current_id()
        ):
            not_found("conversation", conversation)
        connector = self._connectors.get(situation.connector)
        return connector is not None and connector.capabilities.support("send_close") != "no"

    async def reopen(self, conversation: str) -> None:
        """Take back `close`. Raises a 409 if the consumer closed the conversation."""
        is_open = await self._journal.reopen_conversation(conversation)
        if is_open is None:
            not_found("conversation", conversation)
        if not is_open:
            _refuse("closed", "the consumer closed the conversation; they must write first")

    async def show_typing(self, conversation: str, *, on: bool) -> bool:
        """Show the consumer that an agent is writing; False if the platform cannot, or if no text may be sent."""
        situation = await self._journal.situation(conversation)
        if situation is None:
            not_found("conversation", conversation)
        connector = self._connectors.get(situation.connector)
        latest = await self._journal.latest_message(conversation)
        if (
            connector is None
            or latest is None
            or _reason_to_refuse(connector, situation) is not None
        ):
            return False
        if connector.capabilities.support("send_typing") == "no":
            return False
        typing = Typing(f"typing_{secrets.token_hex(8)}", *latest, on=on)
        await self._run_flow(situation.connector, connector, connector.send_typing(typing))
        return True

    async def _run_flow(self, name: str, connector: Connector[Any], flow: Flow[None]) -> None:
        try:
            await self._fetcher.run(connector, flow, "send")
        except Rejected as exc:
            raise Problem(502, "Bad gateway", f"{name} refused: {exc.reason}") from exc

    async def _quoted(self, conversation: str, message: str | None) -> str | None:
        if message is None:
            return None
        found = await self._journal.quotable(conversation, message)
        if found is None:
            detail = (
                f"reply_to: {message!r} is not a message of this conversation that can be quoted"
            )
            raise Problem(422, "Unprocessable", detail)
        return found


def _note(event: str, conversation: str, message: str, connector: str | None = None) -> None:
    ids = {"connector": connector, "conversation": conversation, "message": message}
    note(event, {"request_id": current_id(), **ids})


def _accept_repeat(existing: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if existing["text"] != reply.text or existing["agent"] != reply.agent:
        detail = "this Idempotency-Key was used for another text; use a new key for a new text"
        raise Problem(422, "Unprocessable", detail)
    return existing


def _reason_to_refuse(connector: Connector[Any], situation: Situation) -> tuple[str, str] | None:
    """Return why the platform would refuse a text now, as a reason and a sentence; None if it would not."""
    if situation.closed:
        return "closed", "the conversation is closed; the consumer must write first"
    if situation.opted_out:
        return "opted_out", f"the consumer opted out of texts; {_way_back(connector)}"
    window = connector.limits(situation.account).reply_window
    # If nothing that was reported opened a window, only the platform knows.
    if window is None or situation.opened_at is None:
        return None
    if now_ms() <= situation.opened_at + window * 1000:
        return None
    hours = round(window / 3600)
    period = f"{hours // 24} days" if hours > 24 and hours % 24 == 0 else f"{hours} hours"
    return (
        "window_closed",
        f"{connector.label} accepts texts within {period} of the consumer's last message; they must write first",
    )


def _way_back(connector: Connector[Any]) -> str:
    if connector.reports_opt_in:
        return "they must opt in again first"
    return "they must write first"


def _refuse(reason: str, detail: str) -> NoReturn:
    raise Problem(409, "Conflict", detail, reason=reason)
