"""A PostgreSQL server of the tests' own, started once for a session, with a schema for each journal."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

#: Debian keeps the server's programs out of the PATH.
_DEBIAN = Path("/usr/lib/postgresql")
#: Nothing that the tests keep has to outlive a power cut, except where that is what they test.
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "shared_buffers": "'64MB'",
    "unix_socket_directories": "''",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


class NoServer(AssertionError):
    """PostgreSQL is not installed."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url, autocommit=True)

    def schema(self, name: str) -> str:
        """Return the URL of a schema; it is made if it does not exist."""
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}".encode())
        return f"{self.url}?options={quote(f'-csearch_path={name}')}"

    @contextmanager
    def having(self, **settings: str) -> Iterator[None]:
        """Change settings of the server for a while."""
        self._alter(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items())
        try:
            yield
        finally:
            self._alter(f"ALTER SYSTEM RESET {name}" for name in settings)

    def _alter(self, statements: Iterable[str]) -> None:
        before = self._loaded_at()
        with self.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute("SELECT pg_reload_conf()")
        while self._loaded_at() == before:
            time.sleep(0.01)

    def _loaded_at(self) -> object:
        """Return when the server read its settings, as a new session sees it."""
        with self.connect() as connection:
            row = connection.execute("SELECT pg_conf_load_time()").fetchone()
            assert row is not None
            return row[0]

    def stop(self, mode: str) -> None:
        self._control("stop", "-m", mode)

    def start(self) -> None:
        self._control("start")

    def _control(self, *arguments: str) -> None:
        log = self.folder / "log"
        data = str(self.folder / "data")
        run(binary("pg_ctl"), "-D", data, "-l", str(log), "-w", "-s", *arguments)


@contextmanager
def server(settings: Mapping[str, str] = _FAST) -> Iterator[Server]:
    """Make a cluster and run its server until the end."""
    folder = Path(tempfile.mkdtemp(prefix="airlock-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        run(
            *(binary("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"),
            *("-N", "-E", "UTF8", "--locale=C"),
        )
        port = _free_port()
        lines = {**_SETTINGS, **settings, "port": str(port)}
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in lines.items())
        # The nodes of tests/cluster come from addresses of their own.
        with (data / "pg_hba.conf").open("a") as file:
            file.write("host all all 127.0.0.0/8 trust\n")
        running = Server(folder, port)
        running.start()
        try:
            yield running
        finally:
            running.stop("immediate")
    finally:
        shutil.rmtree(folder)


def binary(name: str) -> str:
    found = sorted(_DEBIAN.glob(f"*/bin/{name}"), reverse=True)
    path = str(found[0]) if found else shutil.which(name)
    if path is None:
        raise NoServer(f"{name} is missing: install PostgreSQL (scripts/system-packages.sh)")
    return path


def run(*command: str) -> None:
    """Run a program of PostgreSQL, which refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    group = pwd.getpwnam(user).pw_gid if user else None
    subprocess.run(
        command, check=True, user=user, group=group, stdout=subprocess.DEVNULL, cwd="/", timeout=60
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
