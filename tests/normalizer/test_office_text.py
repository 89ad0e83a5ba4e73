"""Office documents become text: what a reader of the document sees, in order, and nothing that is hidden."""

from typing import Any

import pytest

from normalizer.media import OTHER_TEXT, Clean

from .assertions import content
from .conftest import Sanitize
from .office_files import docx, open_document, package, paragraph, pptx, xlsx

pytestmark = pytest.mark.asyncio(loop_scope="module")


def text_of(clean: Clean) -> str:
    assert clean.kind == "document"
    assert [each.name for each in clean.renditions if not each.name.startswith(OTHER_TEXT)] == [
        "text"
    ]
    assert clean.renditions[0].media_type == "text/plain; charset=utf-8"
    return content(clean, "text").decode()


def facts(clean: Clean) -> dict[str, Any]:
    return dict(clean.facts or {})


_HIDDEN = "<w:vanish/>"
_TABLE = (
    "<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr><w:tr><w:tc>{}</w:tc><w:tc/></w:tr></w:tbl>"
).format(*map(paragraph, ("Item", "Price", "Drum")))
_CELL = '<c r="{}" t="{}"><v>{}</v></c>'
_ODF_TABLE = (
    '<table:table table:name="Parts"><table:table-row><table:table-cell><text:p>Item</text:p></table:table-cell>'
    '<table:table-cell table:number-columns-repeated="2"/><table:table-cell><text:p>9</text:p></table:table-cell>'
    '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
    '<table:table-row table:visibility="filter"><table:table-cell><text:p>SECRET</text:p></table:table-cell>'
    "</table:table-row></table:table>"
)
_ODF_STYLE = (
    '<style:style style:name="H"><style:text-properties text:display="none"/></style:style>'
)

#: A document, its text, and whether it hides something.
DOCUMENTS: dict[str, tuple[bytes, str, bool]] = {
    "docx": (docx(paragraph("Dear Ann,") + paragraph("the drum &amp; motor")), "Dear Ann,\nthe drum & motor", False),
    "docx with a table": (docx(_TABLE), "Item\tPrice\nDrum", False),
    "docx with hidden text": (docx(paragraph("seen") + paragraph("SECRET", _HIDDEN)), "seen", True),
    "docx with text that is not hidden after all": (docx(paragraph("seen", '<w:vanish w:val="0"/>')), "seen", False),
    "docx with a hidden style": (
        docx(
            paragraph("seen") + paragraph("SECRET", '<w:rStyle w:val="H"/>'),
            styles='<w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>',
        ),
        "seen",
        True,
    ),
    "docx with deleted text": (
        docx("<w:p><w:del><w:r><w:delText>SECRET</w:delText></w:r></w:del><w:r><w:t>seen</w:t></w:r></w:p>"),
        "seen",
        True,
    ),
    "docx with a text box in two forms": (
        docx(
            "<w:p><w:r><mc:AlternateContent><mc:Choice>" + paragraph("once") + "</mc:Choice><mc:Fallback>"
            + paragraph("once") + "</mc:Fallback></mc:AlternateContent></w:r></w:p>"
        ),
        "once",
        False,
    ),
    "docx with notes": (docx(paragraph("body"), footnotes=paragraph("note"), comments=paragraph("SECRET")), "body\nnote", True),
    "xlsx": (
        xlsx(
            {
                "Costs": f"<sheetData><row>{_CELL.format('A1', 's', 0)}{_CELL.format('C1', 'n', 12.5)}</row>"
                f"<row>{_CELL.format('A2', 'b', 1)}{_CELL.format('B2', 'str', 'sum')}</row></sheetData>"
            },
            strings="<si><t>Drum</t></si>",
        ),
        "Costs\nDrum\t\t12.5\nTRUE\tsum",
        False,
    ),
    "xlsx with dates": (
        xlsx(
            {"D": '<row><c r="A1" s="1"><v>46000</v></c><c r="B1" s="2"><v>46000.5</v></c><c r="C1"><v>46000</v></c></row>'},
            styles='<numFmts><numFmt numFmtId="164" formatCode="[$-407]dd.mm.yyyy hh:mm"/></numFmts>'
            '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs>',
        ),
        "D\n2025-12-09\t2025-12-09 12:00:00\t46000",
        False,
    ),
    "xlsx with a hidden row and column": (
        xlsx(
            {
                "S": '<cols><col min="2" max="2" hidden="1"/></cols><sheetData>'
                f"<row>{_CELL.format('A1', 'n', 1)}{_CELL.format('B1', 'str', 'SECRET')}</row>"
                f'<row hidden="1">{_CELL.format("A2", "str", "SECRET")}</row></sheetData>'
            }
        ),
        "S\n1",
        True,
    ),
    "xlsx with a hidden sheet": (
        xlsx({"S": f"<row>{_CELL.format('A1', 'n', 1)}</row>", "T": f"<row>{_CELL.format('A1', 'str', 'SECRET')}</row>"}, state=' state="veryHidden"'),
        "S\n1",
        True,
    ),
    "pptx": (pptx("First", "Second"), "First\n\nSecond", False),
    "pptx with a hidden slide and notes": (pptx("First", "hidden:SECRET", notes="SECRET"), "First", True),
    "odt": (open_document("text", "<text:h>Offer</text:h><text:p>a<text:tab/>b<text:s text:c='3'/>c</text:p>"), "Offer\na\tb   c", False),
    "odt with hidden text": (
        open_document("text", "<text:p>seen<text:span text:style-name='H'>SECRET</text:span></text:p>", styles=_ODF_STYLE),
        "seen",
        True,
    ),
    "ods": (open_document("spreadsheet", _ODF_TABLE), "Parts\nItem\t\t\t9", True),
    "odp": (open_document("presentation", "<draw:page><text:p>One</text:p><presentation:notes><text:p>SECRET</text:p></presentation:notes></draw:page>"), "One", True),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_an_office_document_becomes_its_visible_text(sanitize: Sanitize, name: str) -> None:
    source, expected, differs = DOCUMENTS[name]
    clean = await sanitize(source)
    assert text_of(clean) == expected
    assert facts(clean) == {"complete": True, "text_differs": differs}


async def test_text_beyond_the_limit_is_cut_and_said(sanitize: Sanitize) -> None:
    clean = await sanitize(docx(paragraph("ü" * 150_000)))
    assert len(content(clean, "text")) == 200_000
    assert facts(clean)["complete"] is False


async def test_the_parts_of_a_large_first_member_are_still_recognised(sanitize: Sanitize) -> None:
    source = package(
        {"media/big.bin": bytes(range(256)) * 4000, "word/document.xml": "<p><r><t>x</t></r></p>"}
    )
    assert text_of(await sanitize(source)) == "x"
