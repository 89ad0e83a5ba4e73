"""The units for systemd: valid, confined, and the decoders' sandbox works within them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT
from .test_proxies import program

UNITS = ROOT / "packaging" / "systemd"
#: A line of `systemd-analyze syscall-filter`: a set, or a call or set in it.
_NAME = re.compile(r"^ *(@?[a-z_0-9-]+)$")
_NUMBER = re.compile(r"#define __NR_(\w+) (\d+)")
_NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")


def setting(name: str) -> list[str]:
    lines = (UNITS / "airlock.service").read_text().splitlines()
    return [line.split("=", 1)[1] for line in lines if line.startswith(f"{name}=")]


@pytest.mark.parametrize("unit", ["airlock.service", "airlock.socket"])
def test_systemd_accepts_the_units(tmp_path: Path, unit: str) -> None:
    for file in UNITS.iterdir():
        text = file.read_text().replace("/opt/airlock/.venv/bin/airlock", sys.executable)
        (tmp_path / file.name).write_text(text.replace("=airlock\n", "=root\n"))
    run = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in run.stderr.splitlines() if "airlock" in line] == []


def test_systemd_rates_the_exposure_below_3(tmp_path: Path) -> None:
    command = (program("systemd-analyze"), "security", "--offline=true", "--threshold=29")
    run = subprocess.run(
        [*command, str(UNITS / "airlock.service")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-400:] + run.stderr


def test_a_clean_end_restarts_the_service_and_mistakes_do_not() -> None:
    assert (setting("Restart"), setting("RestartPreventExitStatus")) == (["always"], ["2"])
    assert (setting("Type"), setting("WatchdogSec")) == (["notify"], ["30"])
    assert setting("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert setting("StartLimitIntervalSec") == ["0"]


def test_the_end_of_a_decoder_is_not_the_end_of_the_service() -> None:
    assert (setting("OOMPolicy"), setting("KillMode")) == (["continue"], ["mixed"])


def allowed_calls() -> set[str]:
    """Return the calls that SystemCallFilter= allows, as systemd.exec(5) defines it."""
    listed = subprocess.run(
        [program("systemd-analyze"), "syscall-filter"], capture_output=True, text=True, check=True
    )
    sets: dict[str, set[str]] = {}
    for line in listed.stdout.splitlines():
        found = _NAME.match(line)
        if found and not line.startswith(" "):
            current = sets.setdefault(found[1], set())
        elif found:
            current.add(found[1])

    def calls(name: str) -> set[str]:
        return {name} if name[0] != "@" else {c for part in sets[name] for c in calls(part)}

    allowed = calls("@default")
    for line in setting("SystemCallFilter"):
        named = {call for name in line.removeprefix("~").split() for call in calls(name)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def test_a_photo_is_made_safe_under_the_filter_of_the_unit(tmp_path: Path) -> None:
    if not _NUMBERS.exists():
        pytest.skip(f"{_NUMBERS} is missing; install linux-libc-dev")
    numbers = dict(_NUMBER.findall(_NUMBERS.read_text()))
    allowed = [numbers[call] for call in allowed_calls() if call in numbers]

    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("under_filter.py"))],
        input=" ".join(allowed),
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stdout == "['preview', 'thumbnail'] {}\n", run.stderr[-2000:]
    assert {"mount", "ptrace", "bpf", "chown"}.isdisjoint(allowed_calls())
