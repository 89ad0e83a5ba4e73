"""Every fault again and again, for CLUSTER_SECONDS each: `make torture-cluster`."""

import os
from pathlib import Path

import pytest

from tests.postgresql import Server

from . import faults
from .cluster import Cluster, Fault

SECONDS = float(os.environ.get("CLUSTER_SECONDS", "60"))
FAULTS = (faults.kill, faults.pause, faults.mute, faults.restart_database, faults.roll)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_fault_again_and_again_breaks_no_promise(
    tmp_path: Path, database: Server, fault: Fault
) -> None:
    report = await Cluster(tmp_path, database, seed=1).run(fault, seconds=SECONDS)
    print(report)  # noqa: T201 - the figures
    assert report.complaints == []
    assert report.faults > 0
    assert report.messages > 100
    if fault is faults.kill:
        assert max(report.takeovers) <= 1.5
