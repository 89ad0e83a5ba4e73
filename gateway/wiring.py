"""Which components exist, and what each one receives."""

from normalizer.scanner import Scanner

from .settings import Address, Settings


def configured_scanner(settings: Settings) -> Scanner | None:
    """The scanner of media.scanner, None where none is configured."""
    where = settings.media.scanner
    if where is None:
        return None
    return Scanner(f"tcp://{where}" if isinstance(where, Address) else str(where))
