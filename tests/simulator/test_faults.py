"""A file's fault has exactly the chosen effect, the chosen number of times."""

from collections.abc import AsyncIterator

import httpx
import pytest

from simulator import Fault, Messenger, Sample
from tests.simulator.webhook import MIA, Stage, staged

FILE = Sample("file.jpg", "image/jpeg", bytes(range(256)) * 8)


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Messenger]]:
    async with staged(Messenger) as started:
        yield started


async def address(stage: Stage[Messenger], fault: Fault | None = None) -> str:
    if fault is not None:
        stage.platform.faults[FILE.name] = fault
    await stage.platform.send(MIA, files=[FILE])
    event = stage.webhook.arrived[-1].content["entry"][0]["messaging"][0]
    return str(event["message"]["attachments"][0]["payload"]["url"])


async def test_a_file_without_fault_is_served_whole(stage: Stage[Messenger]) -> None:
    answer = await stage.http.get(await address(stage))
    assert (answer.content, answer.headers["content-type"]) == (FILE.content, "image/jpeg")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_a_status_fault_lasts_its_number_of_times(
    stage: Stage[Messenger], status: int
) -> None:
    url = await address(stage, Fault(status=status, times=2))
    assert [(await stage.http.get(url)).status_code for _ in range(3)] == [status, status, 200]


async def test_a_status_fault_lasts_by_default(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(status=404))
    assert {(await stage.http.get(url)).status_code for _ in range(5)} == {404}


async def test_a_hanging_file_never_answers(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(hang=True, times=1))
    with pytest.raises(httpx.ReadTimeout):
        await stage.http.get(url, timeout=httpx.Timeout(5, read=0.3))
    assert (await stage.http.get(url)).status_code == 200


async def test_a_dripping_file_arrives_slowly(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(drip=True))
    async with stage.http.stream("GET", url) as answer:
        assert answer.headers["content-length"] == str(len(FILE.content))
        first = await anext(answer.aiter_bytes())
    assert 0 < len(first) < len(FILE.content)
    assert FILE.content.startswith(first)


async def test_a_truncated_file_stops_half_way(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(truncate=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await stage.http.get(url)


async def test_a_redirected_file_names_another_url(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(redirect="http://169.254.169.254/latest/"))
    answer = await stage.http.get(url)
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "http://169.254.169.254/latest/",
    )


async def test_a_replaced_file_has_other_bytes(stage: Stage[Messenger]) -> None:
    assert (await stage.http.get(await address(stage, Fault(replace=b"other")))).content == b"other"


async def test_a_flipped_file_differs_in_one_byte(stage: Stage[Messenger]) -> None:
    content = (await stage.http.get(await address(stage, Fault(flip=True)))).content
    assert len(content) == len(FILE.content)
    assert sum(a != b for a, b in zip(content, FILE.content, strict=True)) == 1


async def test_a_file_can_have_a_wrong_media_type(stage: Stage[Messenger]) -> None:
    answer = await stage.http.get(await address(stage, Fault(media_type="text/html")))
    assert (answer.headers["content-type"], answer.content) == ("text/html", FILE.content)


async def test_an_endless_file_has_no_content_length(stage: Stage[Messenger]) -> None:
    answer = await stage.http.get(await address(stage, Fault(endless=3_000_000)))
    assert "content-length" not in answer.headers
    assert len(answer.content) == 3_000_000


async def test_a_fault_for_all_files_lasts_its_number_of_times(stage: Stage[Messenger]) -> None:
    stage.platform.fault_for_all = Fault(status=503, times=1)
    urls = [await address(stage), await address(stage)]
    assert [(await stage.http.get(url)).status_code for url in urls] == [503, 200]


async def test_a_client_that_disconnects_early_breaks_nothing(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(endless=50_000_000, times=1))
    async with stage.http.stream("GET", url) as answer:
        assert answer.status_code == 200
    assert (await stage.http.get(url)).content == FILE.content
