"""A fax or scan of several pages: the event says how many there are, because only the first is shown."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.gateway.test_gateway import house, with_photo


@pytest.mark.parametrize("pages", [1, 2, 30])
async def test_an_event_holds_the_number_of_pages(tmp_path: Path, pages: int) -> None:
    first, *rest = [Image.new("L", (80, 60), 5 * number) for number in range(pages)]
    fax = io.BytesIO()
    first.save(fax, "TIFF", save_all=True, append_images=rest)
    async with house(tmp_path) as home:
        home.files["1"] = fax.getvalue()
        await home.send(with_photo(home))
        (event,) = await home.core.until(1)
        (attachment,) = event["data"]["message"]["attachments"]
        _, again = await home.call("GET", f"/v1/attachments/{attachment['id']}")
    assert attachment["state"] == "ready"
    assert attachment.get("pages_total", 1) == again.get("pages_total", 1) == pages
    assert ("pages_total" in attachment) == (pages > 1)
