"""Fakes for tests of fetching: a minimal platform, real servers on loopback, a resolver, and a network."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import httpcore
import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors import AnyEvent, Capabilities, Connector, ConnectorConfig, Delivery, Request
from gateway.fetching import Deadlines, Fetcher

#: Short enough for tests, long enough for a busy machine.
QUICK = Deadlines(connect=5, first_byte=5, idle=5, reply=10, download=20)

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
PUBLIC = "93.184.216.34"

TOKEN = {"authorization": "Bearer token-of-tests"}


class FakePlatform(Connector[ConnectorConfig]):
    """A platform whose API requires a bearer token."""

    name, label, docs = "post", "FakePlatform", "https://post.example/docs"
    hosts = frozenset({"files.post.example"})
    media_hosts = frozenset({"cdn.post.example", ".media.example"})
    capabilities = Capabilities({})
    Config: ClassVar[type[ConnectorConfig]] = ConnectorConfig

    def verify(self, request: Request) -> None:
        raise NotImplementedError

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        raise NotImplementedError

    def authorize(self, now: datetime) -> Mapping[str, str]:
        return {**TOKEN, "x-now": now.isoformat()}


def fake_platform(api_url: str = "https://api.post.example/v1") -> FakePlatform:
    return FakePlatform(ConnectorConfig.model_validate({"api_url": api_url}))


# servers ----------------------------------------------------------------------------------------


@dataclass
class ReceivedRequest:
    """A request as the server received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[ReceivedRequest, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    port: int
    requests: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Run a server that records each request and then runs `behaviour`."""
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]  # there is one
        server.connections += 1
        try:
            while True:
                received = await _read(reader)
                server.requests.append(received)
                await behaviour(received, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _read(reader: asyncio.StreamReader) -> ReceivedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(method, target, headers, body)


def http_response(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """Return a complete response. Keyword arguments are headers, such as `content_type`; empty ones are left out."""
    lines = {"content_length": str(len(body)), **headers}
    head = "".join(
        f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items() if value
    )
    return f"HTTP/1.1 {status} Test\r\n{head}\r\n".encode() + body


def answers_with(*answers: bytes) -> Behaviour:
    """Send each response once, and the last one for every further request."""
    rest = list(answers)

    async def behaviour(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(rest.pop(0) if len(rest) > 1 else rest[0])

    return behaviour


def cuts_off_after(start: bytes) -> Behaviour:
    """Send the start of a response and close the connection."""

    async def behaviour(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await writer.drain()
        writer.close()

    return behaviour


async def hangs(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


def free_port() -> int:
    """Return a port on which no server listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# the fetcher and its surroundings -----------------------------------------------------------------


@asynccontextmanager
async def fetching(**options: Any) -> AsyncIterator[Fetcher]:
    settings: dict[str, Any] = {
        "allow_private_hosts": True,
        "extra_hosts": (),
        "deadlines": QUICK,
        "clock": lambda: NOW,
        "tls": _public_tls(),
    }
    fetcher = Fetcher(**{**settings, **options})
    try:
        yield fetcher
    finally:
        await fetcher.aclose()


@cache
def _public_tls() -> ssl.SSLContext:
    """Return the default context of a Fetcher, made once: loading all certificate authorities takes 30 ms."""
    return httpx.create_ssl_context()


class FakeResolver:
    """A resolver with fixed addresses; if a name has a list of answers, each look-up takes the next one."""

    def __init__(self, **addresses: tuple[str, ...] | list[tuple[str, ...]]) -> None:
        self._addresses = {name.replace("_", "."): answers for name, answers in addresses.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del port
        self.asked.append(host)
        found = self._addresses.get(host)
        if found is None:
            raise OSError(-2, "Name or service not known")
        return found.pop(0) if isinstance(found, list) else found


class FakeNetwork(httpcore.AsyncNetworkBackend):
    """Records the addresses that were dialled, and connects to local ports instead."""

    def __init__(self, *ports: int, dead: Sequence[str] = ()) -> None:
        self._ports = list(ports)
        self._dead = dead
        self.dialled: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        del local_address, socket_options
        self.dialled.append((host, port))
        if host in self._dead:
            raise httpcore.ConnectError("dead")
        target = self._ports.pop(0) if len(self._ports) > 1 else self._ports[0]
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", target, timeout=timeout)


@contextmanager
def scratch_descriptor() -> Iterator[int]:
    """Yield a descriptor to download into."""
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


def content_of(into: int) -> bytes:
    import os

    return os.pread(into, os.fstat(into).st_size, 0)


@dataclass(frozen=True)
class Certificates:
    server: ssl.SSLContext
    client: ssl.SSLContext


def certificates(directory: Path, *names: str) -> Certificates:
    """Return a self-signed certificate for `names`, and a client that trusts only this one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stage")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "stage.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return Certificates(server, ssl.create_default_context(cafile=str(file)))
