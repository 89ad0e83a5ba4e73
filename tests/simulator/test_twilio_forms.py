"""The emulated Twilio's forms beyond texts and files: WhatsApp, RCS, answers, keywords, missing files."""

import json
from collections.abc import AsyncIterator

import pytest
from twilio.request_validator import RequestValidator

from simulator import Consumer, Twilio
from simulator.twilio import messages
from tests.simulator.twilio_calls import CLEO, PHOTO, form, sent
from tests.simulator.webhook import Stage, staged

FORMS: dict[str, tuple[messages.Form, dict[str, str]]] = {
    "button": (
        messages.button("Yes", "yes-1"),
        {"MessageType": "button", "Body": "Yes", "ButtonText": "Yes", "ButtonPayload": "yes-1"},
    ),
    "row": (
        messages.row("Monday", "slot-1", description="9 to 12"),
        {"Body": "", "ListTitle": "Monday", "ListId": "slot-1", "ListDescription": "9 to 12"},
    ),
    "opt-out": (messages.opt_out("STOP", "STOP"), {"Body": "STOP", "OptOutType": "STOP"}),
    "lost file": (messages.file_without_address(), {"Body": "", "NumMedia": "1"}),
}


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Twilio]]:
    async with staged(Twilio) as started:
        yield started


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_has_its_parameters_and_a_valid_signature(
    stage: Stage[Twilio], name: str
) -> None:
    given, expected = FORMS[name]
    await stage.platform.say(CLEO, given)
    fields = form(stage)
    assert expected.items() <= fields.items()
    proof = stage.webhook.arrived[0].headers["X-Twilio-Signature"]
    assert RequestValidator(stage.platform.token).validate(stage.webhook.url, fields, proof)


async def test_form_answers_are_json_in_a_form_without_a_text(stage: Stage[Twilio]) -> None:
    await stage.platform.say(CLEO, messages.form_answers("csat", {"Rating": "Poor"}))
    fields = form(stage)
    assert (fields["MessageType"], fields["Body"]) == ("interactive", "")
    assert json.loads(fields["InteractiveData"]) == {
        "name": "csat",
        "pages": [{"items": [{"label": "Rating", "value": "Poor"}]}],
    }


async def test_a_lost_file_has_neither_url_nor_type(stage: Stage[Twilio]) -> None:
    await stage.platform.say(CLEO, messages.file_without_address())
    assert not {"MediaUrl0", "MediaContentType0"} & form(stage).keys()


async def test_a_layout_is_a_file_that_may_stay_unfetched(stage: Stage[Twilio]) -> None:
    await stage.platform.say(CLEO, {"Body": "look"}, files=[messages.SMIL, PHOTO])
    fields = form(stage)
    types = [fields["MediaContentType0"], fields["MediaContentType1"]]
    assert (fields["NumMedia"], types) == ("2", ["application/smil", "image/jpeg"])
    optional = {hosted.sample.name: hosted.is_optional for hosted in stage.platform.hosted.values()}
    assert optional == {messages.SMIL.name: True, PHOTO.name: False}


async def test_channels_prefix_both_addresses(stage: Stage[Twilio]) -> None:
    ann = Consumer("+15550001111", "Ann", user_id="US.1349")
    await stage.platform.say(ann, messages.whatsapp(ann, stage.platform.number))
    await stage.platform.say(ann, messages.rcs(ann, "example_agent"))
    over_whatsapp, over_rcs = form(stage, 0), form(stage, 1)
    assert (over_whatsapp["From"], over_whatsapp["To"]) == (
        "whatsapp:+15550001111",
        "whatsapp:+15550002222",
    )
    assert (over_whatsapp["WaId"], over_whatsapp["ProfileName"]) == ("15550001111", "Ann")
    assert over_whatsapp["ExternalUserId"] == "US.1349"
    assert (over_rcs["From"], over_rcs["To"]) == ("rcs:+15550001111", "rcs:example_agent")


async def test_a_keyword_with_its_meaning_blocks_texts(stage: Stage[Twilio]) -> None:
    await stage.platform.say(CLEO, messages.opt_out("STOP", "STOP"))
    assert (await sent(stage)).json()["code"] == 21610
    await stage.platform.say(CLEO, messages.opt_out("START", "START"))
    assert (await sent(stage)).status_code == 201
