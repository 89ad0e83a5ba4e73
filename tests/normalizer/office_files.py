"""Office documents as programs write them, built part by part."""

import io
import zipfile
from collections.abc import Mapping

_MAIN = "http://schemas.openxmlformats.org"
_R = f'xmlns:r="{_MAIN}/officeDocument/2006/relationships"'
_W = f'xmlns:w="{_MAIN}/wordprocessingml/2006/main" xmlns:mc="{_MAIN}/markup-compatibility/2006"'
_X = f'xmlns="{_MAIN}/spreadsheetml/2006/main" {_R}'
_P = f'xmlns:p="{_MAIN}/presentationml/2006/main" xmlns:a="{_MAIN}/drawingml/2006/main" {_R}'
_O = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "style", "draw", "presentation", "manifest")
)

Parts = Mapping[str, str | bytes]


def package(parts: Parts, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def docx(body: str, **more: str) -> bytes:
    """Return a document with this body; `more` are further parts of `word/` by name, without `.xml`."""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
    }
    return package(
        parts | {f"word/{name}.xml": f"<w:x {_W}>{xml}</w:x>" for name, xml in more.items()}
    )


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def xlsx(
    sheets: Mapping[str, str], *, strings: str = "", styles: str = "", state: str = ""
) -> bytes:
    """Return a workbook of these sheets' rows; the last one has that state."""
    names = list(sheets)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"{state if name == names[-1] else ""}/>'
        for n, name in enumerate(names, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    return package(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": f"<workbook {_X}><sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
            "xl/sharedStrings.xml": f"<sst {_X}>{strings}</sst>",
            "xl/styles.xml": f"<styleSheet {_X}>{styles}</styleSheet>",
        }
        | {
            f"xl/worksheets/sheet{n}.xml": f"<worksheet {_X}>{sheets[name]}</worksheet>"
            for n, name in enumerate(names, 1)
        }
    )


def pptx(*slides: str, notes: str = "") -> bytes:
    """Return a presentation; a slide that begins with `show=` is an attribute and its content."""
    ids = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in range(1, len(slides) + 1))
    related = "".join(
        f'<Relationship Id="rId{n}" Target="slides/slide{n}.xml"/>'
        for n in range(1, len(slides) + 1)
    )
    parts = {
        "[Content_Types].xml": "<Types/>",
        "ppt/presentation.xml": f"<p:presentation {_P}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": f"<Relationships>{related}</Relationships>",
    }
    for n, slide in enumerate(slides, 1):
        shown = ' show="0"' if slide.startswith("hidden:") else ""
        text = slide.removeprefix("hidden:")
        parts[f"ppt/slides/slide{n}.xml"] = (
            f"<p:sld {_P}{shown}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>"
        )
    if notes:
        parts["ppt/notesSlides/notesSlide1.xml"] = f"<p:notes {_P}><a:t>{notes}</a:t></p:notes>"
    return package(parts)


def open_document(kind: str, body: str, *, styles: str = "", manifest: str = "") -> bytes:
    return package(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {_O}><office:automatic-styles>{styles}"
            f"</office:automatic-styles><office:body>{body}</office:body></office:document-content>",
            "META-INF/manifest.xml": f"<manifest:manifest {_O}>{manifest}</manifest:manifest>",
        },
        compression=zipfile.ZIP_STORED,
    )
