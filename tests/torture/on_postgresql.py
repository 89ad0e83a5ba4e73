"""The same promises with the journal in PostgreSQL, which is killed as well: `make torture` runs this."""

import asyncio
from pathlib import Path

import pytest

from gateway.fault_points import STEPS
from tests.postgresql import Server

from .seeds import LONG, SECONDS, SEEDS
from .torture import Torture

pytestmark = pytest.mark.system

#: Reached only when something expires, or only with SQLite.
_OTHERS = frozenset({"after-expire", "after-forget", "before-checkpoint", "after-checkpoint"})


@pytest.mark.parametrize("seed", SEEDS)
async def test_acknowledged_messages_survive_kills_of_gateway_and_database(
    tmp_path: Path, postgresql: Server, seed: int
) -> None:
    points = [step for step in STEPS if step not in _OTHERS]
    journal = postgresql.schema(f"torture_{seed}")

    async def crash() -> None:
        await asyncio.to_thread(_restart, postgresql)

    torture = Torture(
        tmp_path,
        seed,
        seconds=SECONDS,
        points=points,
        patient=LONG,
        journal=journal,
        crash=crash if LONG else None,
    )
    report = await torture.run()
    assert report.complaints == []
    assert report.not_reached == []
    assert report.exit_status == 0
    assert report.messages > 100
    assert {"ready", "rejected"} <= report.attachments.keys()


def _restart(server: Server) -> None:
    server.stop("immediate")
    server.start()
