"""Headers of a request, as connectors read them."""

from multidict import CIMultiDictProxy


def combined(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Return headers by lower-case name; a header that was sent twice holds both values."""
    combined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        combined[key] = f"{combined[key]}, {value}" if key in combined else value
    return combined
