"""Files of the workspace from earlier and later versions."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.workspace import samples
from tests.workspace.running import run_workspace
from workspace.auth import accounts
from workspace.auth.accounts import AccountProblem
from workspace.store.database import connect
from workspace.store.migrations import TooNew, migrate

#: The first format, without search, accounts and replies: the part of it that migrations rely on.
FIRST = """
CREATE TABLE counter (revision INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (7);
CREATE TABLE events (id TEXT PRIMARY KEY, type TEXT NOT NULL, taken_at INTEGER NOT NULL, body BLOB)
    STRICT, WITHOUT ROWID;
CREATE TABLE conversations (id TEXT PRIMARY KEY, connector TEXT NOT NULL, platform TEXT NOT NULL,
    account TEXT NOT NULL, consumer_id TEXT NOT NULL, consumer_name TEXT, open INTEGER NOT NULL DEFAULT 1,
    sequence INTEGER NOT NULL DEFAULT 0, active_at INTEGER NOT NULL, revision INTEGER NOT NULL) STRICT;
CREATE INDEX conversations_by_activity ON conversations (active_at, id);
CREATE TABLE messages (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL REFERENCES conversations (id), sequence INTEGER NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'notice')), author TEXT, platform_id TEXT,
    text TEXT, transcript TEXT NOT NULL, at INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
    details TEXT NOT NULL DEFAULT '{}', revision INTEGER NOT NULL) STRICT;
CREATE TABLE statuses (message TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT) STRICT;
INSERT INTO conversations VALUES
    ('conv_old', 'support-whatsapp', 'whatsapp', '1', '4915', 'Zoë', 1, 1, 1000, 6);
INSERT INTO messages VALUES
    (1, 'msg_old', 'conv_old', 1, 'in', NULL, 'wamid.1', 'the dented lid', 'the dented lid', 1000, 0, '{}', 7);
INSERT INTO statuses VALUES ('msg_elsewhere', 'sent', NULL);
PRAGMA user_version = 1;
"""


def create_file(folder: Path, script: str) -> Path:
    path = folder / "workspace.sqlite3"
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()
    return path


async def test_file_of_the_first_format_is_migrated_without_loss(tmp_path: Path) -> None:
    create_file(tmp_path, FIRST)
    async with run_workspace(tmp_path) as running:
        (line,) = (await running.open_conversation("conv_old"))["lines"]
        assert line["text"] == "the dented lid"
        for query in ("zoe", "dented"):
            found = (await running.get(f"api/conversations?q={query}"))["conversations"]
            assert [entry["id"] for entry in found] == ["conv_old"], query
        await running.post(
            "api/conversations/conv_old/messages", {"text": "thank you", "key": "k" * 20}
        )
        who = samples.conversation("conv_old", consumer={"id": "4915", "name": None})
        await running.deliver(samples.received("evt_2", samples.message(2, text="and now?"), who))
        lines = (await running.open_conversation("conv_old"))["lines"]
        assert {line["text"] for line in lines} == {"the dented lid", "thank you", "and now?"}
    # A second start works, and the file has the same schema as a new file.
    async with run_workspace(tmp_path):
        pass
    (tmp_path / "new").mkdir()
    async with run_workspace(tmp_path / "new"):
        pass
    assert schema(tmp_path / "workspace.sqlite3") == schema(tmp_path / "new" / "workspace.sqlite3")


def schema(path: Path) -> dict[str, set[str]]:
    """Return tables and indexes with the columns of each."""
    db = sqlite3.connect(path)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
    found = {name: {row[1] for row in db.execute(f"PRAGMA table_info({name})")} for name in names}
    db.close()
    return found


def test_file_of_a_later_version_is_refused_unchanged(tmp_path: Path) -> None:
    path = create_file(tmp_path, FIRST + "PRAGMA user_version = 99;")
    before = path.read_bytes()
    message = r"workspace.sqlite3 was written by a later version \(format 99"
    with pytest.raises(AccountProblem, match=message):
        accounts.listed(path)
    with closing(connect(path)) as db, pytest.raises(TooNew, match=message):
        migrate(db)
    assert path.read_bytes()[100:] == before[100:]


#: The second format, in which lines had the order of their sequences alone.
SECOND = (
    FIRST.replace("PRAGMA user_version = 1;", "PRAGMA user_version = 2;")
    + """
