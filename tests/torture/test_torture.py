"""Acknowledged messages are never lost, doubled, reordered or left unfinished, whenever the process is killed.

`make torture` runs a long version: several seeds, minutes of random kills, slow hosts.
"""

from pathlib import Path

import pytest

from gateway.fault_points import STEPS

from .seeds import LONG, SECONDS, SEEDS
from .torture import Torture

pytestmark = pytest.mark.system

#: Reached only when something expires: `test_expiry.py` covers them.
_EXPIRY = frozenset({"after-expire", "after-forget"})


@pytest.mark.parametrize("seed", SEEDS)
async def test_acknowledged_messages_are_never_lost_doubled_reordered_or_unfinished(
    tmp_path: Path, seed: int
) -> None:
    points = [step for step in STEPS if step not in _EXPIRY]
    torture = Torture(tmp_path, seed, seconds=SECONDS, points=points, patient=LONG)
    report = await torture.run()
    assert report.complaints == []
    assert report.not_reached == []
    assert report.exit_status == 0
    assert report.messages > 100
    assert {"ready", "rejected"} <= report.attachments.keys()
