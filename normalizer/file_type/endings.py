"""The endings of originals that may be offered for download, by what their bytes are.

Files of other types are never offered: pages, drawings and scripts, programs, shortcuts and disk images, archives,
which scanners look into only so far, Windows Media, which may open pages, and formats of which nothing shows cheaply
whether they hold macros.
"""

from collections.abc import Mapping

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

#: By media type. The bytes of None say nothing: no program opens its ending by itself.
ORIGINAL_ENDINGS: Mapping[str | None, str] = {
    None: "bin",
    f"{_OOXML}wordprocessingml.document": "docx",
    f"{_OOXML}spreadsheetml.sheet": "xlsx",
    f"{_OOXML}presentationml.presentation": "pptx",
    f"{_ODF}text": "odt",
    f"{_ODF}spreadsheet": "ods",
    f"{_ODF}presentation": "odp",
    "text/plain": "txt",
    "text/calendar": "ics",
    "image/bmp": "bmp",
    "image/vnd.adobe.photoshop": "psd",
    "image/jxl": "jxl",
    "image/jp2": "jp2",
    "image/tiff": "tif",
    "image/heic": "heic",
    "image/avif": "avif",
    "video/x-msvideo": "avi",
    "video/mpeg": "mpg",
    "video/x-flv": "flv",
    "video/webm": "webm",
    "video/ogg": "ogv",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "audio/mp4": "m4a",
    "audio/3gpp": "3gp",
    "audio/3gpp2": "3g2",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/aiff": "aif",
    "audio/x-caf": "caf",
    "audio/webm": "weba",
}
