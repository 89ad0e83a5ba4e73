"""Sample files decode, show their scene, and contain their canaries."""

import io
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from simulator.samples import (
    Sample,
    card,
    document,
    heic,
    padded,
    photo,
    recording,
    sticker,
    still,
    video,
    voice,
)
from simulator.samples.atoms import atoms
from simulator.scenery import SCENES, Scene, drawn

EVERYTHING: dict[str, Callable[[], Sample]] = {
    "photo": lambda: photo(seed=5, width=320, height=240),
    "photo without place": lambda: photo(width=320, height=240, gps=False),
    "heic": lambda: heic(width=320, height=240),
    "png": lambda: still("PNG"),
    "gif": lambda: still("GIF"),
    "sticker": sticker,
    "mp4": lambda: video(seconds=0.4, width=160, height=120),
    "mp4 without place": lambda: video(seconds=0.4, width=160, height=120, location=False),
    "mov": lambda: video(seconds=0.4, width=160, height=120, container="mov"),
    "3gp": lambda: video(seconds=0.4, width=160, height=120, container="3gp"),
    "hevc": lambda: video(seconds=0.4, width=160, height=120, container="mov", codec="hevc"),
    "recording": lambda: recording(seconds=0.4, width=160, height=120),
    "voice": lambda: voice(0.5),
    "document": document,
    "card": card,
}
HIDING = [name for name in EVERYTHING if name not in {"sticker", "voice", "document", "card"}]


def resembles(one: Image.Image, other: Image.Image) -> bool:
    small = [np.asarray(p.convert("RGB").resize((32, 32)), dtype=float) for p in (one, other)]
    return float(np.abs(small[0] - small[1]).mean()) < 6


def first_frame(sample: Sample) -> Image.Image:
    """Return the first frame as a player shows it, rotated as the file demands."""
    with av.open(io.BytesIO(sample.content), "r") as opened:
        frame = next(opened.decode(video=0))
        assert isinstance(frame, av.VideoFrame)
        shown = Image.fromarray(frame.to_ndarray(format="rgb24"))
        return shown.rotate(frame.rotation, expand=True)


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_sample_is_the_same_every_time(name: str) -> None:
    assert EVERYTHING[name]() == EVERYTHING[name]()


@pytest.mark.parametrize("name", HIDING)
def test_a_sample_contains_its_canaries(name: str) -> None:
    sample = EVERYTHING[name]()
    assert sample.canaries
    assert [c for c in sample.canaries if c not in sample.content] == []


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_differs_from_its_mirror_and_rotations(scene: Scene) -> None:
    upright = drawn(scene, 240, 240, seed=1)
    turns = [upright.transpose(turn) for turn in Image.Transpose]
    assert [resembles(upright, turned) for turned in turns] == [False] * len(turns)


def test_a_video_scene_moves() -> None:
    assert drawn("car", 240, 180, seed=1) != drawn("car", 240, 180, seed=1, progress=0.5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_stored_rotated_and_shown_upright(orientation: int) -> None:
    opened = Image.open(io.BytesIO(photo("car", 320, 200, orientation=orientation).content))
    assert opened.getexif()[0x0112] == orientation
    assert opened.size == ((200, 320) if orientation > 4 else (320, 200))
    shown = ImageOps.exif_transpose(opened)
    assert shown.size == (320, 200)
    assert resembles(shown, drawn("car", 320, 200, seed=1))


def test_a_photo_contains_its_place() -> None:
    place = Image.open(io.BytesIO(photo().content)).getexif().get_ifd(0x8825)
    assert [float(part) for part in place[2]] == [52, 31, 12]
    assert (place[1], place[3]) == ("N", "E")


def test_a_photo_without_gps_contains_no_place() -> None:
    sample = photo(gps=False)
    assert not Image.open(io.BytesIO(sample.content)).getexif().get_ifd(0x8825)


def test_a_heic_photo_decodes() -> None:
    opened = pillow_heif.open_heif(heic(width=320, height=240).content)
    assert opened.to_pillow().size == (320, 240)


def test_a_png_is_partly_transparent() -> None:
    opened = Image.open(io.BytesIO(still("PNG").content))
    assert opened.getchannel("A").getextrema() == (0, 255)


def test_a_gif_has_two_frames() -> None:
    assert getattr(Image.open(io.BytesIO(still("GIF").content)), "n_frames", 1) == 2


def test_a_sticker_is_transparent_around_its_centre() -> None:
    opened = Image.open(io.BytesIO(sticker().content))
    assert (opened.format, opened.size) == ("WEBP", (512, 512))
    assert opened.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]  # RGBA has four bands


@pytest.mark.parametrize("container", ["mp4", "mov", "3gp"])
def test_a_video_has_picture_and_tone_of_its_length(container: str) -> None:
    sample = video("car", 2.0, 320, 240, container=container)  # type: ignore[arg-type]  # from the table
    with av.open(io.BytesIO(sample.content), "r") as opened:
        assert [stream.codec_context.name for stream in opened.streams] == ["h264", "aac"]
        assert len(list(opened.decode(video=0))) == 30
        sound = opened.streams.audio[0]
        assert sound.duration is not None
        assert abs(sound.duration * (sound.time_base or Fraction(1)) - 2) < 0.1
    assert resembles(first_frame(sample), drawn("car", 320, 240, seed=1))


def test_the_index_of_a_video_follows_its_media() -> None:
    kinds = [kind for kind, _ in atoms(video(seconds=0.4).content)]
    assert kinds.index(b"moov") > kinds.index(b"mdat")


def test_a_video_can_be_hevc() -> None:
    with av.open(io.BytesIO(EVERYTHING["hevc"]().content), "r") as opened:
        assert opened.streams.video[0].codec_context.name == "hevc"


def test_a_video_contains_its_place() -> None:
    with av.open(io.BytesIO(video(seconds=0.4).content), "r") as opened:
        assert opened.metadata["location"].startswith("+52.5200+013.4050")


def test_a_video_without_location_contains_no_place() -> None:
    content = video(seconds=0.4, location=False).content
    assert b"52.52" not in content
    with av.open(io.BytesIO(content), "r") as opened:
        assert "location" not in opened.metadata


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_video_is_stored_rotated_and_shown_upright(rotation: int) -> None:
    sample = video("car", 0.4, 320, 240, rotation=rotation)  # type: ignore[arg-type]  # from the table
    with av.open(io.BytesIO(sample.content), "r") as opened:
        stored = opened.streams.video[0]
        assert (stored.width, stored.height) == (
            (240, 320) if rotation in {90, 270} else (320, 240)
        )
    shown = first_frame(sample)
    assert shown.size == (320, 240)
    assert resembles(shown, drawn("car", 320, 240, seed=1))


@pytest.mark.parametrize("name", ["photo", "png", "gif", "mp4"])
def test_a_padded_sample_has_the_given_size_and_still_decodes(name: str) -> None:
    sample = padded(EVERYTHING[name](), 2_000_000)
    assert len(sample.content) == 2_000_000
    if name == "mp4":
        assert first_frame(sample).size == (160, 120)
    else:
        Image.open(io.BytesIO(sample.content)).load()


def test_a_sample_cannot_be_padded_to_a_smaller_size() -> None:
    with pytest.raises(ValueError, match="too few"):
        padded(still("GIF"), 100)


def test_a_recording_is_opus() -> None:
    with av.open(io.BytesIO(voice(1.0).content), "r") as recording:
        assert recording.streams.audio[0].codec_context.name == "opus"
        assert sum(frame.samples for frame in recording.decode(audio=0)) >= 48_000
