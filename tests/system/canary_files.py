"""Files of every format with words hidden wherever the format has a place for them."""

import io
import zipfile
from collections.abc import Mapping

from PIL import Image

from simulator import Sample, sound
from simulator.samples.sounds import SoundContainer
from tests.normalizer.office_files import docx, open_document, package, paragraph, pptx, xlsx
from tests.normalizer.pdf_files import Pdf, says, stream

#: No rendition, event or log may contain it, in any case of letters.
CANARY = b"CANARY"
#: Part of each file's name. Events show it; logs never do.
NAME = "whisper"


def _archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("CANARY-member.txt", b"CANARY-appended")
    return file.getvalue()


APPENDED = _archive()


def _picture() -> bytes:
    """Return a photo with a place, a device and a comment."""
    exif = Image.Exif()
    exif[0x010F] = "CANARY-device"
    exif.get_ifd(0x8825)[0x001D] = "CANARY-place"
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(file, "JPEG", exif=exif, comment=b"CANARY-comment")
    return file.getvalue()


def pdf() -> bytes:
    made = Pdf()
    info = made.add(b"<</Title(CANARY-title)/Author(CANARY-author)/Keywords(CANARY-tag)>>")
    packet = b"<x:xmpmeta><exif:GPSLatitude>CANARY-place</exif:GPSLatitude></x:xmpmeta>"
    xmp = made.add(stream(packet, b"/Type/Metadata/Subtype/XML"))
    file = made.add(stream(b"CANARY-file", b"/Type/EmbeddedFile"))
    names = b"/Names<</EmbeddedFiles<</Names[(CANARY-name)<</EF<</F %d 0 R>>>>]>>>>" % file
    script = b"/OpenAction<</S/JavaScript/JS(CANARY-script)>>"
    made.catalogue = b"/Metadata %d 0 R%s%s" % (xmp, names, script)
    made.trailer = b"/Info %d 0 R" % info
    link = made.add(b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(CANARY-link)>>>>")
    note = made.add(b"<</Type/Annot/Subtype/Text/Rect[9 9 20 20]/Contents(CANARY-note)>>")
    image = (
        b"/Type/XObject/Subtype/Image/Width 64/Height 48/BitsPerComponent 8/ColorSpace/DeviceRGB"
    )
    shown = made.add(stream(_picture(), image + b"/Filter/DCTDecode"))
    made.page(
        says("Words") + b" q 100 0 0 75 72 400 cm /I Do Q % CANARY-remark",
        resources=b"/Font<</F 5 0 R>>/XObject<</I %d 0 R>>" % shown,
        more=b"/Annots[%d 0 R %d 0 R]/PieceInfo<</A(CANARY-piece)>>" % (link, note),
    )
    return made.content() + APPENDED


def _with_parts(document: bytes, parts: Mapping[str, str | bytes]) -> bytes:
    """Return an office document with further parts, a comment, and something after its end."""
    with zipfile.ZipFile(io.BytesIO(document)) as read:
        found: dict[str, str | bytes] = {each: read.read(each) for each in read.namelist()}
        method = read.infolist()[0].compress_type
    file = io.BytesIO(package({**found, **parts}, compression=method))
    with zipfile.ZipFile(file, "a") as made:
        made.comment = b"CANARY-comment"
    return file.getvalue()


_PROPERTIES: dict[str, str | bytes] = {
    "docProps/core.xml": "<c><creator>CANARY-author</creator></c>",
    "docProps/custom.xml": "<c><property>CANARY-tag</property></c>",
    "docProps/thumbnail.jpeg": _picture(),
}


def word() -> bytes:
    deleted = "<w:p><w:del><w:r><w:delText>CANARY-deleted</w:delText></w:r></w:del></w:p>"
    hidden = paragraph("CANARY-hidden", "<w:vanish/>")
    parts: dict[str, str | bytes] = {
        "word/media/image1.jpeg": _picture(),
        "word/vbaProject.bin": b"CANARY-macro",
        "word/embeddings/oleObject1.bin": b"CANARY-file",
        "word/_rels/document.xml.rels": '<R><Relationship Id="x" Target="http://CANARY-link"/></R>',
    }
    return _with_parts(
        docx(paragraph("Words") + deleted + hidden, comments="<w:p>CANARY-comment</w:p>"),
        {**_PROPERTIES, **parts},
    )


def workbook() -> bytes:
    rows = "<sheetData><row><c t='inlineStr'><is><t>{}</t></is></c></row></sheetData>"
    made = xlsx(
        {"Prices": rows.format("Words"), "CANARY-sheet": rows.format("CANARY-hidden")},
        state=' state="hidden"',
    )
    return _with_parts(made, {**_PROPERTIES, "xl/comments1.xml": "<c>CANARY-comment</c>"})


def slides() -> bytes:
    return _with_parts(pptx("Words", "hidden:CANARY-slide", notes="CANARY-notes"), _PROPERTIES)


def open_text() -> bytes:
    body = (
        "<text:p>Words<office:annotation><text:p>CANARY-note</text:p></office:annotation></text:p>"
    )
    parts: dict[str, str | bytes] = {
        "meta.xml": "<m>CANARY-author</m>",
        "Thumbnails/thumbnail.png": b"CANARY-cover",
    }
    return _with_parts(open_document("text", body), parts)


def plain_text() -> bytes:
    hidden = "".join(chr(0xE0000 + letter) for letter in CANARY)
    return f"Words{hidden}\u202e and more".encode()


def contact() -> bytes:
    return (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Example\r\nTEL:+491701234567\r\n"
        b"PHOTO;ENCODING=b;TYPE=JPEG:Q0FOQVJZ\r\nX-PLACE:CANARY-place\r\nGEO:52.5;CANARY\r\n"
        b"NOTE:CANARY-note\r\nKEY:CANARY-key\r\nREV:CANARY-time\r\nPRODID:CANARY-program\r\nEND:VCARD\r\n"
    )


def calendar() -> bytes:
    # The text of an entry is shown whole; what is hidden is what a reader of text cannot see.
    hidden = "".join(chr(0xE0000 + letter) for letter in CANARY)
    return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Words{hidden}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n".encode()


def _sound(container: SoundContainer) -> Sample:
    made = sound(container, 0.6, seed=4, name=f"{NAME}.{container}")
    return Sample(made.name, made.media_type, made.content + APPENDED)


_BYTES = "application/octet-stream"

#: Each file, and the kind that agents see.
FILES: Mapping[str, tuple[Sample, str]] = {
    **{
        each: (_sound(each), "audio")
        for each in ("ogg", "m4a", "3gp", "amr", "mp3", "caf", "wav", "flac")
    },
    "pdf": (Sample(f"{NAME}.pdf", "application/pdf", pdf()), "document"),
    "docx": (Sample(f"{NAME}.docx", _BYTES, word()), "document"),
    "xlsx": (Sample(f"{NAME}.xlsx", _BYTES, workbook()), "document"),
    "pptx": (Sample(f"{NAME}.pptx", _BYTES, slides()), "document"),
    "odt": (Sample(f"{NAME}.odt", _BYTES, open_text()), "document"),
    "text": (Sample(f"{NAME}.txt", "text/plain", plain_text()), "document"),
    "calendar": (Sample(f"{NAME}.ics", "text/calendar", calendar()), "document"),
    "card": (Sample(f"{NAME}.vcf", "text/vcard", contact()), "contact"),
}
