"""Accounts, as the command line manages them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workspace.auth import accounts
from workspace.auth.accounts import AccountProblem


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "new" / "workspace.sqlite3"


def test_account_is_added_listed_and_removed(database: Path) -> None:
    accounts.add(database, "anna", "a long password", ("supervisor", "operator"))
    accounts.add(database, "bob", "another password")
    listed = accounts.listed(database)
    assert [(a.name, a.roles) for a in listed] == [
        ("anna", ("supervisor", "operator")),
        ("bob", ("agent",)),
    ]
    accounts.set_roles(database, "bob", ["operator"])
    accounts.remove(database, "anna")
    assert [(a.name, a.roles) for a in accounts.listed(database)] == [("bob", ("operator",))]


@pytest.mark.parametrize(
    ("name", "password", "roles", "reason"),
    [
        ("", "a long password", ["agent"], "cannot be an account name"),
        ("Anna", "a long password", ["agent"], "cannot be an account name"),
        ("a b", "a long password", ["agent"], "cannot be an account name"),
        ("../x", "a long password", ["agent"], "cannot be an account name"),
        ("x" * 65, "a long password", ["agent"], "cannot be an account name"),
        ("anna", "short", ["agent"], "at least 10 and at most 1000 characters"),
        ("anna", "a long password", ["boss"], "'boss' is not a role"),
        ("anna", "a long password", [], "is not a role"),
    ],
)
def test_invalid_account_is_refused_with_a_reason(
    database: Path, name: str, password: str, roles: list[str], reason: str
) -> None:
    with pytest.raises(AccountProblem, match=reason):
        accounts.add(database, name, password, roles)


def test_names_are_unique_and_changes_need_an_existing_account(database: Path) -> None:
    accounts.add(database, "anna", "a long password")
    with pytest.raises(AccountProblem, match="already"):
        accounts.add(database, "anna", "a long password")
    with pytest.raises(AccountProblem, match="no account is named 'bob'"):
        accounts.remove(database, "bob")
    with pytest.raises(AccountProblem, match="no account is named 'bob'"):
        accounts.set_password(database, "bob", "a long password")
    with pytest.raises(AccountProblem, match="no account is named 'bob'"):
        accounts.set_roles(database, "bob", ["agent"])


def test_password_is_stored_as_a_salted_hash(database: Path) -> None:
    accounts.add(database, "anna", "a long password")
    accounts.add(database, "bob", "a long password")
    with closing(sqlite3.connect(database)) as db:
        one, two = (row[0] for row in db.execute("SELECT password FROM accounts"))
    assert one != two
    assert one.startswith("scrypt$15$8$3$")
    assert b"a long password" not in database.read_bytes()
