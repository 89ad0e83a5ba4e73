"""The smallest documents that reach every reader, for warming up."""

import io
import zipfile

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

_PACKAGES = {
    "docx": {"word/document.xml": "<d><p><r><t>x</t></r></p></d>"},
    "xlsx": {
        "xl/workbook.xml": f'<w xmlns:r="{_RELATIONS}"><sheet name="s" r:id="r"/></w>',
        "xl/_rels/workbook.xml.rels": '<r><Relationship Id="r" Target="s.xml"/></r>',
        "xl/s.xml": '<w><row><c r="A1"><v>1</v></c></row></w>',
    },
    "pptx": {
        "ppt/presentation.xml": f'<p xmlns:r="{_RELATIONS}"><sldId r:id="r"/></p>',
        "ppt/_rels/presentation.xml.rels": '<r><Relationship Id="r" Target="s.xml"/></r>',
        "ppt/s.xml": "<sld><p><t>x</t></p></sld>",
    },
    "odt": {"content.xml": "<d><body><p>x</p></body></d>"},
}


def samples() -> dict[str, bytes]:
    """Return a document of each format."""
    packages = {format: _package(parts) for format, parts in _PACKAGES.items()}
    return {
        **packages,
        "text": b"x",
        "calendar": b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n",
        "vcard": b"BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=41\nEND:VCARD\n",
    }


def _package(parts: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def pdf() -> bytes:
    """Return a PDF of one small page with letters, as old as can be: without a table."""
    drawing = b"BT /F 9 Tf 5 5 Td (x) Tj ET"
    fonts = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 20 20]/Contents 4 0 R/Resources<<%s>>>>" % fonts,
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
    )
    body = b"".join(b"%d 0 obj%s\nendobj\n" % each for each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF\n"
