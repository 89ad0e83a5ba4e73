"""Emulators of plugins in the demo: they are found by entry point, and errors name the plugin."""

import sys
from pathlib import Path

import pytest

from gateway.cli.emulators import emulators, lines
from gateway.settings.plugins import Unusable
from simulator import PLATFORMS, Platform

from .installing import AIRLOCK, attempt


def brings(folder: Path, source: str) -> None:
    """Write an installed distribution with an emulator called acme."""
    (folder / "acme_emulated.py").write_text(source)
    info = folder / "acme_emulated-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-emulated\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[airlock.emulators]\nacme = acme_emulated:Acme\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_emulated", raising=False)
    return tmp_path


def test_the_emulators_of_the_examples_are_found(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(site)
    found = emulators()
    assert set(found) == {*PLATFORMS, "line", "rcs", "telegram", "vonage"}
    assert all(issubclass(kind, Platform) for kind in found.values())


def test_the_demo_sends_a_photo_and_a_video_per_platform() -> None:
    found = lines(["telegram"])
    assert {line.platform for line in found} == {"telegram"}
    types = {file.media_type.partition("/")[0] for line in found for file in line.files}
    assert types == {"image", "video"}


def test_an_emulator_that_is_not_a_platform_is_rejected(folder: Path) -> None:
    brings(folder, "class Acme: ...")
    with pytest.raises(
        Unusable, match=r'"acme" of acme-emulated 1.0 is not a subclass of simulator.Platform'
    ):
        emulators()


def test_an_emulator_that_fails_to_import_ends_the_demo(folder: Path) -> None:
    brings(folder, "import no_such_thing")
    ran = attempt(AIRLOCK, "demo", "--seconds", "1", path=[folder])
    assert ran.returncode == 1
    assert ran.stderr.startswith('airlock demo: the emulator "acme" of acme-emulated 1.0 cannot')
    assert "Traceback" not in ran.stderr
