"""Errors of the operating system at the start: each names the setting, the cause and the remedy, without a traceback."""

import contextlib
import errno
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.http.control import open_control_socket
from gateway.http.web_channel import start_web_channel
from gateway.journal import JournalUnusable
from gateway.journal.sqlite import schema
from gateway.journal.sqlite.opening import opening
from gateway.observability.system_errors import CannotStart, about_data_folder, about_listening
from gateway.settings import GatewaySettings, Settings
from gateway.settings.webchat import WebchatSection

Occupied = contextlib.AbstractContextManager[object]


@pytest.fixture(autouse=True)
def _leave_the_process_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the log's configuration, the umask and the signals of the test process."""
    monkeypatch.setattr("gateway.cli.serve.configure", lambda *_, **__: None)
    before, on_hang_up = os.umask(0o022), signal.getsignal(signal.SIGHUP)
    yield
    os.umask(before)
    signal.signal(signal.SIGHUP, on_hang_up)


@pytest.fixture
def serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `airlock serve`, which must fail with status 1, and return what it prints."""

    def run(data: Path, listen: str = "127.0.0.1:0") -> str:
        path = tmp_path / "connectors.yaml"
        path.write_text(f"gateway: {{listen: '{listen}', data: '{data}'}}\n")
        assert main(["serve", "-c", str(path)]) == 1
        return capsys.readouterr().err.splitlines()[-1]

    return run


def _damaged(path: Path) -> Occupied:
    path.write_bytes(b"not a database" * 1000)
    return contextlib.nullcontext()


def _folder(path: Path) -> Occupied:
    path.mkdir()
    return contextlib.nullcontext()


def _other_program(path: Path) -> Occupied:
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {schema.VERSION}")
        other.execute("CREATE TABLE meta (key TEXT, value BLOB)")
        other.execute("CREATE TABLE intake (id INTEGER PRIMARY KEY, deliveries BLOB)")
    return contextlib.nullcontext()


def _newer(path: Path) -> Occupied:
    with contextlib.closing(sqlite3.connect(path)) as later:
        later.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    return contextlib.nullcontext()


def _locked(path: Path) -> Occupied:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("BEGIN EXCLUSIVE")
    return contextlib.closing(connection)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("prepare", "cause", "remedy"),
    [
        (_damaged, "it is damaged, or not a database", "restore a backup"),
        (_folder, "it is a folder", "move it away"),
        (_other_program, "its key is missing", "restore a backup"),
        (_newer, "was written by a newer Airlock", "upgrade Airlock, restore a backup"),
        (_locked, "another program has locked it", "close that program"),
    ],
)
def test_an_unusable_journal_stops_serve_with_cause_and_remedy(
    serve: Callable[..., str],
    tmp_path: Path,
    prepare: Callable[[Path], Occupied],
    cause: str,
    remedy: str,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with prepare(data / "journal.db"):
        line = serve(data)

    assert line.startswith("airlock serve: cannot start: gateway.data: ")
    assert cause in line
    assert remedy in line


def test_a_file_as_data_folder_stops_serve(serve: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for data in (tmp_path / "file", tmp_path / "file" / "below"):
        assert serve(data) == (
            f"airlock serve: cannot start: gateway.data: {data} cannot be used: "
            f"{'it' if data.is_file() else 'a part of the path'} is a file; set gateway.data to a folder"
        )


def test_a_used_port_stops_serve(serve: Callable[..., str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        line = serve(tmp_path / "data", listen)

    assert line == (
        f"airlock serve: cannot start: gateway.listen: cannot listen on {listen}: "
        "another program is using the port; stop it, or choose another port"
    )


def test_an_address_of_another_machine_stops_serve(
    serve: Callable[..., str], tmp_path: Path
) -> None:
    line = serve(tmp_path / "data", "192.0.2.1:8080")

    assert "gateway.listen: cannot listen on 192.0.2.1:8080" in line
    assert "does not have the address" in line


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "permission denied; let the user that runs Airlock"),
        (errno.EPERM, "permission denied; let the user that runs Airlock"),
        (errno.EROFS, "the file system is read-only; mount it writable"),
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk quota is used up; free some space"),
        (errno.EIO, "the disk fails; check the disk"),
        (errno.EMFILE, "too many files are open; raise the limit"),
        (errno.ENAMETOOLONG, "File name too long; correct the path"),
    ],
)
def test_an_error_about_the_data_folder_has_a_remedy(tmp_path: Path, code: int, words: str) -> None:
    with pytest.raises(CannotStart, match=f"gateway.data: .*{words}"), about_data_folder(tmp_path):
        raise OSError(code, os.strerror(code))
    path = tmp_path / "journal.db"
    with pytest.raises(JournalUnusable, match=f"gateway.data: .*{words}"), opening(path):
        raise OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EEXIST, "it is a file; move it away"),
        (errno.ENOTDIR, "it is a file; move it away"),
        (errno.EISDIR, "it is a folder; move it away"),
        (errno.EACCES, "permission denied; let the user"),
    ],
)
def test_an_error_about_something_in_the_data_folder_names_it(
    tmp_path: Path, code: int, words: str
) -> None:
    inside = tmp_path / "media"
    message = f"gateway.data: {inside} cannot be used: {words}"
    with pytest.raises(CannotStart, match=message), about_data_folder(tmp_path):
        raise OSError(code, os.strerror(code), str(inside))


def test_a_folder_in_place_of_the_socket_is_named(tmp_path: Path) -> None:
    (tmp_path / "airlock.sock").mkdir()
    message = r"airlock\.sock cannot be used: it is a folder; move it away"
    with pytest.raises(CannotStart, match=message), about_data_folder(tmp_path):
        open_control_socket(tmp_path)


async def test_a_damaged_file_of_the_web_channel_is_named(tmp_path: Path) -> None:
    section = WebchatSection.model_validate(
        {
            "listen": "127.0.0.1:0",
            "public_url": "https://chat.example.com",
            "deliver_to": "http://127.0.0.1:1/webhooks/web",
            "secrets": ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"],
            "access_tokens": ["a-token-of-the-gateway"],
            "sites": {"shop": {"origins": ["https://shop.example"]}},
        }
    )
    (tmp_path / "webchat").mkdir()
    _damaged(tmp_path / "webchat" / "webchat.db")
    settings = Settings(gateway=GatewaySettings(data=tmp_path))
    async with contextlib.AsyncExitStack() as stack:
        with pytest.raises(CannotStart, match=r"gateway\.data: .*webchat\.db is damaged"):
            await start_web_channel(section, settings, stack)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "a port below 1024"),
        (OSError(socket.EAI_NONAME, "not known"), "the name has no address; set"),
        (socket.gaierror(socket.EAI_NONAME, "not known"), "the name has no address; set"),
        (OSError(errno.EAFNOSUPPORT, "no IPv6"), "does not support the kind of address"),
    ],
)
def test_an_error_about_the_address_has_a_remedy(error: OSError, words: str) -> None:
    with pytest.raises(CannotStart, match=f"gateway.listen: .*{words}"), about_listening("x:1"):
        raise error


def test_a_full_disk_is_named_when_the_journal_opens(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with (
        contextlib.closing(sqlite3.connect(path)) as small,
        pytest.raises(JournalUnusable, match=r"journal\.db: the disk is full; free some space"),
        opening(path),
    ):
        small.execute("PRAGMA max_page_count = 2")
        small.execute("CREATE TABLE t (x)")
        small.execute("INSERT INTO t VALUES (zeroblob(100000))")


@pytest.mark.parametrize("prepare", [_damaged, _folder])
def test_accounts_name_what_is_wrong_with_their_file(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    prepare: Callable[[Path], Occupied],
) -> None:
    (tmp_path / "connectors.yaml").write_text("gateway: {data: data}\n")
    (tmp_path / "data").mkdir()
    prepare(tmp_path / "data" / "workspace.db")

    assert main(["accounts", "-c", str(tmp_path / "connectors.yaml")]) == 1
    line = capsys.readouterr().err
    assert line.startswith("airlock accounts: ")
    assert "workspace.db is " in line
    assert "move it away" in line


def test_accounts_need_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "connectors.yaml").write_text("gateway: {data: d, api_tokens: ['${NOT_SET}']}\n")
    assert main(["accounts", "-c", str(tmp_path / "connectors.yaml")]) == 0
    assert (tmp_path / "d").is_dir()


def test_accounts_name_a_data_folder_that_is_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "connectors.yaml").write_text("gateway: {data: data}\n")
    (tmp_path / "data").touch()

    assert main(["accounts", "-c", str(tmp_path / "connectors.yaml")]) == 1
    assert "gateway.data: " in capsys.readouterr().err
