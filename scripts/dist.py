"""Builds what belongs to a release into dist/: the wheel, the source distribution, the bill of materials, checksums.

    dist.py [--into DIR] [--try SECONDS]

The same commit gives the same bytes. With --try, the wheel is installed into a new virtual environment with the locked
packages, as an operator does, and its demo runs for at most so many seconds.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from locked import ROOT

CHECKSUMS = "SHA256SUMS"


def build(into: Path) -> Path:
    """Build everything; return the wheel."""
    into.mkdir(parents=True, exist_ok=True)
    for old in into.iterdir():
        old.unlink()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _time_of_commit()}
    # The wheel is built from the source distribution, which proves that this is complete.
    _run(
        sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(into), env=environment
    )
    (source,) = into.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        _run("tar", "-xzf", str(source), "-C", folder, "--strip-components=1")
        command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into))
        _run(*command, cwd=Path(folder), env=environment)
    _run(sys.executable, str(ROOT / "scripts" / "sbom.py"), str(into / "sbom.cdx.json"))
    _write_checksums(into)
    (wheel,) = into.glob("*.whl")
    return wheel


def try_out(wheel: Path, seconds: str) -> None:
    """Install the wheel into a clean environment, and run its demo: status 0 only if every file arrives ready."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = (f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
        _run(*pip, "--no-deps", str(wheel))
        # From an empty folder, so that nothing of the source tree can be imported.
        with tempfile.TemporaryDirectory() as empty:
            airlock = f"{folder}/bin/airlock"
            _run(airlock, "--version", cwd=Path(empty))
            _run(airlock, "demo", "--seconds", seconds, "--port", "0", cwd=Path(empty))


def _write_checksums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.iterdir())
        if file.name != CHECKSUMS
    ]
    (folder / CHECKSUMS).write_text("".join(lines))


def _time_of_commit() -> str:
    """Return the seconds that archives note for their files; those of the commit, if there is one."""
    command = ("git", "log", "-1", "--format=%ct")
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "1577836800"


def _run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=env, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "dist")
    parser.add_argument("--try", dest="seconds", metavar="SECONDS")
    arguments = parser.parse_args()
    wheel = build(arguments.into)
    if arguments.seconds:
        try_out(wheel, arguments.seconds)
    print((arguments.into / CHECKSUMS).read_text(), end="")


if __name__ == "__main__":
    main()
