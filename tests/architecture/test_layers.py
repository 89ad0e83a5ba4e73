"""Imports run downwards only, and some packages never meet."""

import pytest

from .imports import ROOT, is_inside, modules

#: Each line may import from the lines below it; packages of one line never import each other.
GATEWAY = (
    ("cli",),
    ("service",),
    ("wiring",),
    ("http",),
    ("upkeep",),
    ("inbound", "media", "delivery", "replies"),
    ("journal",),
    ("events",),
    ("fetching", "settings", "observability"),
    ("problems", "identifiers", "backoff", "intake_priority", "fault_points", "timestamps"),
)
NORMALIZER = (
    ("sanitizer",),
    ("renditions", "decoders"),
    ("sandbox", "scanner", "file_type"),
    ("canvas", "charsets", "ebml", "isobmff", "events", "media", "sound"),
)
CONNECTORS = (
    ("conformance",),
    ("kit",),
    ("apple", "instagram", "messenger", "twilio", "web", "whatsapp"),
    ("messenger_platform",),
    ("meta",),
    ("recordings", "jwt"),
    ("tools",),
    ("contract",),
    ("capabilities", "errors", "values"),
)
WORKSPACE = (
    ("application",),
    ("handlers",),
    ("http",),
    ("auth",),
    ("store",),
    ("gateway",),
    ("text",),
    ("settings", "roles", "timestamps"),
)
WEBCHAT = (
    ("application",),
    ("handlers",),
    ("limits",),
    ("http",),
    ("housekeeping",),
    ("delivery",),
    ("store",),
    ("files", "identity", "metrics", "proof_of_work", "settings", "shapes", "signals"),
    ("theme", "timestamps"),
)
LAYERS = {
    "gateway": GATEWAY,
    "normalizer": NORMALIZER,
    "connectors": CONNECTORS,
    "workspace": WORKSPACE,
    "webchat": WEBCHAT,
}
#: What a top-level package may import of the others.
ALLOWED = {
    "gateway": {"connectors", "normalizer", "workspace", "webchat", "simulator"},
    "connectors": {"normalizer"},
    "normalizer": set[str](),
    "workspace": set[str](),
    "webchat": {"normalizer"},
    "simulator": set[str](),
}
INSIDE_DECODERS = {
    "normalizer.sandbox.job",
    "normalizer.canvas",
    "normalizer.charsets",
    "normalizer.ebml",
    "normalizer.isobmff",
    "normalizer.media",
    "normalizer.sound",
}


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_downwards(package: str) -> None:
    height = {room: -depth for depth, floor in enumerate(LAYERS[package]) for room in floor}
    upwards = []
    for module, imported in modules(package).items():
        own = _room(module, package)
        for other in imported:
            room = _room(other, package)
            if own and room and own != room and height[room] >= height[own]:
                upwards.append(f"{module} imports {other}")
    assert upwards == []


@pytest.mark.parametrize("package", LAYERS)
def test_every_room_has_its_floor(package: str) -> None:
    rooms = {_room(module, package) for module in modules(package)} - {""}
    assert rooms == {room for floor in LAYERS[package] for room in floor}


@pytest.mark.parametrize(
    ("package", "most"),
    [("gateway", 20), ("connectors", 17), ("normalizer", 13), ("workspace", 10), ("webchat", 17)],
)
def test_a_house_has_few_rooms(package: str, most: int) -> None:
    assert sum(map(len, LAYERS[package])) <= most


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_know_only_the_packages_they_may(package: str) -> None:
    known = {
        other.partition(".")[0] for imported in modules(package).values() for other in imported
    }
    assert known & ALLOWED.keys() - {package} <= ALLOWED[package]


def test_the_web_channel_takes_only_the_sniffing_of_files() -> None:
    taken = {
        other
        for imported in modules("webchat").values()
        for other in imported
        if is_inside(other, "normalizer")
    }
    assert taken == {"normalizer.file_type"}


def test_renditions_never_import_decoders() -> None:
    assert _crossing("normalizer.renditions", "normalizer.decoders") == []


def test_decoders_import_only_the_job_and_plain_values() -> None:
    strangers = [
        f"{module} imports {other}"
        for module, imported in modules("normalizer.decoders").items()
        for other in imported
        if is_inside(other, "normalizer")
        and not is_inside(other, "normalizer.decoders")
        and other not in INSIDE_DECODERS
    ]
    assert strangers == ["normalizer.decoders.__main__ imports normalizer.sandbox.zygote"]


def test_the_sandbox_imports_neither_decoders_nor_renditions() -> None:
    assert _crossing("normalizer.sandbox", "normalizer.decoders") == []
    assert _crossing("normalizer.sandbox", "normalizer.renditions") == []


def test_only_the_sqlite_engine_imports_sqlite3() -> None:
    users = {module for module, imported in modules("gateway").items() if "sqlite3" in imported}
    assert users
    assert all(is_inside(module, "gateway.journal.sqlite") for module in users)


def test_nobody_outside_sees_the_journals_inside() -> None:
    doors = {"gateway.journal"}
    inside = [
        f"{module} imports {other}"
        for module, imported in modules("gateway").items()
        for other in imported
        if is_inside(other, "gateway.journal")
        and not is_inside(module, "gateway.journal")
        and other not in doors
    ]
    assert inside == []


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_engines_share_knows_no_engine(engine: str) -> None:
    assert _crossing("gateway.journal.operations", f"gateway.journal.{engine}") == []
    assert _crossing("gateway.journal.stores", f"gateway.journal.{engine}") == []


def test_engines_of_the_journal_never_import_each_other() -> None:
    assert _crossing("gateway.journal.sqlite", "gateway.journal.postgresql") == []
    assert _crossing("gateway.journal.postgresql", "gateway.journal.sqlite") == []


def test_only_the_postgresql_engine_imports_its_driver() -> None:
    users = {
        module
        for module, imported in modules("gateway").items()
        if any(is_inside(name, "psycopg") for name in imported)
    }
    strangers = {user for user in users if not is_inside(user, "gateway.journal.postgresql")}
    # It only looks whether the driver is there: the driver is an extra.
    assert strangers == {"gateway.journal.opening"}


def test_every_package_says_what_it_is_for() -> None:
    for package in ("gateway", "connectors", "normalizer", "workspace", "webchat", "simulator"):
        for file in (ROOT / package).rglob("__init__.py"):
            assert file.read_text("utf-8").startswith('"""'), file


def _room(module: str, package: str) -> str:
    """The room of a package in which a module lies; empty for the package itself and for strangers."""
    return module.split(".")[1] if module.startswith(f"{package}.") else ""


def _crossing(package: str, other: str) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, imported in modules(package).items()
        for name in imported
        if is_inside(name, other)
    ]
