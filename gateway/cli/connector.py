"""`airlock connector new`: writes a plugin package that installs and passes the conformance kit as it is."""

import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

from gateway.settings.plugins import installed

from .connector_names import Names, Unnameable, names

TEMPLATES = Path(__file__).with_name("plugin_template")
_SUFFIX = ".template"


class Unwritable(Exception):
    """The package cannot be written; the message names the folder and the remedy."""


def new(name: str, into: Path) -> int:
    """Write the package into a new folder below `into`. Exit status 2 for an invalid name, 1 for an unusable folder."""
    try:
        chosen = names(name, {entry.name for entry in installed()})
        folder = write(chosen, into)
    except Unnameable as exc:
        return _fail(str(exc), 2)
    except Unwritable as exc:
        return _fail(str(exc), 1)
    _print_next_steps(folder)
    return 0


def write(chosen: Names, into: Path) -> Path:
    """Write the package and return its folder, which appears complete or not at all; raises `Unwritable`."""
    folder = into / chosen.distribution
    if folder.is_symlink() or (folder.exists() and not _is_empty(folder)):
        raise Unwritable(f"{folder} exists already; move it away, or choose another name or --into")
    try:
        into.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{chosen.distribution}-", dir=into))
        try:
            _render_templates(temporary, chosen)
            temporary.chmod(0o755)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as exc:
        raise Unwritable(f"{folder} cannot be written: {exc.strerror}") from exc
    return folder


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _render_templates(folder: Path, chosen: Names) -> None:
    values = {
        name: getattr(chosen, name)
        for name in ("name", "distribution", "package", "label", "kind", "header")
    }
    for template in sorted(TEMPLATES.rglob(f"*{_SUFFIX}")):
        parts = template.relative_to(TEMPLATES).parts
        named = [chosen.package if part == "package" else part for part in parts]
        file = folder.joinpath(*named).with_name(named[-1].removesuffix(_SUFFIX))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text("utf-8")).substitute(values), "utf-8")


def _print_next_steps(folder: Path) -> None:
    print(f"{folder}:")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        print(f"  {file.relative_to(folder)}")
    print(
        "\nThe package already passes its conformance kit. In the environment where Airlock is installed, run:\n"
    )
    print(f"  cd {folder}\n  pip install -e . pytest\n  pytest\n")
    print("Then replace everything marked “Change”; README.md gives the order.")


def _fail(reason: str, status: int) -> int:
    print(f"airlock connector new: {reason}", file=sys.stderr)
    return status
