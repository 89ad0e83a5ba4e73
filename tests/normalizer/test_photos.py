"""Photos of all kinds become previews and thumbnails that look right and stay within their limits."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from normalizer.media import MediaRejected

from .assertions import alike, assert_bare, assert_upright, colour, content, rendition, shown
from .conftest import Sanitize
from .media_samples import encoded, heic, natural, noise, oriented, quadrants
from .profiles import ADOBE_RGB, DISPLAY_P3, SWAPPED, profile

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The transposition that turns an upright picture into one with EXIF's orientation.
LYING = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def lying(orientation: int, width: int = 600, height: int = 400, mode: str = "RGB") -> Image.Image:
    image, turn = quadrants(width, height, mode), LYING[orientation]
    return image if turn is None else image.transpose(turn)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
async def test_photos_are_turned_upright(sanitize: Sanitize, form: str, orientation: int) -> None:
    clean = await sanitize(encoded(lying(orientation), form, exif=oriented(orientation)))
    assert (clean.width, clean.height) == (600, 400)
    assert_upright(shown(clean, "preview"), 25)
    assert_upright(shown(clean, "thumbnail"), 25)
    assert_bare(clean)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_an_orientation_only_in_xmp_counts(sanitize: Sanitize, form: str) -> None:
    xmp = b"<x:xmpmeta><rdf:Description tiff:Orientation='6'/></x:xmpmeta>"
    options: dict[str, Any] = {"xmp": xmp}
    if form == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        options = {"pnginfo": text}
    clean = await sanitize(encoded(lying(6), form, **options))
    assert_upright(shown(clean, "preview"), 25)


@pytest.mark.parametrize(
    ("form", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})]
)
async def test_invisible_colours_are_removed(
    sanitize: Sanitize, form: str, options: dict[str, Any]
) -> None:
    pixels = np.array(quadrants(64, 48, "RGBA"))
    pixels[:20, :20] = (11, 22, 33, 0)
    pixels[20:40, :20] = (110, 120, 130, 1)
    source = encoded(Image.fromarray(pixels), form, **options)
    preview = np.array(shown(await sanitize(source), "preview"))
    assert not preview[:20, :20].any()
    # All other pixels are unchanged.
    pixels[:20, :20] = 0
    assert (preview == pixels).all()


async def test_the_area_around_a_small_gif_frame_is_transparent(sanitize: Sanitize) -> None:
    frame = encoded(Image.new("RGB", (30, 20), "red"), "GIF")
    at = frame.index(b"\x2c\0\0\0\0")
    # On a screen of 90 x 80 pixels, 40 from the left and 30 from the top.
    moved = (
        frame[:6]
        + struct.pack("<HH", 90, 80)
        + frame[10:at]
        + struct.pack("<BHH", 0x2C, 40, 30)
        + frame[at + 5 :]
    )
    preview = shown(await sanitize(moved), "preview").convert("RGBA")
    assert preview.size == (90, 80)
    assert preview.getchannel("A").getbbox() == (40, 30, 70, 50)
    assert alike(colour(preview, 55 / 90, 40 / 80), (255, 0, 0, 255), 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_exif_upright_outweighs_a_stale_xmp_orientation(
    sanitize: Sanitize, form: str
) -> None:
    xmp = b"<x:xmpmeta><rdf:Description tiff:Orientation='6'/></x:xmpmeta>"
    options: dict[str, Any] = {"xmp": xmp}
    if form == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": text}
    clean = await sanitize(encoded(lying(1), form, exif=oriented(1), **options))
    assert (clean.width, clean.height) == (600, 400)
    assert_upright(shown(clean, "preview"), 25)


async def test_the_first_exif_block_counts(sanitize: Sanitize) -> None:
    photo = encoded(lying(1), "JPEG", exif=oriented(1))
    block = b"\xff\xe1" + (len(oriented(3)) + 2).to_bytes(2, "big") + oriented(3)
    end = 4 + int.from_bytes(photo[4:6], "big")
    assert photo[2:4] == b"\xff\xe0"
    first = end + 2 + int.from_bytes(photo[end + 2 : end + 4], "big")
    assert photo[end : end + 2] == b"\xff\xe1"
    clean = await sanitize(photo[:first] + block + photo[first:])
    assert_upright(shown(clean, "preview"), 25)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_heic_is_turned_only_once(sanitize: Sanitize, orientation: int) -> None:
    # pillow-heif also writes EXIF's orientation as the file's own rotation (irot, imir), as phones do.
    file = pillow_heif.from_pillow(lying(orientation))
    file.info["exif"] = oriented(orientation)
    buffer = io.BytesIO()
    file.save(buffer, quality=90)
    assert orientation == 1 or b"irot" in buffer.getvalue() or b"imir" in buffer.getvalue()
    clean = await sanitize(buffer.getvalue())
    assert (clean.width, clean.height) == (600, 400)
    assert_upright(shown(clean, "preview"), 25)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
async def test_wide_colours_and_orientation_combine(sanitize: Sanitize, orientation: int) -> None:
    photo = encoded(
        lying(orientation, 1800, 1300), exif=oriented(orientation), icc_profile=profile(DISPLAY_P3)
    )
    clean = await sanitize(photo)
    preview = shown(clean, "preview")
    assert preview.size == (1800, 1300)
    expected = ImageCms.profileToProfile(
        quadrants(),
        ImageCms.ImageCmsProfile(io.BytesIO(profile(DISPLAY_P3))),
        ImageCms.createProfile("sRGB"),
    )
    assert expected is not None
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)):
        assert alike(colour(preview, x, y), colour(expected, x, y), 6)


@pytest.mark.parametrize(
    ("primaries", "gamma"), [(DISPLAY_P3, None), (ADOBE_RGB, 2.19921875), (SWAPPED, None)]
)
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
async def test_colours_match_a_colour_management_system(
    sanitize: Sanitize, primaries: Any, gamma: float | None, form: str, options: dict[str, Any]
) -> None:
    steps = np.linspace(0, 255, 12).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(36, 48, 3)
    photo = Image.fromarray(cube).resize((48 * 8, 36 * 8), Image.Resampling.NEAREST)
    icc = profile(primaries, gamma)
    clean = await sanitize(encoded(photo, form, icc_profile=icc, **options))
    expected = ImageCms.profileToProfile(
        photo, ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    )
    assert expected is not None
    difference = np.abs(
        np.asarray(shown(clean, "preview").convert("RGB")).astype(int)
        - np.asarray(expected).astype(int)
    )
    # A screenshot stays PNG, where every level counts; other photos lose some to JPEG.
    exact = rendition(clean, "preview").media_type == "image/png"
    assert exact or form != "PNG"
    assert np.median(difference) <= (0 if exact else 3)
    assert np.percentile(difference, 99) <= (1 if exact else 60)


async def test_an_srgb_profile_changes_nothing(sanitize: Sanitize) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = await sanitize(encoded(quadrants(), "PNG"))
    tagged = await sanitize(encoded(quadrants(), "PNG", icc_profile=icc))
    assert content(plain, "preview") == content(tagged, "preview")


@pytest.mark.parametrize("icc", [b"", b"\0" * 200, profile(DISPLAY_P3)[:150], b"x" * 5000])
async def test_a_broken_profile_is_ignored(sanitize: Sanitize, icc: bytes) -> None:
    assert_upright(shown(await sanitize(encoded(quadrants(), icc_profile=icc)), "preview"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_every_png_pixel_format_looks_right(sanitize: Sanitize, mode: str) -> None:
    image = quadrants()
    if mode == "I;16":
        grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
        stored = Image.fromarray(grey)
    else:
        stored = image.convert(mode)
    preview = shown(await sanitize(encoded(stored, "PNG")), "preview").convert("RGB")
    for x, y in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)):
        if mode == "1":
            continue
        expected = colour((image.convert("L") if mode == "I;16" else stored).convert("RGB"), x, y)
        assert alike(colour(preview, x, y), expected, 6), mode


async def test_sixteen_bit_colour_is_scaled_and_not_clipped(sanitize: Sanitize) -> None:
    """A 16-bit RGB PNG, built by hand because Pillow cannot write it."""
    pixels = (np.asarray(quadrants(64, 48)).astype(np.uint16) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    assert_upright(shown(await sanitize(png), "preview"))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
async def test_cmyk_becomes_rgb(sanitize: Sanitize, form: str) -> None:
    clean = await sanitize(
        encoded(quadrants().convert("CMYK"), form, **({"quality": 95} if form == "JPEG" else {}))
    )
    assert_upright(shown(clean, "preview"), 20)


async def test_transparency_stays_in_the_preview_and_is_white_in_the_thumbnail(
    sanitize: Sanitize,
) -> None:
    image = quadrants(400, 300, "RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 200, 150))
    clean = await sanitize(encoded(image, "PNG"))
    preview = shown(clean, "preview")
    assert rendition(clean, "preview").media_type == "image/png"
    assert colour(preview, 0.25, 0.25)[3] == 0
    assert colour(preview, 0.75, 0.75)[3] == 255
    thumbnail = shown(clean, "thumbnail")
    assert alike(colour(thumbnail, 0.1, 0.1), (255, 255, 255), 6)


async def test_a_transparent_palette_colour_counts_as_transparency(
    sanitize: Sanitize,
) -> None:
    image = quadrants(120, 90).quantize(8)
    clean = await sanitize(encoded(image, "GIF", transparency=image.getpixel((10, 10))))
    assert colour(shown(clean, "preview"), 0.1, 0.1)[3] == 0


async def test_transparency_that_is_too_large_becomes_white(sanitize: Sanitize) -> None:
    image = noise(2000, 1500).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    clean = await sanitize(encoded(image, "PNG", compress_level=1))
    assert rendition(clean, "preview").media_type == "image/jpeg"
    assert len(content(clean, "preview")) <= 3_000_000


async def test_fully_opaque_alpha_is_not_transparency(sanitize: Sanitize) -> None:
    clean = await sanitize(encoded(natural(800, 600).convert("RGBA"), "PNG"))
    assert rendition(clean, "preview").media_type == "image/jpeg"


async def test_a_small_screenshot_stays_exact(sanitize: Sanitize) -> None:
    image = quadrants(600, 1300)
    clean = await sanitize(encoded(image, "PNG"))
    assert rendition(clean, "preview").media_type == "image/png"
    assert shown(clean, "preview").tobytes() == image.tobytes()


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
async def test_the_first_frame_of_an_animation_is_shown(sanitize: Sanitize, form: str) -> None:
    frames = [
        quadrants(96, 72),
        Image.new("RGB", (96, 72), "black"),
        Image.new("RGB", (96, 72), "white"),
    ]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100}
    clean = await sanitize(encoded(frames[0], form, **options))
    assert_upright(shown(clean, "preview"), 30)


async def test_multi_picture_jpegs_are_photos(sanitize: Sanitize) -> None:
    clean = await sanitize(
        encoded(quadrants(), "MPO", save_all=True, append_images=[Image.new("RGB", (640, 480))])
    )
    assert_upright(shown(clean, "preview"))


async def test_a_motion_photo_becomes_its_photo(sanitize: Sanitize) -> None:
    make_video = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4000 + b"\xff\xda" * 500
    clean = await sanitize(encoded(quadrants()) + make_video)
    assert_upright(shown(clean, "preview"))
    assert_bare(clean)


async def test_progressive_jpegs_are_photos(sanitize: Sanitize) -> None:
    assert_upright(shown(await sanitize(encoded(quadrants(), progressive=True)), "preview"))


async def test_ten_bit_heic_and_avif_look_right(sanitize: Sanitize) -> None:
    wide = (np.asarray(quadrants(256, 192)).astype(np.uint16) * 257).tobytes()
    file = pillow_heif.from_bytes(mode="RGB;16", size=(256, 192), data=wide)
    buffer = io.BytesIO()
    file.save(buffer, quality=90)
    assert_upright(shown(await sanitize(buffer.getvalue()), "preview"), 25)


async def test_a_heic_of_tiles_looks_right(sanitize: Sanitize) -> None:
    clean = await sanitize(heic(quadrants(1500, 1100), tile_size=512))
    assert (clean.width, clean.height) == (1500, 1100)
    assert_upright(shown(clean, "preview"), 25)


async def test_neighbours_do_not_blend_into_a_tiny_thumbnail(
    sanitize: Sanitize,
) -> None:
    image = Image.new("RGB", (9, 3), (220, 40, 40))
    image.paste((20, 20, 200), (3, 0, 6, 3))
    thumbnail = shown(await sanitize(encoded(image, "PNG")), "thumbnail")
    for x in (0.05, 0.5, 0.95):
        assert alike(colour(thumbnail, x, 0.5), (20, 20, 200), 6)


async def test_thumbnails_show_the_middle(sanitize: Sanitize) -> None:
    image = Image.new("RGB", (900, 300), (250, 250, 250))
    image.paste((20, 20, 200), (300, 0, 600, 300))
    thumbnail = shown(await sanitize(encoded(image)), "thumbnail")
    assert alike(colour(thumbnail, 0.05, 0.5), (20, 20, 200), 12)
    assert alike(colour(thumbnail, 0.95, 0.5), (20, 20, 200), 12)


async def test_many_concurrent_photos_are_all_done(sanitize: Sanitize) -> None:
    import asyncio

    photos = [encoded(quadrants(300 + n, 200)) for n in range(40)]
    results = await asyncio.gather(*map(sanitize, photos))
    assert [clean.width for clean in results] == [300 + n for n in range(40)]


async def test_too_many_pixels_are_refused(sanitize: Sanitize) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(encoded(Image.new("L", (8001, 8000)), "PNG"))
    assert refusal.value.reason == "too_many_pixels"
