"""Writes a software bill of materials (CycloneDX 1.6) of what an installation of Airlock consists of.

    sbom.py [FILE]    default: dist/sbom.cdx.json

The packages come from requirements.lock, so the same lock file always gives the same bytes. The codecs inside of the
wheels come from the installed packages: an advisory names FFmpeg or libheif, not the wheel that holds it.
"""

import json
import sys
import tomllib
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from locked import ROOT, Package, packages

#: Any name of ours; the serial number is derived from the content within it.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "airlock-messaging/sbom")


def bill(lock: Path) -> dict[str, Any]:
    """Return the bill as JSON content."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = packages(lock)
    ours = f"pkg:pypi/{project['name']}@{project['version']}"
    needed = _at_run_time(project["name"], found)
    components = [_component(package, needed) for package in found] + list(_codecs(found))
    content = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": project["name"],
                "version": project["version"],
                "purl": ours,
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": components,
        "dependencies": _dependencies(ours, project["name"], found, components),
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))
    return {**content, "serialNumber": f"urn:uuid:{serial}"}


def _at_run_time(name: str, found: list[Package]) -> set[str]:
    """Return the names of the packages that Airlock needs when it runs, directly or through others."""
    needed, before = {name}, 0
    while len(needed) > before:
        before = len(needed)
        needed |= {package.name for package in found if needed.intersection(package.needed_by)}
    return needed


def _component(package: Package, needed: set[str]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "scope": "required" if package.name in needed else "excluded",  # a tool that builds
        # One for each file that the lock file admits: the source and the wheels of all platforms.
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.hashes],
    }
    if package.marker:
        component["properties"] = [{"name": "airlock:marker", "value": package.marker}]
    return component


def _codecs(found: list[Package]) -> Iterator[dict[str, Any]]:
    """The libraries in the wheels that decode strangers' files, if the locked versions are installed."""
    locked = {package.name: package for package in found}
    for name, libraries in (("av", _in_av), ("pillow", _in_pillow), ("pillow-heif", _in_heif)):
        if version(name) != locked[name].version:
            raise SystemExit(
                f"{name} {version(name)} is installed, but not locked: run `make install`"
            )
        for library, number in libraries():
            yield {
                "type": "library",
                "bom-ref": f"{locked[name].purl}#{library}",
                "name": library,
                "version": number,
                "purl": f"pkg:generic/{library}@{number}",
                "properties": [{"name": "airlock:inside", "value": locked[name].purl}],
            }


def _in_av() -> Iterator[tuple[str, str]]:
    import av

    yield "ffmpeg", str(av.ffmpeg_version_info)


def _in_heif() -> Iterator[tuple[str, str]]:
    import pillow_heif

    info = pillow_heif.libheif_info()
    yield "libheif", info["libheif"]
    # The name of a decoder ends in its version: "libde265 HEVC decoder, version 1.1.3".
    for key, words in {**info["decoders"], **info["encoders"]}.items():
        number = words.rpartition(" ")[2].strip("()")
        if any(letter.isdigit() for letter in number) and number != key:
            yield key, number


def _in_pillow() -> Iterator[tuple[str, str]]:
    from PIL import features

    names = {"jpg": "libjpeg-turbo", "jpg_2000": "openjpeg", "zlib": "zlib", "libtiff": "libtiff"}
    for codec, name in names.items():
        number = features.version_feature("libjpeg_turbo") if codec == "jpg" else None
        yield name, str(number or features.version_codec(codec))
    for module, name in {"webp": "libwebp", "avif": "libavif", "littlecms2": "lcms2"}.items():
        yield name, str(features.version_module(module))


def _dependencies(
    ours: str, name: str, found: list[Package], components: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    needs: dict[str, set[str]] = {ours: set()}
    needs |= {component["bom-ref"]: set() for component in components}
    references: dict[str, list[str]] = {name: [ours]}
    for package in found:
        references.setdefault(package.name, []).append(package.purl)
    for package in found:
        for parent in package.needed_by:
            for reference in references.get(parent, []):
                needs[reference].add(package.purl)
    for component in components:
        for entry in component.get("properties", []):
            if entry["name"] == "airlock:inside":
                needs[entry["value"]].add(component["bom-ref"])
    return [{"ref": ref, "dependsOn": sorted(others)} for ref, others in sorted(needs.items())]


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "sbom.cdx.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    content = bill(ROOT / "requirements.lock")
    target.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    print(f"{target}: {len(content['components'])} components")


if __name__ == "__main__":
    main()
