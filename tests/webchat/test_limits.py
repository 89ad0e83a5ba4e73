"""Limits of sessions and messages, and the work that many sessions cost."""

import hashlib
from pathlib import Path
from typing import Any

from webchat import Limits, Site, proof_of_work

from .gateway import FakeGateway
from .running import Answer, Clock, Server, running


async def begin(server: Server, **more: Any) -> Answer:
    body = {"site": "shop", "carry": "header", **more}
    headers = {"X-Forwarded-For": more.pop("address", "192.0.2.1")}
    return await server.call("POST", "/v1/sessions", headers=headers, json=body)


def solve(puzzle: dict[str, Any]) -> dict[str, str]:
    """Solve a puzzle as a client does, from its description alone."""
    nonce = 0
    while True:
        digest = hashlib.sha256(f"{puzzle['challenge']}{nonce}".encode()).digest()
        if bin(int.from_bytes(digest, "big") | 1 << 256)[3:].startswith("0" * puzzle["bits"]):
            return {"challenge": puzzle["challenge"], "nonce": str(nonce)}
        nonce += 1


async def test_sessions_above_half_of_the_limit_cost_work(
    tmp_path: Path, gateway: FakeGateway, clock: Clock, monkeypatch: Any
) -> None:
    monkeypatch.setattr(proof_of_work, "BITS", 6)
    sites = {"shop": Site(limits=Limits(sessions_an_hour_for_address=6))}
    async with running(tmp_path, gateway, clock, sites=sites, trusted_proxies=1) as server:
        assert [(await begin(server)).status for _ in range(3)] == [201] * 3
        refused = await begin(server)
        assert (refused.status, refused.code) == (428, "work_wanted")
        work = solve(refused.json["puzzle"])
        for wrong in (
            {**work, "nonce": work["nonce"] + "x"},
            {**work, "challenge": work["challenge"] + "x"},
            {**work, "challenge": "9999999999.x.y"},
        ):
            assert (await begin(server, work=wrong)).status == 428
        assert (await begin(server, work=work, address="198.51.100.1")).status == 201
        assert (await begin(server, work=work)).status == 201
        # A solution counts once, and expires.
        assert (await begin(server, work=work)).status == 428
        late = solve((await begin(server)).json["puzzle"])
        clock.forward(601)
        assert (await begin(server, work=late)).status == 428
        for _ in range(2):
            work = solve((await begin(server)).json["puzzle"])
            assert (await begin(server, work=work)).status == 201
        full = await begin(server, work=work)
        assert (full.status, full.code) == (429, "too_many")
        # Others of the same /24 wait too, other networks do not.
        assert (await begin(server, address="192.0.2.200")).status == 429
        assert (await begin(server, address="192.0.3.1")).status == 201
        clock.forward(3601)
        assert (await begin(server)).status == 201


async def test_a_forged_forwarded_address_changes_nothing(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    sites = {"shop": Site(limits=Limits(sessions_an_hour_for_address=2))}
    async with running(tmp_path, gateway, sites=sites) as server:
        statuses = [(await begin(server, address=f"203.0.{n}.1")).status for n in range(3)]
        assert statuses == [201, 428, 428]


async def test_messages_of_a_minute_are_limited(
    tmp_path: Path, gateway: FakeGateway, clock: Clock
) -> None:
    sites = {"shop": Site(limits=Limits(messages_a_minute=3))}
    async with running(tmp_path, gateway, clock, sites=sites) as server:
        mia = await server.consumer()
        statuses = [(await mia.write()).status for _ in range(5)]
        assert statuses == [201, 201, 201, 429, 429]
        assert len(await mia.messages()) == 3
        clock.forward(61)
        assert (await mia.write()).status == 201


async def test_counts_survive_a_restart(tmp_path: Path, gateway: FakeGateway, clock: Clock) -> None:
    sites = {"shop": Site(limits=Limits(messages_a_minute=1))}
    async with running(tmp_path, gateway, clock, sites=sites) as server:
        mia = await server.consumer()
        await mia.write()
    async with running(tmp_path, gateway, clock, sites=sites) as server:
        mia.server = server
        assert (await mia.write()).status == 429
