"""The audit log: filters, names, and the export as a table."""

import csv
import io

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace


@pytest.fixture
async def looked_at(running: RunningWorkspace) -> RunningWorkspace:
    """The agent looked at Zoë's photo, and opened Tom's conversation."""
    for id, name, attachment in (("conv_zoe", "Zoë", "att_z"), ("conv_tom", "=Tom", "att_t")):
        running.gateway.add_media(id, attachment, preview=b"x", thumbnail=b"x")
        photo = samples.photo(attachment, name=f"{name}.jpg")
        message = samples.message(1, id=f"msg_{id}", attachments=[photo])
        who = samples.conversation(id, consumer={"id": "+4915", "name": name})
        await running.deliver(samples.received(f"evt_{id}", message, who))
        await running.open_conversation(id)
    for rendition in ("thumbnail", "preview"):
        assert await running.status(f"attachments/att_z/{rendition}") == 302
    return running


async def entries(running: RunningWorkspace, query: str) -> list[tuple[str, str]]:
    found = (await running.get(f"api/audit?{query}"))["entries"]
    return [(entry["did"], entry["consumer"]) for entry in found]


async def test_entries_are_filtered_by_customer_time_and_kind(
    looked_at: RunningWorkspace,
) -> None:
    assert await entries(looked_at, "customer=zoe") == [("preview", "Zoë"), ("took", "Zoë")]
    assert await entries(looked_at, "customer=zoe&glimpses=too&views=only") == [
        ("preview", "Zoë"),
        ("thumbnail", "Zoë"),
    ]
    assert await entries(looked_at, "customer=nobody") == []
    first = (await looked_at.get("api/audit"))["entries"][-1]["at"]
    assert await entries(looked_at, f"until={first}") == []
    assert len(await entries(looked_at, f"since={first}")) == 4
    assert await looked_at.status("api/audit?since=yesterday") == 400
    (photo, _) = (await looked_at.get("api/audit?customer=zoe"))["entries"]
    assert (photo["name"], photo["shown"], photo["attachment"]) == ("Zoë.jpg", True, "att_z")


async def test_export_has_all_entries_and_no_formulas(looked_at: RunningWorkspace) -> None:
    async with looked_at.session.get(looked_at.url("api/audit.csv?glimpses=too")) as response:
        assert response.content_type == "text/csv"
        assert "attachment" in response.headers["Content-Disposition"]
        text = (await response.read()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["action"] for row in rows] == [
        *("exported the audit log", "preview", "thumbnail", "took", "took", "signed in")
    ]
    assert rows[1]["customer"] == "Zoë"
    assert rows[3]["customer"] == "'=Tom"
    assert rows[1]["file name"] == "Zoë.jpg"
    assert rows[1]["time"].endswith("+00:00")


async def test_agents_cannot_export(looked_at: RunningWorkspace) -> None:
    sam = looked_at.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        assert await sam.status("api/audit.csv") == 403
