"""Video and audio streams, read bit by bit."""


class IrregularStream(Exception):
    """A stream that does not match its container and should be decoded and re-encoded."""


class Bits:
    """The bits of a unit or a frame, first bits first."""

    def __init__(self, content: bytes) -> None:
        self._value, self._left = int.from_bytes(content, "big"), 8 * len(content)

    def peek(self, count: int) -> int:
        if count > self._left:
            raise IrregularStream("the stream ends too early")
        return self._value >> (self._left - count)

    def take(self, count: int) -> int:
        value = self.peek(count)
        self._left -= count
        self._value &= (1 << self._left) - 1
        return value

    def number(self) -> int:
        """Read a number of variable length (Rec. ITU-T H.264, 9.1)."""
        zeros = self._left - self._value.bit_length()
        return self.take(2 * zeros + 1) - 1

    def align(self) -> None:
        self.take(self._left % 8)

    def rest(self) -> bytes:
        count = -(-self._left // 8)
        return (self._value << (8 * count - self._left)).to_bytes(count, "big")
