"""Elements that we write."""

_SIZE_BYTES = 8

#: A size that is left open: all of its bits are set.
OPEN = b"\x01" + b"\xff" * 7


def element(kind: int, *content: bytes) -> bytes:
    """Return an element with this content."""
    body = b"".join(content)
    return identifier(kind) + size(len(body)) + body


def unsigned(kind: int, value: int) -> bytes:
    """Return an element with an unsigned number of up to eight bytes."""
    return element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def identifier(kind: int) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big")


def size(length: int) -> bytes:
    """Return a length in a byte if it fits, else in eight."""
    if length < 0x7F:
        return bytes([0x80 | length])
    return (length | 1 << 7 * _SIZE_BYTES).to_bytes(_SIZE_BYTES, "big")
