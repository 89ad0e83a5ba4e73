"""Checks that `make check-scripts` cannot make: unchecked scripts, and types that differ from pages or responses."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import workspace
from tests.workspace import samples
from tests.workspace.running import RunningWorkspace

FOLDER = Path(workspace.__file__).parent
SCRIPTS = sorted((FOLDER / "static").rglob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_type_checked(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("// @ts-check\n")
    assert not re.search(r"@ts-(?:ignore|expect-error|nocheck)", text)


def test_declared_elements_match_the_templates() -> None:
    declared = (FOLDER / "static" / "elements.d.ts").read_text()
    declared = declared.partition("export interface Elements {")[2].partition("}")[0]
    taken = {
        id: set(re.findall(r'"([^"]+)"', tags))
        for id, tags in re.findall(r'^  "?([\w-]+)"?: (.+);$', declared, re.MULTILINE)
    }
    found = defaultdict(set)
    for page in (FOLDER / "templates").glob("*.html"):
        for tag, id in re.findall(r'<(\w+)[^>]*?\sid="([^"]+)"', page.read_text()):
            found[id].add(tag)
    assert len(taken) == declared.count(";")
    assert taken == {id: found[id] for id in taken}


async def test_declared_types_match_the_responses(
    running: RunningWorkspace,
) -> None:
    cards = [{"name": "Mia", "phones": [{"phone": "+1 555"}]}]
    attachments = [samples.photo(location={"name": "Home"}, contacts=cards)]
    await running.deliver(
        samples.received("evt_1", samples.message(1, reply_to="msg_0", attachments=attachments))
    )
    hidden = (await running.get("api/conversations/conv_mia/lines?since=0"))["lines"][0]
    opened = await running.open_conversation()
    await running.post("api/conversations/conv_mia/agents", {"do": "close"})
    *_, message, notice = (await running.get("api/conversations/conv_mia/lines?since=0"))["lines"]
    audit = await running.get("api/audit")
    answers = {
        "Me": await running.get("api/me"),
        "ConversationPage": await running.get("api/conversations?show=all"),
        "Conversation": opened["conversation"],
        "OpenedConversation": opened,
        "ChannelAbilities": opened["can"],
        "Message": message,
        "Notice": notice,
        "QuotedLine": message["reply_to"],
        "HiddenAttachment": hidden["attachments"][0],
        "VisibleAttachment": message["attachments"][0],
        "Card": message["attachments"][0]["contacts"][0],
        "CardField": message["attachments"][0]["contacts"][0]["fields"][0],
        "AuditPage": audit,
        "AuditEntry": audit["entries"][0],
        "OperationsReport": await running.get("api/operations"),
    }
    declared = _interfaces("".join(map(Path.read_text, (FOLDER / "static").glob("*.d.ts"))))
    assert {name: set(answer) for name, answer in answers.items()} == {
        name: declared[name] for name in answers
    }


_INTERFACE = re.compile(
    r"interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)


def _interfaces(text: str) -> dict[str, set[str]]:
    """Return the fields of each interface, including inherited ones."""
    parents: dict[str, str] = {}
    fields: dict[str, set[str]] = {}
    for name, parent, body in _INTERFACE.findall(text):
        parents[name] = parent
        fields[name] = set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
    return {name: fields[name] | fields.get(parents[name], set()) for name in fields}
