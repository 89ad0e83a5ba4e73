"""Every fault again and again, for CLUSTER_SECONDS each: `make torture-cluster`."""

import os
from pathlib import Path

import pytest

from gateway.settings.media_store import Bucket
from tests.bucket import S3Server
from tests.postgresql import Server

from . import faults, packets, scenes
from .cluster import Cluster, Fault
from .stored import Stored

SECONDS = float(os.environ.get("CLUSTER_SECONDS", "60"))
FAULTS = (
    faults.kill,
    faults.pause,
    faults.mute,
    # Without a namespace, the script that would have made it says so.
    *([faults.cut] if packets.IS_POSSIBLE else []),
    faults.restart_database,
    faults.roll,
    faults.upgrade,
    scenes.erase_while_cut_off,
    scenes.fatal_file,
)


@pytest.mark.parametrize(
    "fault",
    [faults.lose_store_for_long, faults.kill, faults.pause],
    ids=lambda fault: fault.__name__,
)
async def test_a_bucket_and_batches_break_no_promise(
    tmp_path: Path, database: Server, s3_server: S3Server, bucket: Bucket, fault: Fault
) -> None:
    is_mild = fault is faults.lose_store_for_long
    stored = await Stored.behind_a_gate(s3_server, bucket, counts_originals=is_mild)
    cluster = Cluster(tmp_path, database, seed=3, stored=stored, batch=20)
    report = await cluster.run(fault, seconds=SECONDS)
    await stored.gate.close()
    print(report)  # noqa: T201 - the figures
    assert report.complaints == []
    assert report.faults > 0
    assert report.batches > 10
    assert report.attachments["ready"] > 10


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_fault_again_and_again_breaks_no_promise(
    tmp_path: Path, database: Server, fault: Fault
) -> None:
    report = await Cluster(
        tmp_path, database, seed=1, retries_crashes=fault is not scenes.fatal_file
    ).run(fault, seconds=SECONDS)
    print(report)  # noqa: T201 - the figures
    assert report.complaints == []
    assert report.faults > 0
    assert report.messages > SECONDS
    if fault is faults.kill:
        # The median: a machine that is busy with other work delays single ones.
        assert sorted(report.takeovers)[len(report.takeovers) // 2] <= 1.5
