"""A PostgreSQL server for benchmarks, with everything that makes it durable."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.servers import free_port

#: Debian keeps the server's programs out of the PATH.
_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Database:
    url: str
    #: The process that starts all others of the server.
    pid: int


@contextmanager
def postgresql() -> Iterator[Database]:
    """Run a server on a free port, its files beside those of the gateway, so that both use the same disk."""
    folder = Path(tempfile.mkdtemp(prefix="bench-postgresql-", dir=Path.cwd()))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(data, "postgres")
    port = free_port()
    try:
        _run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        _run(
            "pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-s", "-o", options, "start"
        )
        try:
            pid = int((data / "postmaster.pid").read_text().split("\n")[0])
            yield Database(f"postgresql://postgres@127.0.0.1:{port}/postgres", pid)
        finally:
            _run("pg_ctl", "-D", str(data), "-s", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(name: str, *arguments: str) -> None:
    """Run a program of PostgreSQL, which refuses to run as root."""
    found = sorted(_DEBIAN.glob(f"*/bin/{name}"), reverse=True)
    program = str(found[0]) if found else shutil.which(name)
    if program is None:
        raise FileNotFoundError(f"{name} is missing; install PostgreSQL")
    user = "postgres" if os.geteuid() == 0 else None
    group = pwd.getpwnam(user).pw_gid if user else None
    subprocess.run(
        [program, *arguments],
        check=True,
        user=user,
        group=group,
        stdout=subprocess.DEVNULL,
        cwd="/",
    )
