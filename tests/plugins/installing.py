"""Installing packages with pip, as users do, but without the network: the build tools are already installed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
AIRLOCK = str(Path(sys.executable).with_name("airlock"))
EXAMPLES = {name: ROOT / "examples" / name for name in ("line", "rcs", "telegram", "vonage")}

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir")
_OFFLINE = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation")


def install(into: Path, *folders: Path) -> Path:
    """Install packages into a folder for PYTHONPATH."""
    run(*_PIP, "install", *_OFFLINE, "--target", str(into), *map(str, folders))
    return into


def wheel(of: Path, into: Path) -> Path:
    """Build the wheel of a package."""
    run(*_PIP, "wheel", *_OFFLINE, "--wheel-dir", str(into), str(of))
    (built,) = into.glob("*.whl")
    return built


def run(*command: str, cwd: Path | None = None, path: Sequence[Path] = ()) -> str:
    """The output of a command that must succeed. `path` is its PYTHONPATH."""
    ran = attempt(*command, cwd=cwd, path=path)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-6000:]
    return ran.stdout


def attempt(
    *command: str, cwd: Path | None = None, path: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )


def run_tests(folder: Path, site: Path) -> str:
    """Run a package's own tests against the installed package, not its source folder."""
    command = (sys.executable, "-P", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    # Use the package's pytest settings, not those of this repository.
    return run(*command, "-p", "no:asyncio", "-c", "pyproject.toml", cwd=folder, path=[site])
