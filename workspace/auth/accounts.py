"""Local accounts of agents, supervisors and operators, as the command line manages them.

The functions that take a path open the database themselves and may run while the workspace does.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from workspace.roles import ROLES
from workspace.store.database import connect
from workspace.store.migrations import migrate
from workspace.store.opening import Unusable, opening
from workspace.timestamps import now

from .passwords import hash_password

#: Names appear in URLs and logs, so they are short, lower case and never need quoting.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")

#: NIST SP 800-63B requires at least eight. Ours is longer because the internet can reach the sign-in page.
MIN_PASSWORD = 10
_MAX_PASSWORD = 1000


class AccountProblem(Exception):
    """An account could not be changed. The text says why, for the user of the command line."""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    roles: tuple[str, ...]
    created_at: int


def add(database: Path, name: str, password: str, roles: Iterable[str] = ("agent",)) -> None:
    """Add an account. Raises AccountProblem if the name is taken or invalid, the password weak or a role unknown."""
    if not _NAME.fullmatch(name):
        raise AccountProblem(
            f"{name!r} cannot be an account name: use 1 to 64 characters from a-z, 0-9, dot, dash, underscore"
            " and @, and begin with a letter or a digit"
        )
    row = (name, _checked_hash(password), _checked_roles(roles), now())
    with _transaction(database) as db:
        added = db.execute("INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        if not added.rowcount:
            raise AccountProblem(f"an account named {name!r} already exists; choose another name")


def set_password(database: Path, name: str, password: str) -> None:
    """Change a password and end all sessions of the account."""
    password_hash = _checked_hash(password)
    with _transaction(database) as db:
        _require_account(
            db.execute("UPDATE accounts SET password = ? WHERE name = ?", (password_hash, name)),
            name,
        )
        db.execute("DELETE FROM sessions WHERE agent = ?", (name,))


def set_roles(database: Path, name: str, roles: Iterable[str]) -> None:
    with _transaction(database) as db:
        row = (_checked_roles(roles), name)
        _require_account(db.execute("UPDATE accounts SET roles = ? WHERE name = ?", row), name)


def remove(database: Path, name: str) -> None:
    """Remove an account and end its sessions. Its messages and assignments stay as they are."""
    with _transaction(database) as db:
        _require_account(db.execute("DELETE FROM accounts WHERE name = ?", (name,)), name)
        db.execute("DELETE FROM sessions WHERE agent = ?", (name,))
        db.execute("DELETE FROM languages WHERE agent = ?", (name,))


def listed(database: Path) -> tuple[Account, ...]:
    with _transaction(database) as db:
        return list_accounts(db)


def list_accounts(db: sqlite3.Connection) -> tuple[Account, ...]:
    rows = db.execute("SELECT name, roles, created_at FROM accounts ORDER BY name")
    return tuple(
        Account(row["name"], _split_roles(row["roles"]), row["created_at"]) for row in rows
    )


def find_roles(db: sqlite3.Connection, name: str) -> tuple[str, ...] | None:
    row = db.execute("SELECT roles FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if row is None else _split_roles(row["roles"])


def find_password_hash(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT password FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["password"])


@contextmanager
def _transaction(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        with opening(database), closing(_opened(database)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
    except Unusable as exc:
        raise AccountProblem(str(exc)) from exc


def _opened(database: Path) -> sqlite3.Connection:
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = connect(database)
    try:
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _require_account(cursor: sqlite3.Cursor, name: str) -> None:
    if not cursor.rowcount:
        raise AccountProblem(f"no account is named {name!r}; check the spelling")


def _checked_hash(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= _MAX_PASSWORD:
        raise AccountProblem(
            f"a password needs at least {MIN_PASSWORD} and at most {_MAX_PASSWORD} characters"
        )
    return hash_password(password)


def _checked_roles(roles: Iterable[str]) -> str:
    unique = tuple(dict.fromkeys(roles))
    for role in unique or ("",):
        if role not in ROLES:
            raise AccountProblem(f"{role!r} is not a role; use {', '.join(ROLES)}")
    return ",".join(unique)


def _split_roles(roles: str) -> tuple[str, ...]:
    return tuple(roles.split(","))
