"""Arguments of `airlock lookup` and `airlock people`."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gateway.settings import Settings

#: Adds the options that every command with settings has.
Config = Callable[[argparse.ArgumentParser], None]
Load = Callable[[argparse.Namespace], Settings]


def add(commands: Any, config: Config, load: Load) -> None:
    """Add the commands about persons and their messages."""
    _lookup(commands, config, load)
    _people(commands, config, load)


def _lookup(commands: Any, config: Config, load: Load) -> None:
    text = "find what became of a message by the platform's id of it: whether it came, when, and where it is now"
    lookup = commands.add_parser("lookup", help=text, description=text)
    lookup.add_argument("id", metavar="ID", help="the platform's id of the message")
    lookup.add_argument("--connector", metavar="NAME", help="look at this connector only")
    config(lookup)
    lookup.set_defaults(run=partial(_run_lookup, load))


def _people(commands: Any, config: Config, load: Load) -> None:
    text = "find, export or erase everything about a person"
    people = commands.add_parser("people", help=text, description=text)
    actions = ["list", "find", "export", "erase", "receipt"]
    people.add_argument("action", nargs="?", choices=actions, default="list", help="default: list")
    people.add_argument(
        "who", nargs="?", metavar="ID", help="any id of the person, or the id of an erasure"
    )
    people.add_argument(
        "folder", nargs="?", type=Path, metavar="DIR", help="where to write an export"
    )
    people.add_argument("--connector", metavar="NAME", help="at this connector only")
    people.add_argument("--yes", action="store_true", help="erase without asking")
    config(people)
    people.set_defaults(run=partial(_run_people, load))


def _run_lookup(load: Load, arguments: argparse.Namespace) -> int:
    from .people import lookup

    return lookup(load(arguments), arguments.id, arguments.connector)


def _run_people(load: Load, arguments: argparse.Namespace) -> int:
    from .people import people

    return people(
        load(arguments),
        arguments.action,
        arguments.who,
        arguments.folder,
        arguments.connector,
        yes=arguments.yes,
    )
