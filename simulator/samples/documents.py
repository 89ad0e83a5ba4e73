"""Documents as offices make them: a PDF with everything that may hide in one, and a letter of a text program."""

import io
import zipfile
from collections.abc import Sequence

from .sample import Sample, canaries_for, xmp

_LINE_HEIGHT = 30

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"


def document(
    words: str = "Example invoice", *, pages: int = 1, seed: int = 1, name: str = "invoice.pdf"
) -> Sample:
    """Return a PDF whose pages say the words, one line below the other, and their number."""
    canary = f"canary-document-{seed}"
    catalogue = (
        "<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R /Names << /EmbeddedFiles << /Names "
        f"[({canary}-name) << /Type /Filespec /F ({canary}-name) /EF << /F 5 0 R >> >>] >> >> "
        f"/OpenAction << /S /JavaScript /JS (app.alert\\('{canary}-script'\\)) >> >>"
    )
    first = 8
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(pages))
    objects = [
        catalogue.encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        f"<< /Title ({canary}) /Author ({canary}-author) /CreationDate (D:20261121160500) >>".encode(),
        _stream(xmp(f"{canary}-xmp"), b"/Type /Metadata /Subtype /XML "),
        _stream(f"{canary}-file".encode(), b"/Type /EmbeddedFile "),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI ({canary}-link) >> >>".encode(),
    ]
    for number in range(pages):
        lines = [*words.splitlines(), *([f"Page {number + 1}"] if pages > 1 else [])]
        page = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 6 0 R >> >> "
            f"/Annots [7 0 R] /Contents {first + 2 * number + 1} 0 R >>"
        )
        objects += [page.encode(), _stream(_drawing(lines))]
    trailing = f"{canary}-trailing".encode()
    places = ("author", "xmp", "file", "name", "script", "link", "trailing")
    return Sample(name, "application/pdf", _pdf(objects) + trailing, canaries_for(canary, *places))


def letter(words: str = "Dear Sir or Madam,\nthe drum is loud.", *, seed: int = 1) -> Sample:
    """Return a DOCX with these paragraphs, a hidden one, and properties that name its author."""
    canary = f"canary-letter-{seed}"
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in words.splitlines())
    hidden = f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{canary}-hidden</w:t></w:r></w:p>"
    parts = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{paragraphs}{hidden}</w:body></w:document>',
        "docProps/core.xml": f'<p:coreProperties xmlns:p="{_PROPERTIES}">{canary}-author</p:coreProperties>',
        "word/media/image1.jpeg": f"{canary}-picture",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    hidden_words = canaries_for(canary, "hidden", "author", "picture")
    return Sample("letter.docx", media_type, file.getvalue(), hidden_words)


def _drawing(lines: Sequence[str]) -> bytes:
    shown = "".join(f"({_escaped(line)}) Tj 0 -{_LINE_HEIGHT} Td " for line in lines)
    return f"BT /F1 20 Tf 72 740 Td {shown}ET".encode("latin-1")


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< %s/Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)


def _pdf(objects: Sequence[bytes]) -> bytes:
    file, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    count, at = len(objects) + 1, len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    file += b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        count,
        at,
    )
    return file
