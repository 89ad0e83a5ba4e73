"""The bill of materials, and the check of the lock files against published advisories."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp.test_utils
import pytest
import pytest_asyncio
from aiohttp import web

from .pages import ROOT

LOCK = """\
acme==1.0 \\
    --hash=sha256:{one}
    # via airlock-messaging (pyproject.toml)
acme-decoder==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:{two} \\
    --hash=sha256:{one}
    # via
    #   acme
    #   airlock-messaging (pyproject.toml)
acme-decoder==3.0 ; python_full_version >= '3.12' \\
    --hash=sha256:{two}
    # via acme
""".format(one="1" * 64, two="2" * 64)


@dataclass
class Database:
    """A copy of the OSV database's API with the advisories that a test gives it."""

    url: str = ""
    #: Ids of advisories by package URL, page by page.
    pages: dict[str, list[list[str]]] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    answer: Any = None

    async def batch(self, request: web.Request) -> web.Response:
        if self.answer is not None:
            return web.json_response(self.answer)
        queries = (await request.json())["queries"]
        return web.json_response({"results": [self._result(query) for query in queries]})

    def _result(self, query: dict[str, Any]) -> dict[str, Any]:
        at = int(query.get("page_token", 0))
        pages = self.pages.get(query["package"]["purl"], [[]])
        found: dict[str, Any] = {"vulns": [{"id": id} for id in pages[at]]} if pages[at] else {}
        return found | ({"next_page_token": str(at + 1)} if at + 1 < len(pages) else {})

    async def entry(self, request: web.Request) -> web.Response:
        return web.json_response(self.entries[request.match_info["id"]])


@pytest_asyncio.fixture
async def database() -> AsyncIterator[Database]:
    made = Database()
    app = web.Application()
    app.add_routes([web.post("/v1/querybatch", made.batch), web.get("/v1/vulns/{id}", made.entry)])
    async with aiohttp.test_utils.TestServer(app) as server:
        made.url = str(server.make_url("/")).rstrip("/")
        yield made


async def checked(tmp_path: Path, url: str, **environment: str) -> tuple[int, str]:
    """Run the check on a small lock file; return its exit status and what it prints."""
    lock = tmp_path / "small.lock"
    lock.write_text(LOCK)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "scripts" / "advisories.py"),
        str(lock),
        env={**os.environ, "ADVISORIES_DATABASE": url, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


def advisory(name: str, fixed: str, **more: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {"package": {"name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"summary": "It overflows", "affected": [affected], **more}


async def test_without_advisories_the_check_passes(database: Database, tmp_path: Path) -> None:
    status, out = await checked(tmp_path, database.url)

    assert (status, out) == (0, "3 packages: 0 advisories, and 0 accepted\n")


async def test_an_advisory_fails_with_its_names_and_remedy(
    database: Database, tmp_path: Path
) -> None:
    database.pages["pkg:pypi/acme-decoder@2.0"] = [["GHSA-1"], ["PYSEC-2"]]
    database.entries["GHSA-1"] = advisory("Acme_Decoder", "2.1", aliases=["CVE-2026-1"])
    database.entries["PYSEC-2"] = advisory("acme-decoder", "2.2", withdrawn="2026-01-01T00:00:00Z")

    status, out = await checked(tmp_path, database.url)

    assert status == 1
    assert out.splitlines() == [
        "acme-decoder 2.0: GHSA-1 CVE-2026-1: It overflows (fixed in 2.1)",
        "3 packages: 1 advisories, and 0 accepted",
    ]


@pytest.mark.parametrize(("environment", "status"), [({}, 0), ({"ADVISORIES": "required"}, 2)])
async def test_without_network_the_check_says_that_it_was_not_made(
    tmp_path: Path, environment: dict[str, str], status: int
) -> None:
    found, out = await checked(tmp_path, "http://127.0.0.1:1", **environment)

    assert found == status
    assert out.startswith("NOT CHECKED for advisories: http://127.0.0.1:1 cannot be reached")


@pytest.mark.parametrize("answer", [[], {}, {"results": [{}]}, "down for maintenance"])
async def test_an_unknown_answer_is_not_taken_for_no_advisory(
    database: Database, tmp_path: Path, answer: Any
) -> None:
    database.answer = answer

    status, out = await checked(tmp_path, database.url, ADVISORIES="required")

    assert status == 2
    assert out.startswith("NOT CHECKED")


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of the lock file, made twice to compare."""
    folder = tmp_path_factory.mktemp("sbom")
    for name in ("one.json", "two.json"):
        command = [sys.executable, str(ROOT / "scripts" / "sbom.py"), str(folder / name)]
        subprocess.run(command, check=True, capture_output=True)
    assert (folder / "one.json").read_bytes() == (folder / "two.json").read_bytes()
    made: dict[str, Any] = json.loads((folder / "one.json").read_text())
    return made


def test_the_bill_lists_every_locked_package_with_its_hashes(bill: dict[str, Any]) -> None:
    listed = {c["bom-ref"]: c for c in bill["components"] if c["purl"].startswith("pkg:pypi/")}
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [
        line.split(" ")[0].lower().replace("==", "@")
        for line in lines
        if "==" in line.split(" ")[0]
    ]

    assert sorted(listed) == sorted(f"pkg:pypi/{pin}" for pin in pins)
    assert all(component["hashes"] for component in listed.values())
    assert listed[next(ref for ref in listed if "hatchling" in ref)]["scope"] == "excluded"
    assert listed[next(ref for ref in listed if "urllib3" in ref)]["scope"] == "required"


def test_the_bill_names_the_codecs_inside_of_wheels(bill: dict[str, Any]) -> None:
    inside = {c["name"]: c["version"] for c in bill["components"] if "generic" in c["purl"]}

    assert {
        "ffmpeg",
        "libheif",
        "libde265",
        "libjpeg-turbo",
        "libwebp",
        "libavif",
        "libtiff",
    } <= set(inside)
    assert all(number[0].isdigit() for number in inside.values())


def test_the_bill_is_valid_as_a_graph(bill: dict[str, Any]) -> None:
    references = [component["bom-ref"] for component in bill["components"]]
    ours = bill["metadata"]["component"]["bom-ref"]
    depends = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert len(references) == len(set(references))
    assert set(depends) == {ours, *references}
    assert {other for others in depends.values() for other in others} <= set(references)
    assert any(ref.startswith("pkg:pypi/pillow@") for ref in depends[ours])
    assert bill["serialNumber"].startswith("urn:uuid:")
