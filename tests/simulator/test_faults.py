"""A file misbehaves exactly as it is told to, and so often."""

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


async def test_a_sound_file_comes_whole(stage: Stage[Messenger]) -> None:
    answer = await stage.http.get(await address(stage))
    assert (answer.content, answer.headers["content-type"]) == (FILE.content, "image/jpeg")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_it_answers_a_status_so_often(stage: Stage[Messenger], status: int) -> None:
    url = await address(stage, Fault(status=status, times=2))
    assert [(await stage.http.get(url)).status_code for _ in range(3)] == [status, status, 200]


async def test_it_answers_a_status_for_ever(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(status=404))
    assert {(await stage.http.get(url)).status_code for _ in range(5)} == {404}


async def test_it_never_answers(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(hang=True, times=1))
    with pytest.raises(httpx.ReadTimeout):
        await stage.http.get(url, timeout=httpx.Timeout(5, read=0.3))
    assert (await stage.http.get(url)).status_code == 200


async def test_it_drips(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(drip=True))
    async with stage.http.stream("GET", url) as answer:
        assert answer.headers["content-length"] == str(len(FILE.content))
        first = await anext(answer.aiter_bytes())
    assert 0 < len(first) < len(FILE.content)
    assert FILE.content.startswith(first)


async def test_it_stops_half_way(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(truncate=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await stage.http.get(url)


async def test_it_leads_elsewhere(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(redirect="http://169.254.169.254/latest/"))
    answer = await stage.http.get(url)
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "http://169.254.169.254/latest/",
    )


async def test_it_is_another_file(stage: Stage[Messenger]) -> None:
    assert (await stage.http.get(await address(stage, Fault(replace=b"other")))).content == b"other"


async def test_one_byte_of_it_is_wrong(stage: Stage[Messenger]) -> None:
    content = (await stage.http.get(await address(stage, Fault(flip=True)))).content
    assert len(content) == len(FILE.content)
    assert sum(a != b for a, b in zip(content, FILE.content, strict=True)) == 1


async def test_it_claims_another_type(stage: Stage[Messenger]) -> None:
    answer = await stage.http.get(await address(stage, Fault(media_type="text/html")))
    assert (answer.headers["content-type"], answer.content) == ("text/html", FILE.content)


async def test_it_is_longer_than_anything_and_does_not_say_so(stage: Stage[Messenger]) -> None:
    answer = await stage.http.get(await address(stage, Fault(endless=3_000_000)))
    assert "content-length" not in answer.headers
    assert len(answer.content) == 3_000_000


async def test_a_fault_for_all_spares_nobody_and_is_used_up(stage: Stage[Messenger]) -> None:
    stage.platform.fault_for_all = Fault(status=503, times=1)
    urls = [await address(stage), await address(stage)]
    assert [(await stage.http.get(url)).status_code for url in urls] == [503, 200]


async def test_a_client_that_leaves_in_the_middle_breaks_nothing(stage: Stage[Messenger]) -> None:
    url = await address(stage, Fault(endless=50_000_000, times=1))
    async with stage.http.stream("GET", url) as answer:
        assert answer.status_code == 200
    assert (await stage.http.get(url)).content == FILE.content
