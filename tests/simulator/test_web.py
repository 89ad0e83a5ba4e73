"""The emulated web channel: signatures as Standard Webhooks defines them, texts once, originals by address."""

import hashlib
from typing import Any

from standardwebhooks import Webhook

from simulator import Consumer, Fault, Web, photo
from tests.simulator.webhook import Stage, staged

GIA = Consumer("con_1", "Gia")
PHOTO = photo(width=320, height=240)


def credentials(stage: Stage[Web]) -> dict[str, str]:
    return {"authorization": f"Bearer {stage.platform.access_token}"}


async def call(stage: Stage[Web], method: str, path: str, **more: Any) -> Any:
    url = f"{stage.platform.origin}/platform/v1{path}"
    return await stage.http.request(method, url, headers=credentials(stage), **more)


async def test_deliveries_are_signed_as_standard_webhooks() -> None:
    async with staged(Web) as stage:
        await stage.platform.send(GIA, "hello")
        await stage.platform.send(GIA, "forged", forged=True)
        genuine, forged = stage.webhook.arrived
        checker = Webhook(stage.platform.secrets[0])
        headers = {name.lower(): value for name, value in genuine.headers.items()}
        content = checker.verify(genuine.body, headers)
        assert content["site"] == "shop"
        assert headers["webhook-id"] == f"shop:con_1:{content['events'][0]['id']}"
        proof = forged.headers["webhook-signature"]
        assert proof not in genuine.headers["webhook-signature"]


async def test_an_original_is_found_by_a_short_lived_address() -> None:
    async with staged(Web) as stage:
        await stage.platform.send(GIA, None, [PHOTO])
        (named,) = stage.webhook.arrived[0].content["events"][0]["attachments"]
        found = (await call(stage, "GET", f"/uploads/{named['upload']}")).json()
        content = (await stage.http.get(found["url"])).content
        assert hashlib.sha256(content).hexdigest() == named["sha256"] == found["sha256"]
        stage.platform.age(301)
        assert (await stage.http.get(found["url"])).status_code == 403
        stage.platform.faults[PHOTO.name] = Fault(status=503, at="lookup")
        assert (await call(stage, "GET", f"/uploads/{named['upload']}")).status_code == 503


async def test_the_same_key_is_one_text() -> None:
    async with staged(Web) as stage:
        text = {"site": "shop", "to": GIA.id, "key": "msg_1", "text": "hello"}
        for _ in range(2):
            assert (await call(stage, "POST", "/messages", json=text)).json() == {"id": "msg_1"}
        assert [sent.id for sent in stage.platform.sent] == stage.platform.repeated_ids == ["msg_1"]
        stage.platform.out_of_reach.add(GIA.id)
        assert (
            await call(stage, "POST", "/messages", json={**text, "key": "2"})
        ).status_code == 404


async def test_reports_of_the_gateway_are_recorded() -> None:
    async with staged(Web) as stage:
        outcome = {"to": GIA.id, "message_id": "1", "position": 0, "state": "ready"}
        await call(stage, "POST", "/outcomes", json=outcome)
        await call(stage, "POST", "/closed", json={"to": GIA.id})
        await call(stage, "DELETE", f"/consumers/{GIA.id}")
        assert stage.platform.outcomes == [outcome]
        assert [action.kind for action in stage.platform.actions] == ["closed"]
        assert stage.platform.forgotten == [GIA.id]
