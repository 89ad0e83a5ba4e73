"""Operations that only the owner of a shard may do, refused if the session has lost the shard meanwhile.

All others are facts, true from any node: an outcome, an answer of the core, a receipt.
"""

from gateway.journal.operations import agent_texts, attachments, retention
from gateway.journal.operations.transaction import Transaction
from gateway.journal.ownership import shard_of, shard_of_message
from gateway.journal.records import Recipient, Recorded
from gateway.journal.stores.journal import StoredJournal

from .locks import Locks

_ATTACHMENT = "message = ? AND position = ? AND state = 'pending'"
_LOCK_PARTS_OF_PERSON = """SELECT o.key FROM conversation s
    JOIN conversation c ON c.key = coalesce(s.merged_into, s.key)
    JOIN conversation o ON o.key = c.key OR o.merged_into = c.key
    WHERE s.id = ? ORDER BY o.key FOR UPDATE OF o"""


class FencedStore(StoredJournal):
    """The part of the journal that nodes could do twice."""

    _locks: Locks

    async def begin(self, message: int, position: int, *, again: bool) -> int:
        fresh = "" if again else " AND begun = 0"

        def run(transaction: Transaction) -> int:
            self._locks.require(transaction, shard_of_message(message))
            row = transaction.execute(
                f"UPDATE attachment SET begun = begun + 1 WHERE {_ATTACHMENT}{fresh} RETURNING begun",
                (message, position),
            ).fetchone()
            return 0 if row is None else int(row[0])

        return await self._submit(run)

    async def take_back(self, message: int, position: int) -> None:
        def run(transaction: Transaction) -> None:
            transaction.execute(
                f"UPDATE attachment SET begun = begun - 1 WHERE begun > 0 AND {_ATTACHMENT}",
                (message, position),
            )

        await self._submit(run)

    async def postpone(self, message: int, position: int, due: int, reason: str) -> None:
        def run(transaction: Transaction) -> None:
            self._locks.require(transaction, shard_of_message(message))
            _forget_attempts(transaction, message, position)
            attachments.postpone(transaction, message, position, due, reason)

        await self._submit(run)

    async def retry(self, message: int, position: int) -> bool:
        def run(transaction: Transaction) -> Recorded | None:
            recorded = attachments.retry(transaction, message, position)
            _forget_attempts(transaction, message, position)
            return recorded

        return await self._announce(run) is not None

    async def trying(self, text: int, position: int) -> Recipient | None:
        def run(transaction: Transaction) -> Recipient | None:
            self._require_owner_of(transaction, text)
            return agent_texts.trying(transaction, text, position)

        return await self._submit(run)

    async def postpone_part(self, text: int, position: int, due: int) -> None:
        def run(transaction: Transaction) -> None:
            self._require_owner_of(transaction, text)
            agent_texts.postpone(transaction, text, position, due)

        await self._submit(run)

    def _require_owner_of(self, transaction: Transaction, text: int) -> None:
        """Raise NotOwner unless this node owns the conversation in which a text is now."""
        row = transaction.execute(
            "SELECT conversation FROM outgoing WHERE key = ? FOR SHARE", (text,)
        ).fetchone()
        if row is not None:
            self._locks.require(transaction, shard_of(row[0]))

    def _erase(
        self, transaction: Transaction, conversation: str, request_id: str
    ) -> Recorded | None:
        # Who records a message in it meanwhile waits, and then finds no conversation.
        transaction.execute(_LOCK_PARTS_OF_PERSON, (conversation,)).fetchall()
        return retention.erase(transaction, conversation, self.informed, request_id)


def _forget_attempts(transaction: Transaction, message: int, position: int) -> None:
    transaction.execute(
        f"UPDATE attachment SET begun = 0 WHERE begun > 0 AND {_ATTACHMENT}", (message, position)
    )
