"""Arguments of `airlock events`."""

import argparse
from functools import partial
from typing import Any

from .people_arguments import Config, Load


def add(commands: Any, config: Config, load: Load) -> None:
    """Add the command about events that the core has taken."""
    text = "send events to the core again that it has taken"
    events = commands.add_parser("events", help=text, description=text)
    actions = events.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = (
        "send events again that the core has taken, with their old ids and in their old order, for example after the "
        "core was restored from a backup"
    )
    replay = actions.add_parser("replay", help=text, description=text)
    replay.add_argument(
        "--since",
        required=True,
        metavar="TIME",
        help="when the core last held everything, such as 2026-11-22T01:00:00Z",
    )
    replay.add_argument("--until", metavar="TIME", help="leave out events from after this time")
    replay.add_argument(
        "--conversation", metavar="ID", help="send the events of this conversation only"
    )
    config(replay)
    replay.set_defaults(run=partial(_run_replay, load))


def _run_replay(load: Load, arguments: argparse.Namespace) -> int:
    from .events import replay

    return replay(load(arguments), arguments.since, arguments.until, arguments.conversation)
