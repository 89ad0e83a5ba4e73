"""Streams of picture and sound, read bit by bit."""


class IrregularStream(Exception):
    """Not the stream its container says it is: better decode it and encode it anew."""


class Bits:
    """Bits of a unit or a frame, first ones first."""

    def __init__(self, content: bytes) -> None:
        self._value, self._left = int.from_bytes(content, "big"), 8 * len(content)

    def peek(self, count: int) -> int:
        if count > self._left:
            raise IrregularStream("a stream that ends too early")
        return self._value >> (self._left - count)

    def take(self, count: int) -> int:
        value = self.peek(count)
        self._left -= count
        self._value &= (1 << self._left) - 1
        return value

    def number(self) -> int:
        """A number of any length, as Rec. ITU-T H.264, 9.1 codes it."""
        zeros = self._left - self._value.bit_length()
        return self.take(2 * zeros + 1) - 1

    def align(self) -> None:
        self.take(self._left % 8)

    def rest(self) -> bytes:
        count = -(-self._left // 8)
        return (self._value << (8 * count - self._left)).to_bytes(count, "big")
