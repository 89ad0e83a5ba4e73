"""A process that makes many downloads at once and prints its peak memory."""

import asyncio
import os
import re
import sys
from pathlib import Path

import uvloop

from connectors import Call, Download
from gateway.fetching import Fetcher

from .fetching_fakes import fake_platform


async def download_many(url: str, count: int) -> int:
    fetcher = Fetcher(allow_private_hosts=True, extra_hosts=(), at_one_host=count)
    into = os.open(os.devnull, os.O_WRONLY)
    download = Download(Call("GET", url))
    fetched = await asyncio.gather(
        *[fetcher.download(fake_platform(url), download, into, 25_000_000) for _ in range(count)]
    )
    await fetcher.aclose()
    os.close(into)
    return sum(file.size for file in fetched)


def peak_memory() -> int:
    """Return the peak memory in bytes. Unlike `ru_maxrss`, it does not include that of the parent process."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


if __name__ == "__main__":
    run = {"asyncio": asyncio.run, "uvloop": uvloop.run}[sys.argv[1]]
    total = run(download_many(sys.argv[2], int(sys.argv[3])))
    print(total, peak_memory())  # noqa: T201 - the result
