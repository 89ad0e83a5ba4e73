"""`airlock check`: checks the settings, this machine, the decoders, the scanner, the core, and each platform."""

from collections.abc import Iterable, Sequence
from typing import Any

from connectors import Connector
from gateway.fetching import Fetcher
from gateway.journal import JournalUnusable, examine_database
from gateway.observability.redaction import Mask
from gateway.settings import DatabaseUrl, Settings, advice
from gateway.settings.media_store import bucket_of
from gateway.upkeep.connector_health import ask
from gateway.wiring import configured_scanner
from normalizer.decoders.document.script_fonts import SCRIPTS, find_fonts
from normalizer.media import MediaFailed
from normalizer.sandbox.errors import SandboxUnavailable
from normalizer.sandbox.pool import Pool
from normalizer.scanner import ScannerMisfit

from .check_place import Finding, address, data_folder
from .check_surroundings import Surroundings
from .running import run


def check(settings: Settings, notes: Sequence[str] = ()) -> int:
    """Check everything; `notes` are further warnings about the settings."""
    return run(_check(settings, notes))


async def _check(settings: Settings, notes: Sequence[str]) -> int:
    print("settings: ok")
    for sentence in (*notes, *advice(settings)):
        print(f"note: {sentence}")
    place = [*data_folder(settings.gateway.data), await address(settings.gateway.listen)]
    is_placed = _shown(place)
    journal_ok = _journal(settings)
    isolated = await _decoders(settings)
    _fonts()
    scanner_ok = await _scanner(settings)
    stores = await _media_store(settings)
    around = Surroundings(settings)
    is_reached = _shown(filter(None, [await around.core(), await around.public_url()]))
    fetcher = Fetcher(
        allow_private_hosts=settings.fetch.allow_private_hosts,
        extra_hosts=settings.fetch.extra_hosts,
        own_origins=settings.fetch.own_origins,
        redact=Mask(settings.secrets()).text,
    )
    try:
        healthy = [
            await _connector(fetcher, name, connector)
            for name, connector in settings.connectors.items()
        ]
    finally:
        await fetcher.aclose()
    is_timely = _shown([await around.clock()])
    checks = (is_placed, journal_ok, isolated, scanner_ok, stores, is_reached, is_timely, *healthy)
    return 0 if all(checks) else 1


def _shown(findings: Iterable[Finding]) -> bool:
    """Print findings; whether none failed."""
    is_well = True
    for finding in findings:
        print(finding)
        is_well = is_well and finding.state != "failed"
    return is_well


def _journal(settings: Settings) -> bool:
    """Whether the database keeps what it acknowledges; true with SQLite, which does."""
    place = settings.gateway.journal
    if not isinstance(place, DatabaseUrl):
        return True
    try:
        found = examine_database(settings.gateway.journal_url)
    except JournalUnusable as exc:
        print(f"journal: {exc}")
        return False
    for fault in found.faults:
        print(f"journal: {found.what}: {fault}")
    for note in found.notes:
        print(f"note: gateway.journal: {note}")
    if not found.faults:
        print(f"journal: ok, {found.what}")
    return not found.faults


async def _decoders(settings: Settings) -> bool:
    """Whether every isolation layer that `media.isolation` requires is in place."""
    pool = Pool(1, settings.media.isolation)
    try:
        await pool.start()
        missing = ", ".join(f"{layer} ({why})" for layer, why in pool.missing.items())
        print(
            f"decoders: ok, but not isolated by {missing}"
            if missing
            else "decoders: ok, fully isolated"
        )
    except SandboxUnavailable as exc:
        print(f"decoders: {exc}")
        return False
    finally:
        await pool.close()
    return True


def _fonts() -> None:
    """Name the scripts of which the machine has no font. It is a note: most PDFs embed their fonts."""
    found = find_fonts()
    missing = [script for script in SCRIPTS if script not in found]
    if not missing:
        print("fonts: ok")
        return
    packages = ", ".join(dict.fromkeys(_PACKAGES[script] for script in missing))
    print(
        f"note: fonts: this machine has none for {', '.join(missing)}, so PDFs in these scripts that do not contain "
        f"their fonts show blanks; on Debian, install {packages}, and restart Airlock"
    )


#: A package of Debian with a font for each script.
_PACKAGES = {
    **dict.fromkeys(("Greek", "Cyrillic", "Hebrew", "Arabic"), "fonts-dejavu-core"),
    "Devanagari": "fonts-lohit-deva",
    "Thai": "fonts-tlwg-loma-ttf",
    **dict.fromkeys(("Japanese", "Chinese"), "fonts-droid-fallback"),
    "Korean": "fonts-nanum",
}


async def _scanner(settings: Settings) -> bool:
    """Whether the scanner answers and accepts our largest files; true if none is configured."""
    scanner = configured_scanner(settings)
    if scanner is None:
        return True
    limits = settings.media.limits()
    try:
        await scanner.check(limits.largest)
        print(f"scanner: ok, {await scanner.version()}")
    except (MediaFailed, ScannerMisfit) as exc:
        print(f"media.scanner: {_scanner_error(exc)}")
        return False
    return True


def _scanner_error(exc: MediaFailed | ScannerMisfit) -> str:
    if isinstance(exc, ScannerMisfit):
        return str(exc)
    return f"{exc.detail}; start clamd (systemctl start clamav-daemon), or correct the address"


async def _media_store(settings: Settings) -> bool:
    """Whether objects can be stored, read, listed and deleted in the bucket of `gateway.media`; true for files."""
    bucket = bucket_of(settings.gateway.media)
    if bucket is None:
        return True
    from gateway.media.storage.proof import prove  # needs an extra, imported only if it is used

    problems = await prove(bucket)
    for problem in problems:
        print(f"gateway.media: {problem}")
    if not problems:
        print(f"media store: ok, {bucket}")
    return not problems


async def _connector(fetcher: Fetcher, name: str, connector: Connector[Any]) -> bool:
    health = await ask(fetcher, connector)
    state = (
        f"ok, {health.account}"
        if health.state == "ok"
        else f"{health.detail}{_REMEDIES[health.state]}"
    )
    print(f"{name} ({connector.label}): {state}")
    return health.state == "ok"


_REMEDIES = {
    "waiting": "; try again",
    "needs action": "; fix its credentials or settings",
}
