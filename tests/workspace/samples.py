"""Sample events in the gateway's format, and generated photos, videos and sounds."""

import io
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from PIL import Image

_START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def conversation(id: str = "conv_mia", **other: Any) -> dict[str, Any]:
    return {
        "id": id,
        "connector": "support-whatsapp",
        "platform": "whatsapp",
        "account": "106540352242922",
        "consumer": {"id": "4915550000001", "name": "Mia"},
        **other,
    }


def message(sequence: int = 1, **other: Any) -> dict[str, Any]:
    at = stamp(sequence)
    text = other.pop("text", "hello")
    return {
        "id": f"msg_{sequence}",
        "platform_id": f"wamid.{sequence}",
        "sequence": sequence,
        "sent_at": at,
        "received_at": at,
        "text": text,
        "transcript": text or "",
        "reply_to": None,
        "attachments": [],
        **other,
    }


def stamp(minutes: int) -> str:
    return (_START + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def stamp_of(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def received(id: str, message: dict[str, Any], where: dict[str, Any] | None = None) -> Any:
    return event(
        id, "message.received", {"conversation": where or conversation(), "message": message}
    )


def event(id: str, type: str, data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "type": type,
        "source": "support-whatsapp",
        "time": stamp(0),
        "datacontenttype": "application/json",
        "data": data,
    }


def photo(id: str = "att_photo", state: str = "ready", **other: Any) -> dict[str, Any]:
    renditions = {
        "thumbnail": rendition("image/jpeg", 24_100, 320, 320),
        "preview": rendition("image/jpeg", 181_000, 1600, 1200),
    }
    return attachment(id, "photo", state, renditions, width=1600, height=1200, **other)


def video(id: str = "att_video", state: str = "ready", **other: Any) -> dict[str, Any]:
    renditions = {
        "video": rendition("video/mp4", 242_880, 270, 480),
        "poster": rendition("image/jpeg", 181_000, 270, 480),
        "thumbnail": rendition("image/jpeg", 24_100, 320, 320),
    }
    more = {"width": 270, "height": 480, "duration_seconds": 12.4, **other}
    return attachment(id, "video", state, renditions, **more)


def sound(id: str = "att_sound", state: str = "ready", **other: Any) -> dict[str, Any]:
    renditions = {"audio": saved("audio/mp4", 101_224)}
    bars = [round(127 + 127 * np.sin(place / 3)) for place in range(64)]
    more = {"voice": True, "complete": True, "duration_seconds": 12.4, "waveform": bars}
    source = {"media_type": "audio/ogg", "bytes": 26_044}
    return attachment(id, "audio", state, renditions, **{**more, "source": source, **other})


def document(id: str = "att_document", state: str = "ready", **other: Any) -> dict[str, Any]:
    renditions = {
        "thumbnail": rendition("image/jpeg", 24_100, 320, 320),
        "preview": rendition("image/jpeg", 181_000, 1240, 1754),
        "document": saved("application/pdf", 910_000),
        "text": saved("text/plain; charset=utf-8", 1_204),
    }
    more = {"complete": True, "pages": 3, "pages_total": 3, "text_differs": False}
    source = {"media_type": "application/pdf", "bytes": 2_300_444}
    return attachment(id, "document", state, renditions, **{**more, "source": source, **other})


def text_document(id: str = "att_text", **other: Any) -> dict[str, Any]:
    renditions = {"text": saved("text/plain; charset=utf-8", 1_204)}
    more = {"complete": True, "text_differs": False, "charset": None}
    source = {"media_type": "text/csv", "bytes": 1_204}
    return attachment(id, "document", "ready", renditions, **{**more, "source": source, **other})


def saved(media_type: str, size: int) -> dict[str, Any]:
    return {"media_type": media_type, "bytes": size, "sha256": "0" * 64}


def attachment(
    id: str, kind: str, state: str, renditions: dict[str, Any] | None = None, **other: Any
) -> dict[str, Any]:
    return {
        "id": id,
        "kind": kind,
        "state": state,
        "reason": None,
        "name": None,
        "width": None,
        "height": None,
        "duration_seconds": None,
        **other,
        "renditions": (renditions or {}) if state == "ready" else {},
    }


def rendition(media_type: str, size: int, width: int, height: int) -> dict[str, Any]:
    return {
        "media_type": media_type,
        "bytes": size,
        "sha256": "0" * 64,
        "width": width,
        "height": height,
    }


def jpeg(width: int, height: int, tint: tuple[int, int, int]) -> bytes:
    """Return a landscape in the given tint, which is easy to judge by eye."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    sky = np.clip(1.15 - y * 0.9, 0, 1)[..., None] * np.array(tint)
    hills = y > 0.36 * height / max(width, height) + 0.2 + 0.06 * np.sin(x * 9) + 0.03 * np.sin(
        x * 23
    )
    sun = ((x - 0.68) ** 2 + (y - 0.24) ** 2) < 0.006
    picture = np.where(sun[..., None], (255, 236, 200), sky)
    picture = np.where(hills[..., None], np.array(tint) * (0.42 - 0.2 * y[..., None]), picture)
    out = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype("uint8")).save(out, "JPEG", quality=88)
    return out.getvalue()


def mp4(seconds: float = 12.4, width: int = 270, height: int = 480) -> bytes:
    """Return H.264 with the index first, as the gateway serves it. A moving stripe makes seeking visible."""
    with TemporaryDirectory() as folder:
        # A real file: the muxer opens it a second time to move the index to the front.
        written = Path(folder) / "video.mp4"
        _encode(written, seconds, width, height)
        return written.read_bytes()


def _encode(written: Path, seconds: float, width: int, height: int) -> None:
    with av.open(written, "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "10"}
        for number in range(int(seconds * 10)):
            picture = np.zeros((height, width, 3), "uint8")
            picture[:] = (40, 70 + number % 100, 90)
            place = number * 7 % height
            picture[place : place + 24] = (230, 190, 120)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def m4a(seconds: float = 12.4) -> bytes:
    """Return AAC in MP4 with the index first, as the gateway serves it: a tone that grows louder."""
    with TemporaryDirectory() as folder:
        written = Path(folder) / "audio.m4a"
        with av.open(written, "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("aac", rate=24_000)
            times = np.arange(round(seconds * 24_000)) / 24_000
            tone = (np.sin(times * 440 * 2 * np.pi) * 20_000 * times / seconds).astype("int16")
            for start in range(0, len(tone), 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "s16", "mono")
                frame.rate, frame.pts, frame.time_base = 24_000, start, Fraction(1, 24_000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return written.read_bytes()


def page(number: int, width: int = 1240, height: int = 1754) -> bytes:
    """Return a white page with lines of grey, as many as its number says, which are easy to tell apart."""
    picture = np.full((height, width, 3), 255, "uint8")
    for line in range(number):
        top = 140 + line * 70
        picture[top : top + 30, 120 : width - 120] = (90, 90, 90)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=80)
    return out.getvalue()
