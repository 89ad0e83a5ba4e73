"""The type that `airlock simulate` declares for a file follows from its name, and from what it is sent as."""

from pathlib import Path

import pytest

from gateway.cli.simulate import _read_sample


@pytest.mark.parametrize(
    ("name", "is_sound", "declared"),
    [
        ("clip.webm", False, "video/webm"),
        ("CLIP.WEBM", False, "video/webm"),
        ("clip.mkv", False, "video/x-matroska"),
        ("clip.3gp", False, "video/3gpp"),
        ("clip.mp4", False, "video/mp4"),
        ("clip.mov", False, "video/quicktime"),
        ("note.webm", True, "audio/webm"),
        ("note.mka", True, "audio/x-matroska"),
    ],
)
def test_a_file_is_declared_by_its_suffix(
    tmp_path: Path, name: str, is_sound: bool, declared: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"content")
    assert _read_sample(path, is_sound=is_sound).media_type == declared
