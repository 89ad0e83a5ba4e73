"""A real S3 server for tests, SeaweedFS, started once for a session, and buckets in it."""

import asyncio
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.settings.media_store import Bucket, bucket_of

if TYPE_CHECKING:
    from gateway.media.storage.s3 import S3Bucket

#: One bucket for all tests, each with a prefix of its own: the server keeps space for each bucket.
BUCKET = "airlock-tests"
KEY, SECRET = "airlock-tests", "hunter2-of-the-bucket"
#: May store and read, but neither list nor delete.
LIMITED_KEY, LIMITED_SECRET = "airlock-limited", "hunter2-of-the-limited"
_IDENTITIES = {
    "identities": [
        {
            "name": "airlock",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List"],
        },
        {
            "name": "limited",
            "credentials": [{"accessKey": LIMITED_KEY, "secretKey": LIMITED_SECRET}],
            "actions": ["Read"],
        },
    ]
}


@dataclass(frozen=True)
class S3Server:
    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def setting(self, prefix: str) -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={self.endpoint}&region=us-east-1"

    def make_bucket(self) -> None:
        urllib.request.urlopen(_signed("PUT", self, f"/{BUCKET}"), timeout=10).close()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    folder = tmp_path_factory.mktemp("s3")
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES))
    master, volume, filer, port = _free_ports(4)
    program = shutil.which("weed", path=_path())
    assert program is not None, "the development packages contain weed; run make install-dev"
    process = subprocess.Popen(
        [
            program,
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            "-filer",
            f"-filer.port={filer}",
            "-s3",
            f"-s3.port={port}",
            f"-s3.config={folder / 's3.json'}",
            "-volume.max=8",
            "-master.volumeSizeLimitMB=1024",
            "-master.telemetry=false",
            # Fixed ports by default, so that a second server would not start.
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    server = S3Server(process, port)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def bucket_setting(
    s3_server: S3Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The setting `gateway.media` for an empty folder of the bucket; its credentials are in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return s3_server.setting(f"t{abs(hash(request.node.nodeid)):x}")


@pytest.fixture
def bucket(bucket_setting: str) -> Bucket:
    found = bucket_of(bucket_setting)
    assert found is not None
    return found


@pytest.fixture
def opened(bucket: Bucket) -> "S3Bucket":
    from gateway.media.storage.s3 import S3Bucket  # needs an extra, which not all tests have

    return S3Bucket(bucket)


def _path() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def _free_ports(count: int) -> list[int]:
    """Ports whose number plus 10,000 is free, too: each server of SeaweedFS also listens there."""
    ports: list[int] = []
    for port in range(11_000 + os.getpid() % 400 * 20, 22_000):
        if len(ports) == count:
            break
        try:
            with (
                socket.create_server(("127.0.0.1", port)),
                socket.create_server(("127.0.0.1", port + 10_000)),
            ):
                ports.append(port)
        except OSError:
            continue
    return ports


def _wait_until_ready(server: S3Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.process.poll() is None, "weed server has ended"
        try:
            server.make_bucket()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("weed server is not ready after a minute")


def _signed(method: str, server: S3Server, path: str) -> urllib.request.Request:
    """Return a request without a body, with signature version 4: the client of the gateway makes no buckets."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": f"127.0.0.1:{server.port}",
        "x-amz-content-sha256": empty,
        "x-amz-date": now,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    asked = hashlib.sha256(f"{method}\n{path}\n\n{lines}\n{names}\n{empty}".encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{asked}".encode(), "sha256")
    proof = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature.hexdigest()}"
    return urllib.request.Request(
        f"{server.endpoint}{path}", method=method, headers={**headers, "authorization": proof}
    )


class Gate:
    """A way to the server that can be closed: connections to it are then refused, and open ones are cut."""

    def __init__(self, server: S3Server) -> None:
        self._to = server.port
        self.port = _free_ports(1)[0]
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, onward}
        try:
            await asyncio.gather(_copy(reader, onward), _copy(there, writer))
        finally:
            self._writers -= {writer, onward}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