CREATE INDEX messages_in_order ON messages (conversation, sequence, position);
CREATE TABLE marks (agent TEXT NOT NULL, conversation TEXT NOT NULL REFERENCES conversations (id),
    sequence INTEGER NOT NULL, PRIMARY KEY (agent, conversation)) STRICT, WITHOUT ROWID;
INSERT INTO conversations VALUES ('conv_two', 'support-whatsapp', 'whatsapp', '1', 'US.1', 'Zoë', 1, 2, 5000, 12);
INSERT INTO messages VALUES
    (2, 'msg_b', 'conv_old', 3, 'in', NULL, 'w2', 'third', 'third', 3000, 0, '{}', 8),
    (3, 'msg_c', 'conv_old', 2, 'in', NULL, 'w3', 'second', 'second', 4000, 0, '{}', 9),
    (4, 'reply_1', 'conv_old', 3, 'out', 'agent', NULL, 'answer', 'answer', 3500, 0, '{}', 10),
    (5, 'msg_d', 'conv_two', 1, 'in', NULL, 'w4', 'elsewhere', 'elsewhere', 2000, 0, '{}', 11),
    (6, 'msg_e', 'conv_two', 2, 'in', NULL, 'w5', 'elsewhere again', 'elsewhere again', 5000, 0, '{}', 12);
INSERT INTO marks VALUES ('agent', 'conv_old', 2), ('agent', 'conv_two', 1);
UPDATE counter SET revision = 12;
"""
)


async def test_lines_of_an_older_file_keep_order_and_merge(tmp_path: Path) -> None:
    create_file(tmp_path, SECOND)
    async with run_workspace(tmp_path) as running:
        lines = (await running.open_conversation("conv_old"))["lines"]
        assert [line["text"] for line in lines] == ["the dented lid", "second", "third", "answer"]
        assert [line["unread"] for line in lines] == [False, False, True, False]
        where = samples.conversation("conv_old", consumer={"id": "4915", "name": "Zoë"})
        merge = {"conversation": where, "merged": "conv_two"}
        await running.deliver(samples.event("evt_m", "conversation.merged", merge))
        opened = await running.open_conversation("conv_two")
        assert [line["text"] for line in opened["lines"][:-1]] == [
            *("the dented lid", "elsewhere", "second", "third", "answer"),
            "elsewhere again",
        ]
        assert opened["conversation"]["unread"] == 2


#: The fourth format, in which short words were not indexed and waiting was not recorded.
FOURTH = (
    SECOND.replace("PRAGMA user_version = 2;", "PRAGMA user_version = 4;")
    + """
ALTER TABLE conversations ADD COLUMN folded TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN placed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE messages SET placed_at = at, origin = conversation;
UPDATE conversations SET folded = 'zoe 4915 alias-7';
CREATE VIRTUAL TABLE words USING fts5 (folded, tokenize = 'trigram');
INSERT INTO words (rowid, folded) VALUES (5, 'elsewhere');
INSERT INTO messages VALUES
    (7, 'msg_f', 'conv_two', 3, 'in', NULL, 'w6', 'OK 退款', 'OK 退款', 6000, 0, '{}', 13, 6000, 'conv_two');
"""
)


async def test_older_file_learns_waiting_times_and_short_words(tmp_path: Path) -> None:
    create_file(tmp_path, FOURTH)
    async with run_workspace(tmp_path) as running:
        found = (await running.get("api/conversations?order=waiting"))["conversations"]
        waits = {entry["id"]: entry["waiting_since"] for entry in found}
        # "third" was written before the answer, and "second" is in its place before that.
        assert waits == {"conv_two": 2000, "conv_old": 4000}
        for query in ("ok", "退款", "elsewhere", "alias-7", "zoë"):
            found = (await running.get(f"api/conversations?q={query}"))["conversations"]
            assert "conv_two" in [entry["id"] for entry in found], query
