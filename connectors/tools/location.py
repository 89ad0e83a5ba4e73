"""Locations as attachments."""

from normalizer.events import Attachment


def location(
    latitude: float | str,
    longitude: float | str,
    *,
    name: str | None = None,
    address: str | None = None,
    url: str | None = None,
) -> Attachment:
    """An attachment for a location in degrees. Some platforms send text; text that is not a number is kept as it is."""
    described = {"name": name, "address": address, "url": url}
    details = {"latitude": _degrees(latitude), "longitude": _degrees(longitude)}
    return Attachment("location", details=details | {k: v for k, v in described.items() if v})


#: Alias, kept for existing plugins.
place = location


def _degrees(value: float | str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
