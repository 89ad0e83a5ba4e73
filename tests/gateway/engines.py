"""Both engines of the journal, for tests of what they promise alike."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from gateway.journal.postgresql.journal import PostgresqlJournal
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.journal.stores.journal import StoredJournal
from tests.postgresql import Server


class Engine(ABC):
    """Opens journals. The same folder is the same journal."""

    name: str

    @abstractmethod
    async def open(self, folder: Path) -> StoredJournal: ...


class Sqlite(Engine):
    name = "sqlite"

    async def open(self, folder: Path) -> StoredJournal:
        return await SqliteJournal.open(folder, hold_seconds=2)


@dataclass
class Postgresql(Engine):
    server: Server
    opened: list[PostgresqlJournal] = field(default_factory=list)
    name = "postgresql"

    async def open(self, folder: Path) -> PostgresqlJournal:
        journal = await PostgresqlJournal.open(self.url(folder), hold_seconds=2)
        self.opened.append(journal)
        return journal

    async def close(self) -> None:
        """Close what a failed test left open."""
        for journal in self.opened:
            await journal.close()

    def url(self, folder: Path) -> str:
        return self.server.schema(self.schema(folder))

    @staticmethod
    def schema(folder: Path) -> str:
        return f"t{hashlib.md5(str(folder).encode()).hexdigest()[:12]}"
