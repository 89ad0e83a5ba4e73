"""Several nodes on one database: nothing is lost, doubled or reordered when a node is killed.

`make torture-cluster` runs every fault of `every_fault.py`, and for longer.
"""

from pathlib import Path

import pytest

from tests.postgresql import Server

from . import faults
from .cluster import Cluster

pytestmark = pytest.mark.system


async def test_two_nodes_keep_every_promise_while_one_is_killed(
    tmp_path: Path, database: Server
) -> None:
    cluster = Cluster(tmp_path, database, seed=2, nodes=2, senders=4, erases=False)
    report = await cluster.run(faults.kill, seconds=2, pause=2)
    assert report.complaints == []
    assert (report.faults, report.starts) == (1, 3)
    assert report.messages > 10
