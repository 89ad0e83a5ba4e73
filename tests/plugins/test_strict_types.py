"""Strict types for plugin authors: the examples and a new plugin, checked against the installed Airlock."""

import sys
import sysconfig
from pathlib import Path

from gateway.cli import main

from .installing import EXAMPLES, ROOT, install, run, wheel

#: The packages that must be marked with py.typed.
TYPED = ("connectors", "gateway", "normalizer", "simulator")


def test_plugins_pass_strict_type_checking_against_the_installed_wheel(tmp_path: Path) -> None:
    elsewhere = _environment(tmp_path, wheel(ROOT, tmp_path / "wheels"))
    assert main(["connector", "new", "acme-chat", "--into", str(tmp_path)]) == 0
    for folder in (*EXAMPLES.values(), tmp_path / "airlock-acme-chat"):
        command = (
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file=",
            "--python-executable",
        )
        output = run(
            *(*command, str(elsewhere), "--cache-dir", str(tmp_path / "cache")),
            *(str(one) for one in folder.iterdir() if one.name in {"tests", _package(folder)}),
            cwd=folder,
        )
        assert output.startswith("Success: no issues found in"), output


def _environment(folder: Path, airlock: Path) -> Path:
    """An environment with Airlock's wheel and its dependencies."""
    home = folder / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", str(home))
    (packages,) = home.glob("lib/python*/site-packages")
    install(packages, airlock)
    assert all((packages / name / "py.typed").is_file() for name in TYPED)
    assert (packages / "gateway" / "cli" / "plugin_template" / "README.md.template").is_file()
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin" / "python"


def _package(folder: Path) -> str:
    (typed,) = folder.glob("*/py.typed")
    return typed.parent.name
