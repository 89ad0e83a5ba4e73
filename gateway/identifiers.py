"""Ids as the outside sees them: derived from the facts, so that the same fact has the same id for ever.

A key of the installation makes them opaque: who knows a platform's message id cannot compute ours.
"""

import hashlib

_DIGEST_BYTES = 16


class Identifiers:
    """Derives `conv_…`, `msg_…`, `att_…` and `evt_…` ids; `key` is 16 to 64 bytes, kept by the journal."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=_DIGEST_BYTES)

    def conversation(self, connector: str, account: str, consumer: str) -> str:
        return "conv_" + self._derive("conversation", connector, account, consumer)

    def message(self, connector: str, platform_id: str) -> str:
        return "msg_" + self._derive("message", connector, platform_id)

    def reply(self, conversation: str, idempotency_key: str) -> str:
        """The id of an agent's text: the same for each repeat of the same request."""
        return "msg_" + self._derive("reply", conversation, idempotency_key)

    def fact(self, connector: str, event_id: str) -> str:
        """The id of what is no message: the key of its duplicate detection."""
        return "fact_" + self._derive("fact", connector, event_id)

    def event(self, type: str, *about: str) -> str:
        return "evt_" + self._derive("event", type, *about)

    def _derive(self, *parts: str) -> str:
        # The length goes before each part, so that ("ab", "c") and ("a", "bc") differ.
        text = "".join([f"{len(part)}:{part}" for part in parts])
        digest = self._keyed.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def attachment_id(message_id: str, position: int) -> str:
    """The id of a message's attachment; it names its message, so that no index is needed to find it."""
    return f"att_{message_id.removeprefix('msg_')}_{position}"


def parse_attachment_id(id: str) -> tuple[str, int] | None:
    """Message id and position of an attachment id, None if it is none."""
    stem, _, position = id.removeprefix("att_").rpartition("_")
    if not id.startswith("att_") or not stem or not (position.isascii() and position.isdigit()):
        return None
    return f"msg_{stem}", int(position[:6])
