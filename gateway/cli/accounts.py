"""`airlock accounts`: manages the accounts of the built-in workspace."""

import getpass
import sys

from gateway.journal import keep_new_files_private, private_folder
from gateway.observability.system_errors import CannotStart, about_data_folder
from gateway.settings import Settings
from workspace.auth import accounts as workspace_accounts


def accounts(settings: Settings, action: str, name: str | None, roles: list[str]) -> int:
    """Add, change, remove or list accounts. Exit status 1 if that fails, 2 if the name is missing."""
    keep_new_files_private()
    database = settings.gateway.data / "workspace.db"
    if action != "list" and not name:
        print(f"airlock accounts {action}: give the name of the account", file=sys.stderr)
        return 2
    try:
        with about_data_folder(settings.gateway.data):
            private_folder(settings.gateway.data)
        match action:
            case "add":
                workspace_accounts.add(database, name or "", _password(), roles or ["agent"])
            case "password":
                workspace_accounts.set_password(database, name or "", _password())
            case "roles":
                workspace_accounts.set_roles(database, name or "", roles)
            case "remove":
                workspace_accounts.remove(database, name or "")
            case _:
                for account in workspace_accounts.listed(database):
                    print(f"{account.name}  {', '.join(account.roles)}")
    except (workspace_accounts.AccountProblem, CannotStart) as exc:
        print(f"airlock accounts: {exc}", file=sys.stderr)
        return 1
    return 0


def _password() -> str:
    """Ask for the password on a terminal without echo; otherwise read one line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Repeat the password: "):
        raise workspace_accounts.AccountProblem("the two passwords differ; nothing was changed")
    return first
