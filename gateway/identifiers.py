"""Public ids, derived from the facts they identify, so that the same fact always has the same id.

The derivation uses a secret key of the installation: knowing a platform's message id does not reveal ours.
"""

import hashlib

_DIGEST_BYTES = 16


class Identifiers:
    """Derives `conv_…`, `msg_…`, `fact_…` and `evt_…` ids with a `key` of 16 to 64 bytes from the journal."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=_DIGEST_BYTES)

    def conversation(self, connector: str, account: str, consumer: str, generation: int = 1) -> str:
        """Return the id of the conversation with an address; `generation` counts the persons who had the address."""
        more = () if generation == 1 else (str(generation),)
        return "conv_" + self._derive("conversation", connector, account, consumer, *more)

    def message(self, connector: str, platform_id: str) -> str:
        return "msg_" + self._derive("message", connector, platform_id)

    def reply(self, conversation: str, idempotency_key: str) -> str:
        """Return the id of an agent's text; repeats of a request get the same id."""
        return "msg_" + self._derive("reply", conversation, idempotency_key)

    def fact(self, connector: str, event_id: str) -> str:
        """Return the id of a fact that is not a message, used to detect duplicates."""
        return "fact_" + self._derive("fact", connector, event_id)

    def person(self, consumer: str) -> str:
        """Return what a receipt names a person by. Without the key nobody can try which id it was."""
        return "hash_" + self._derive("person", consumer)

    def event(self, type: str, *about: str) -> str:
        return "evt_" + self._derive("event", type, *about)

    def _derive(self, *parts: str) -> str:
        # Each part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
        text = "".join([f"{len(part)}:{part}" for part in parts])
        digest = self._keyed.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def attachment_id(message_id: str, position: int) -> str:
    """Return the id of a message's attachment. It contains the message's id, so no index is needed to find it."""
    return f"att_{message_id.removeprefix('msg_')}_{position}"


def parse_attachment_id(id: str) -> tuple[str, int] | None:
    """Return the message id and the position in an attachment id, or None if it is not an attachment id."""
    stem, _, position = id.removeprefix("att_").rpartition("_")
    if not id.startswith("att_") or not stem or not (position.isascii() and position.isdigit()):
        return None
    return f"msg_{stem}", int(position[:6])
