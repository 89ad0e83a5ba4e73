"""A location as an attachment: where it is, and what the platform tells about it besides."""

from normalizer.events import Attachment


def location(
    latitude: float | str,
    longitude: float | str,
    *,
    name: str | None = None,
    address: str | None = None,
    url: str | None = None,
) -> Attachment:
    """A location in degrees, which some platforms write as text; what is no number stays as it was told."""
    described = {"name": name, "address": address, "url": url}
    details = {"latitude": _degrees(latitude), "longitude": _degrees(longitude)}
    return Attachment("location", details=details | {k: v for k, v in described.items() if v})


#: The name that it had at first.
place = location


def _degrees(value: float | str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value
