"""The built wheel, installed apart from the source tree, has everything that Airlock needs."""

import sys
import zipfile
from pathlib import Path

import pytest

from tests.plugins.installing import ROOT, install, run, wheel

PACKAGES = ("connectors", "gateway", "normalizer", "simulator", "workspace")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("site"), built)


def test_the_wheel_holds_every_file_of_its_packages(built: Path) -> None:
    files = [path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    with zipfile.ZipFile(built) as archive:
        assert wanted - set(archive.namelist()) == set()


def test_the_installed_wheel_is_imported_from_where_it_is(site: Path) -> None:
    program = f"import {', '.join(PACKAGES)}; print(gateway.__file__, connectors.__file__)"
    for file in run(sys.executable, "-P", "-c", program, cwd=site, path=[site]).split():
        assert Path(file).is_relative_to(site)


def test_the_demo_runs_from_the_installed_wheel(site: Path, tmp_path: Path) -> None:
    program = "import sys; from gateway.cli import main; sys.exit(main())"
    command = (sys.executable, "-P", "-c", program, "demo", "--seconds", "40", "--port", "0")
    output = run(*command, cwd=tmp_path, path=[site])
    assert "ready" in output
