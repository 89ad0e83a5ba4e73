"""What belongs to a release: complete, the same for the same commit, and with checksums that hold."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .pages import ROOT


def build(into: Path) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "dist.py"), "--into", str(into)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return (into / "SHA256SUMS").read_text()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(folder)
    return folder


def test_a_release_has_wheel_source_bill_and_checksums(dist: Path) -> None:
    assert [file.suffix for file in sorted(dist.iterdir())] == ["", ".whl", ".gz", ".json"]
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=dist, check=True)


def test_the_same_commit_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    assert build(tmp_path) == (dist / "SHA256SUMS").read_text()


def test_the_source_distribution_holds_what_operators_need(dist: Path) -> None:
    (source,) = dist.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {
        "connectors.yaml",
        "requirements.lock",
        "packaging/systemd/airlock.service",
        "packaging/container/Containerfile",
        "packaging/kubernetes/airlock.yaml",
        "packaging/kubernetes/cluster.yaml",
        "packaging/monitoring/alerts.yaml",
        "docs/operations.md",
        "LICENSE",
    } <= names
    assert not any(name.startswith((".venv", "tests", "dist", ".git/")) for name in names)


def test_the_wheel_names_its_entry_points(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(points).decode()

    assert "airlock = gateway.cli:main" in text
    assert "whatsapp = connectors.whatsapp:WhatsApp" in text
