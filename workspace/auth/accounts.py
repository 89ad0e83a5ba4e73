"""Local accounts of agents, supervisors and operators: what a command line needs to keep them.

Each function opens the workspace's database by itself and may run while the workspace does.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workspace.roles import ROLES
from workspace.store.database import connect
from workspace.store.migrations import TooNew, bring_up
from workspace.timestamps import now

from .passwords import hashed

#: Names stand in addresses, links and logs: short, lower case, nothing that needs quoting.
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")

#: NIST SP 800-63B asks for eight at least; sign-in here is reachable from the internet.
SHORTEST_PASSWORD = 10
_LONGEST_PASSWORD = 1000


class AccountProblem(Exception):
    """What cannot be done with an account, and why, in words for the command line."""


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    roles: tuple[str, ...]
    created_at: int


def add(database: Path, name: str, password: str, roles: Iterable[str] = ("agent",)) -> None:
    """A new account; raises AccountProblem for a taken or impossible name, a weak password, an unknown role."""
    if not _NAME.fullmatch(name):
        raise AccountProblem(
            f"{name!r} cannot be a name: use up to 64 of a-z, 0-9, dot, dash, underscore and @"
        )
    row = (name, _hashed(password), _roles(roles), now())
    with _changing(database) as db:
        added = db.execute("INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
        if not added.rowcount:
            raise AccountProblem(f"there is an account {name!r} already")


def set_password(database: Path, name: str, password: str) -> None:
    """Change a password; whoever is signed in with the old one is signed out."""
    kept = _hashed(password)
    with _changing(database) as db:
        _known(db.execute("UPDATE accounts SET password = ? WHERE name = ?", (kept, name)), name)
        db.execute("DELETE FROM sessions WHERE agent = ?", (name,))


def set_roles(database: Path, name: str, roles: Iterable[str]) -> None:
    with _changing(database) as db:
        row = (_roles(roles), name)
        _known(db.execute("UPDATE accounts SET roles = ? WHERE name = ?", row), name)


def remove(database: Path, name: str) -> None:
    """Remove an account and sign it out at once. What it wrote and who was assigned stays as it is."""
    with _changing(database) as db:
        _known(db.execute("DELETE FROM accounts WHERE name = ?", (name,)), name)
        db.execute("DELETE FROM sessions WHERE agent = ?", (name,))


def listed(database: Path) -> tuple[Account, ...]:
    with _changing(database) as db:
        return everybody(db)


def everybody(db: sqlite3.Connection) -> tuple[Account, ...]:
    rows = db.execute("SELECT name, roles, created_at FROM accounts ORDER BY name")
    return tuple(Account(row["name"], _split(row["roles"]), row["created_at"]) for row in rows)


def roles_of(db: sqlite3.Connection, name: str) -> tuple[str, ...] | None:
    row = db.execute("SELECT roles FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if row is None else _split(row["roles"])


def password_of(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT password FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["password"])


@contextmanager
def _changing(database: Path) -> Iterator[sqlite3.Connection]:
    database.parent.mkdir(parents=True, exist_ok=True)
    db = connect(database)
    try:
        try:
            bring_up(db)
        except TooNew as trouble:
            raise AccountProblem(str(trouble)) from trouble
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
    finally:
        db.close()


def _known(changed: sqlite3.Cursor, name: str) -> None:
    if not changed.rowcount:
        raise AccountProblem(f"there is no account {name!r}")


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise AccountProblem(f"a password needs at least {SHORTEST_PASSWORD} characters")
    return hashed(password)


def _roles(roles: Iterable[str]) -> str:
    wanted = tuple(dict.fromkeys(roles))
    for role in wanted or ("",):
        if role not in ROLES:
            raise AccountProblem(f"{role!r} is no role: use {', '.join(ROLES)}")
    return ",".join(wanted)


def _split(roles: str) -> tuple[str, ...]:
    return tuple(roles.split(","))
