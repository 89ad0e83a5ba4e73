"""No version with a known hole satisfies a lower bound of ours, and the locked versions satisfy all of them."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from .pages import ROOT

#: The first version without the hole, and where that is written.
FIXED = {
    "aiohttp": ("3.14.4", "https://osv.dev/vulnerability/PYSEC-2026-4371"),
    # The first whose wheels hold FFmpeg 8.1.2, which fixes CVE-2026-8461.
    "av": ("18.1", "https://github.com/opencv/opencv-python/pull/1249"),
    "cryptography": ("50", "https://github.com/advisories/GHSA-g6cj-pr64-35w5"),
    "httpcore": ("1.0.9", "https://github.com/advisories/GHSA-vqfr-h8mv-ghfj"),
    "orjson": ("3.11.6", "https://osv.dev/vulnerability/GHSA-hx9q-6w63-j58v"),
    # CVE-2026-96638, -96639 and -96641, published on 2026-10-21.
    "pillow": ("13", "https://pillow.readthedocs.io/en/stable/releasenotes/13.0.0.html"),
    "pillow-heif": ("1.3", "https://github.com/advisories/GHSA-5gjj-6r7v-ph3x"),
    "pyjwt": ("2.15", "https://github.com/advisories/GHSA-42vr-xj54-vc7v"),
}


def _requirements() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        requirement.name.lower(): requirement
        for requirement in map(Requirement, project["dependencies"])
    }


def _locked() -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if pinned := re.match(r"([A-Za-z0-9_.-]+)==(\S+)", line):
            found.setdefault(pinned[1].lower(), []).append(Version(pinned[2]))
    return found


@pytest.mark.parametrize("name", FIXED)
def test_no_version_with_a_known_hole_is_allowed(name: str) -> None:
    fixed = Version(FIXED[name][0])
    (bound,) = (s for s in _requirements()[name].specifier if s.operator == ">=")

    assert Version(bound.version) >= fixed


def test_the_locked_versions_satisfy_every_bound() -> None:
    locked = _locked()

    for name, requirement in _requirements().items():
        for version in locked[name]:
            assert version in requirement.specifier, name
