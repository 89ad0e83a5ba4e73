"""The `airlock` command: parses the arguments and calls the subcommand's module.

Exit status: 0 success, 1 failure, 2 wrong usage or invalid settings.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

from gateway.settings import (
    ConfigError,
    GatewaySettings,
    Settings,
    data_folder,
    exposed_files,
    load,
    read_environment,
)

from . import event_arguments, people_arguments

DISTRIBUTION = "airlock-messaging"
#: As in `gateway.http.control`, whose import takes long.
SOCKET = "airlock.sock"


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of our output has closed it; flushing the rest must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def settings(arguments: argparse.Namespace) -> Settings:
    """Load the settings file given with -c; variables of --env-file come before those of the shell."""
    variables = read_environment(arguments.env_file) if arguments.env_file else {}
    # Credentials for S3 are not settings: the client reads them from the environment of the process.
    os.environ.update({name: text for name, text in variables.items() if name.startswith("AWS_")})
    return load(arguments.config, {**os.environ, **variables})


def _settings_for_calls(arguments: argparse.Namespace, *, calls: bool = True) -> Settings:
    """Load the settings without the secrets, for a command that needs the folder alone, or `calls` the socket in it."""
    try:
        return settings(arguments)
    except ConfigError:
        folder = data_folder(arguments.config, os.environ)
        if folder is None or (calls and not (folder / SOCKET).exists()):
            raise
        return Settings(gateway=GatewaySettings(data=folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airlock",
        description="Airlock receives consumers' messages, photos and videos from messaging platforms, makes the "
        "files safe, and delivers everything to your conversation core.",
    )
    parser.add_argument("--version", action="version", version=f"airlock {version(DISTRIBUTION)}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _demo(commands)
    _serve(commands)
    _chat(commands)
    _check(commands)
    _capabilities(commands)
    _failures(commands)
    _replay(commands)
    _nodes(commands)
    _backup(commands)
    people_arguments.add(commands, _config, _settings_for_calls)
    event_arguments.add(commands, _config, _settings_for_calls)
    _accounts(commands)
    _journal(commands)
    _simulate(commands)
    _schema(commands)
    _connector(commands)
    return parser


Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse gives this type no public name


def _demo(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "try Airlock on this machine without any account: emulated platforms send photos, videos and voice messages"
    demo = commands.add_parser("demo", help=text, description=text)
    demo.add_argument(
        "--seconds",
        type=float,
        help="stop after this time; exit status 0 only if every file arrived ready",
    )
    demo.add_argument(
        "--port", type=int, default=8080, help="port of the workspace (default: 8080)"
    )
    demo.add_argument(
        "--journal",
        default="sqlite",
        metavar="URL",
        help="keep the journal in this PostgreSQL database, in a schema that is removed at the end",
    )
    demo.set_defaults(run=_run_demo)


def _serve(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "run the gateway until it is stopped (SIGTERM or Ctrl-C)"
    serve = commands.add_parser("serve", help=text, description=text)
    _config(serve)
    serve.set_defaults(run=_run_serve)


def _chat(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "run the web channel's server alone, without the gateway"
    chat = commands.add_parser("chat", help=text, description=text)
    _config(chat)
    chat.set_defaults(run=_run_chat)


def _check(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "check the settings, the decoders, the scanner, and each connector's credentials"
    check = commands.add_parser("check", help=text, description=text)
    _config(check)
    check.set_defaults(run=_run_check)


def _capabilities(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "show which features each platform supports"
    capabilities = commands.add_parser("capabilities", help=text, description=text)
    capabilities.set_defaults(run=_run_capabilities)


def _failures(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "list, show or retry what a running gateway could not parse, fetch or deliver"
    failures = commands.add_parser("failures", help=text, description=text)
    actions = ["list", "show", "retry"]
    failures.add_argument(
        "action", nargs="?", choices=actions, default="list", help="default: list"
    )
    failures.add_argument(
        "ids", nargs="*", metavar="ID", help="ids of failures, or `all` with retry"
    )
    _config(failures)
    failures.set_defaults(run=_run_failures)


def _replay(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "parse again every delivery that could not be parsed, for example after an upgrade"
    replay = commands.add_parser("replay", help=text, description=text)
    _config(replay)
    replay.set_defaults(run=_run_replay)


def _nodes(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "list the nodes that share a PostgreSQL journal, with their shards and what waits there"
    nodes = commands.add_parser("nodes", help=text, description=text)
    _config(nodes)
    nodes.set_defaults(run=_run_nodes)


def _backup(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "copy everything that Airlock stores into a folder, also while it is running"
    backup = commands.add_parser("backup", help=text, description=text)
    backup.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="a new or empty folder, or one with an earlier backup, which is brought up to date",
    )
    _config(backup)
    backup.set_defaults(run=_run_backup)


def _accounts(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "manage the accounts of the built-in workspace"
    accounts = commands.add_parser("accounts", help=text, description=text)
    actions = ["list", "add", "password", "roles", "remove"]
    accounts.add_argument(
        "action", nargs="?", choices=actions, default="list", help="default: list"
    )
    accounts.add_argument("name", nargs="?", metavar="NAME", help="the account's name")
    accounts.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="ROLE",
        help="agent (default), supervisor or operator; repeat the option for several roles",
    )
    _config(accounts)
    accounts.set_defaults(run=_run_accounts)


def _journal(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "move the journal from SQLite to PostgreSQL, or back, while Airlock is stopped"
    journal = commands.add_parser("journal", help=text, description=text)
    actions = journal.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = "copy the journal of gateway.data into the empty database of gateway.journal, and compare every row"
    move = actions.add_parser("move", help=text, description=text)
    move.add_argument(
        "--back", action="store_true", help="from the database into gateway.data instead"
    )
    _config(move)
    move.set_defaults(run=_run_journal_move)


def _simulate(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "send a signed test message to a running gateway, as the platform would"
    simulate = commands.add_parser("simulate", help=text, description=text)
    simulate.add_argument("platform", help="a connector's name in the settings, or its type")
    simulate.add_argument("--photo", type=Path, metavar="FILE", help="send this photo")
    simulate.add_argument("--video", type=Path, metavar="FILE", help="send this video")
    simulate.add_argument("--document", type=Path, metavar="FILE", help="send this document")
    simulate.add_argument(
        "--audio", type=Path, metavar="FILE", help="send this voice message or other sound"
    )
    simulate.add_argument(
        "--text", metavar="TEXT", help="send this text; with a file it is the caption"
    )
    simulate.add_argument(
        "--example",
        metavar="NAME",
        help="send an example instead, such as a form's answers, a call or a failed text",
    )
    simulate.add_argument(
        "--recording",
        type=Path,
        metavar="FILE",
        help="post this recording of a connector's tests instead, signed by its test class",
    )
    simulate.add_argument(
        "--examples", action="store_true", help="list the examples of this platform"
    )
    _config(simulate)
    simulate.set_defaults(run=_run_simulate)


def _schema(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "print the JSON Schema of connectors.yaml (settings) or of the events"
    schema = commands.add_parser("schema", help=text, description=text)
    schema.add_argument("of", nargs="?", choices=["settings", "events"], default="settings")
    schema.set_defaults(run=_run_schema)


def _connector(commands: "Commands[argparse.ArgumentParser]") -> None:
    text = "create a connector for another platform"
    connector = commands.add_parser("connector", help=text, description=text)
    actions = connector.add_subparsers(dest="action", required=True, metavar="ACTION")
    text = "create a plugin package that already passes the conformance kit, as a starting point"
    new = actions.add_parser("new", help=text, description=text)
    new.add_argument(
        "name", metavar="NAME", help="the connector's type in connectors.yaml, such as acme-chat"
    )
    new.add_argument(
        "--into",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where to create the package's folder (default: here)",
    )
    new.set_defaults(run=_run_connector_new)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        default=Path("connectors.yaml"),
        help="settings file (default: connectors.yaml)",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="file with environment variables for the settings, one NAME=value on each line",
    )


# Each command imports only what it needs, so that `airlock --version` and settings errors appear quickly.


def _run_demo(arguments: argparse.Namespace) -> int:
    from .demo import demo

    return demo(arguments.seconds, arguments.port, arguments.journal)


def _run_serve(arguments: argparse.Namespace) -> int:
    from .serve import serve

    return serve(partial(settings, arguments))


def _run_chat(arguments: argparse.Namespace) -> int:
    from .chat import chat

    return chat(settings(arguments))


def _run_check(arguments: argparse.Namespace) -> int:
    from .check import check

    found = settings(arguments)
    return check(found, exposed_files(arguments.config, os.environ, arguments.env_file))


def _run_capabilities(arguments: argparse.Namespace) -> int:
    from gateway.settings.plugins import Unusable

    from .capabilities import capabilities

    del arguments
    try:
        return capabilities()
    except Unusable as exc:
        print(f"airlock capabilities: {exc}", file=sys.stderr)
        return 1


def _run_failures(arguments: argparse.Namespace) -> int:
    from .failures import failures

    return failures(_settings_for_calls(arguments), arguments.action, arguments.ids)


def _run_replay(arguments: argparse.Namespace) -> int:
    from .failures import replay

    return replay(_settings_for_calls(arguments))


def _run_nodes(arguments: argparse.Namespace) -> int:
    from .nodes import nodes

    return nodes(settings(arguments))


def _run_backup(arguments: argparse.Namespace) -> int:
    from .backup import backup

    return backup(settings(arguments), arguments.folder)


def _run_accounts(arguments: argparse.Namespace) -> int:
    from .accounts import accounts

    found = _settings_for_calls(arguments, calls=False)
    return accounts(found, arguments.action, arguments.name, arguments.role)


def _run_journal_move(arguments: argparse.Namespace) -> int:
    from .journal import move

    return move(settings(arguments), back=arguments.back)


def _run_simulate(arguments: argparse.Namespace) -> int:
    from .simulate import Content, list_examples, simulate

    if arguments.examples:
        return list_examples(settings(arguments), arguments.platform)
    if arguments.recording is not None:
        from .simulate_recording import simulate_recording

        return simulate_recording(settings(arguments), arguments.platform, arguments.recording)
    content = Content(
        arguments.text,
        arguments.photo,
        arguments.video,
        arguments.audio,
        arguments.document,
        arguments.example,
    )
    return simulate(settings(arguments), arguments.platform, content)


def _run_connector_new(arguments: argparse.Namespace) -> int:
    from .connector import new

    return new(arguments.name, arguments.into)


def _run_schema(arguments: argparse.Namespace) -> int:
    from .schema import print_event_schemas, print_schema

    (print_event_schemas if arguments.of == "events" else print_schema)()
    return 0
