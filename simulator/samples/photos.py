"""Photos and drawings as phones make them: JPEG, HEIC, PNG, GIF and stickers."""

import io

import pillow_heif
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from simulator.scenery import Scene, drawn

from .sample import ALTITUDE, CAMERA, Sample, canaries_for, xmp

#: How an upright picture is stored, by the EXIF orientation that makes it upright again.
_UPRIGHT_TO_STORED: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def photo(
    scene: Scene = "parcel",
    width: int = 1600,
    height: int = 1200,
    *,
    seed: int = 1,
    orientation: int = 1,
    gps: bool = True,
    name: str = "IMG_0042.JPG",
) -> Sample:
    """Return a JPEG of the scene, stored so that EXIF `orientation` (1 to 8) shows it upright."""
    picture = drawn(scene, width, height, seed=seed)
    if orientation in _UPRIGHT_TO_STORED:
        picture = picture.transpose(_UPRIGHT_TO_STORED[orientation])
    canary = f"canary-photo-{seed}"
    file = io.BytesIO()
    picture.save(
        file,
        "JPEG",
        quality=88,
        exif=_exif(orientation, canary, gps=gps),
        comment=f"{canary}-comment".encode(),
        xmp=xmp(f"{canary}-xmp"),
    )
    hidden = canaries_for(
        canary, "artist", "user", "comment", "xmp", "trailing", *(["area"] if gps else [])
    )
    trailing = f"{canary}-trailing".encode()
    return Sample(name, "image/jpeg", file.getvalue() + trailing, (*hidden, CAMERA.encode()))


def heic(
    scene: Scene = "car",
    width: int = 1200,
    height: int = 900,
    *,
    seed: int = 1,
    name: str = "IMG_0044.HEIC",
) -> Sample:
    """Return a photo as iPhones store it."""
    canary = f"canary-heic-{seed}"
    file = io.BytesIO()
    picture = pillow_heif.from_pillow(drawn(scene, width, height, seed=seed))
    fast = {"preset": "ultrafast"}
    picture.save(file, quality=60, enc_params=fast, exif=_exif(1, canary, gps=True).tobytes())
    hidden = canaries_for(canary, "artist", "user", "area")
    return Sample(name, "image/heic", file.getvalue(), (*hidden, CAMERA.encode()))


def still(format: str, scene: Scene = "car", side: int = 400, *, seed: int = 1) -> Sample:
    """Return a PNG with transparency, or a GIF of two frames."""
    picture = drawn(scene, side, side * 3 // 4, seed=seed)
    canary = f"canary-still-{seed}"
    file = io.BytesIO()
    if format == "PNG":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", canary)
        picture.save(file, "PNG", pnginfo=info)
    else:
        second = drawn(scene, side, side * 3 // 4, seed=seed, progress=0.5)
        picture.save(
            file,
            "GIF",
            save_all=True,
            append_images=[second],
            duration=200,
            comment=canary.encode(),
        )
    name, media_type = f"still.{format.lower()}", f"image/{format.lower()}"
    return Sample(name, media_type, file.getvalue(), canaries_for(canary))


def sticker(scene: Scene = "bicycle", *, seed: int = 1) -> Sample:
    """Return a WebP of 512 by 512 pixels that is transparent around its centre."""
    picture = drawn(scene, 512, 512, seed=seed)
    picture.putalpha(
        Image.radial_gradient("L").point(lambda far: 0 if far > 120 else 255).resize((512, 512))
    )
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=70)
    return Sample("sticker.webp", "image/webp", file.getvalue())


def _exif(orientation: int, canary: str, *, gps: bool) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = CAMERA
    exif[ExifTags.Base.ImageDescription] = canary
    exif[ExifTags.Base.Artist] = f"{canary}-artist"
    exif[ExifTags.Base.DateTime] = "2026:11:21 16:05:00"
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.UserComment: b"ASCII\0\0\0" + f"{canary}-user".encode(),
            ExifTags.Base.DateTimeOriginal: "2026:11:21 16:05:00",
        }
    )
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N",
                ExifTags.GPS.GPSLatitude: _degrees(52, 31, 12),
                ExifTags.GPS.GPSLongitudeRef: "E",
                ExifTags.GPS.GPSLongitude: _degrees(13, 24, 18),
                ExifTags.GPS.GPSAltitude: TiffImagePlugin.IFDRational(ALTITUDE, 1),
                ExifTags.GPS.GPSAreaInformation: b"ASCII\0\0\0" + f"{canary}-area".encode(),
            }
        )
    return exif


def _degrees(*parts: int) -> tuple[TiffImagePlugin.IFDRational, ...]:
    return tuple(TiffImagePlugin.IFDRational(part, 1) for part in parts)
