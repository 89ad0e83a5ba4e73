"""Whether an office document holds more than a document: macros, controls, embedded files, or parts from elsewhere.

What is found here decides only whether agents are offered the file itself; the text is read without any of it.
"""

import mmap
import re
from typing import Any

from normalizer.sandbox.job import JobRequest

from .office.package import Package
from .office.xml import Attributes, Reader, read_part

#: Parts of OOXML (ECMA-376, part 1, and MS-OFFMACRO2) and of OpenDocument (1.3, part 2) that programs run or open.
_ACTIVE_NAME = re.compile(
    r"vba|macro|activex|/embeddings/|oleobject|/ctrlprops/|customui|webextension|afchunk"
    r"|^basic/|^scripts/|^dialogs/",
    re.IGNORECASE,
)
_ACTIVE_TYPE = re.compile(r"macro|vba|activex|oleobject|control|afchunk", re.IGNORECASE)

#: The only relation to something outside of a document that opens nothing by itself.
_LINK = "/hyperlink"

#: Elements of OpenDocument that run scripts or open what is linked.
_ACTIVE_ELEMENTS = frozenset(
    {"event-listeners", "event-listener", "dde-source", "dde-connection-decl"}
)


class _Types(Reader):
    """Reads content types and relations."""

    def __init__(self) -> None:
        super().__init__()
        self.is_active = False

    def opened(self, name: str, attributes: Attributes) -> None:
        kind = attributes.get("Type", "")
        outside = attributes.get("TargetMode", "") == "External" and not kind.endswith(_LINK)
        named = f"{kind} {attributes.get('ContentType', '')}"
        self.is_active |= outside or bool(_ACTIVE_TYPE.search(named)) or name in _ACTIVE_ELEMENTS


def active(request: JobRequest) -> dict[str, Any]:
    """Say whether a document holds anything that a program could run."""
    (source,) = request.files
    content = mmap.mmap(source, request.message["bytes"], access=mmap.ACCESS_READ)
    return {"active": is_active(Package(content))}


def is_active(package: Package) -> bool:
    if any(_ACTIVE_NAME.search(name) for name in package.names):
        return True
    types = _Types()
    for name in package.names:
        if name.endswith(".rels") or name in {"[Content_Types].xml", "content.xml", "styles.xml"}:
            read_part(package, name, types)
    return types.is_active
