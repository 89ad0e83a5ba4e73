"""What `airlock check` finds out about this machine: the data folder, its disk, and the address to listen on."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import aiohttp

from gateway.http.listening import listen
from gateway.inbound.capacity import DISK_RESERVE
from gateway.journal import exposure
from gateway.observability.system_errors import CannotStart, folder_error
from gateway.settings import Address
from gateway.upkeep.data_lock import is_claimed

#: Free bytes below which a gateway should not be started: a busy day would use up the reserve.
_SCARCE = 2_000_000_000
_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Finding(NamedTuple):
    """A line of `airlock check`. A failed one makes the exit status 1."""

    state: Literal["ok", "note", "failed"]
    words: str

    def __str__(self) -> str:
        return f"note: {self.words}" if self.state == "note" else self.words


def data_folder(folder: Path) -> Iterator[Finding]:
    """Whether the folder can be written, or made, and how much room it has."""
    try:
        place = _existing(folder)
        _write_in(place)
    except OSError as exc:
        yield Finding("failed", f"gateway.data: {folder} cannot be used: {folder_error(exc)}")
        return
    used = ", used by a running Airlock" if place == folder and is_claimed(folder) else ""
    made = "" if place == folder else ", which does not exist yet and can be created"
    yield Finding("ok", f"data folder: ok, {folder}{made}{used}")
    others = exposure(folder) if place == folder else None
    if others is not None:
        remedy = f"chmod 700 {folder}, unless that is intended"
        yield Finding("note", f"gateway.data: {others} may open {folder}; {remedy}")
    yield _room(place)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    for place in (folder, *folder.resolve().parents):
        if place.exists() or place.is_symlink():
            if not place.is_dir():
                raise NotADirectoryError(20, os.strerror(20))
            return place
    raise FileNotFoundError(2, os.strerror(2))


def _write_in(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"0" * 4096)
        file.flush()
        os.fsync(file.fileno())


def _room(folder: Path) -> Finding:
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    needed = min(DISK_RESERVE, disk.f_blocks * disk.f_frsize // 8)
    shown = f"{free / 1e9:.1f} GB free"
    if free < needed:
        return Finding(
            "failed",
            f"gateway.data: {shown}, and deliveries are refused below {needed / 1e9:.2f} GB; free some space",
        )
    if free < _SCARCE:
        return Finding("note", f"gateway.data: only {shown}; files and waiting events need more")
    return Finding("ok", f"disk: ok, {shown}")


async def address(address: Address) -> Finding:
    """Whether the gateway could listen, or an Airlock does so already."""
    try:
        listen(address).close()
    except CannotStart as exc:
        if "another program is using the port" in str(exc) and await _is_airlock(address):
            return Finding("ok", f"address: ok, an Airlock listens on {address}")
        return Finding("failed", str(exc))
    return Finding("ok", f"address: ok, {address} is free")


async def _is_airlock(address: Address) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as http,
            http.get(f"http://{address}/healthz") as response,
        ):
            return await response.text() == "ok\n"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return False
