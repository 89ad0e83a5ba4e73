"""Packets with other content."""

# PyAV's packets are generic for type checkers only.
from __future__ import annotations

from typing import Any, TypeVar, cast

from av.packet import Packet
from av.stream import Stream

S = TypeVar("S", bound=Stream)


def is_end(packet: Packet[Any]) -> bool:
    """Whether a packet marks the end of its track. A frame may lack a decoding time, too, in Matroska."""
    return packet.dts is None and not packet.size


def replace_content(packet: Packet[S], content: bytes) -> Packet[S]:
    """Return a packet with other content, of the same track and time."""
    new: Any = Packet(content)
    new.stream = packet.stream
    new.time_base = packet.time_base
    new.pts, new.dts, new.duration = packet.pts, packet.dts, packet.duration
    new.is_keyframe = packet.is_keyframe
    return cast("Packet[S]", new)
