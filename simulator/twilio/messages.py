"""Parameters of a consumer's message beyond a text and files, under the names that they have in Twilio's forms.

https://www.twilio.com/docs/messaging/guides/webhook-request
"""

import json
from collections.abc import Mapping

from simulator.exchange import Consumer
from simulator.samples import Sample

Form = Mapping[str, str]

#: The layout of an MMS, which phones send beside the files. Twilio usually removes it.
SMIL = Sample("layout.smil", "application/smil", b"<smil><body><par/></body></smil>")


def whatsapp(consumer: Consumer, number: str) -> Form:
    """Return the addresses of a message that Twilio relays from WhatsApp; `number` is the business's."""
    names = {"WaId": consumer.id.removeprefix("+"), "ProfileName": consumer.name}
    user_id = {"ExternalUserId": consumer.user_id} if consumer.user_id else {}
    return {
        "From": f"whatsapp:{consumer.id}",
        "To": f"whatsapp:{number}",
        "ChannelMetadata": json.dumps({"type": "whatsapp"}),
        **names,
        **user_id,
    }


def rcs(consumer: Consumer, agent: str) -> Form:
    """Return the addresses of a message over RCS; `agent` is the business's sender."""
    metadata = json.dumps({"type": "rcs"})
    return {"From": f"rcs:{consumer.id}", "To": f"rcs:{agent}", "ChannelMetadata": metadata}


def text(body: str) -> Form:
    return {"Body": body, "MessageType": "text"}


def button(text: str, payload: str) -> Form:
    """Return the answer to a button."""
    return {"MessageType": "button", "Body": text, "ButtonText": text, "ButtonPayload": payload}


def row(title: str, id: str, *, description: str = "") -> Form:
    """Return the answer to a list."""
    described = {"ListDescription": description} if description else {}
    return {"MessageType": "interactive", "Body": "", "ListTitle": title, "ListId": id, **described}


def form_answers(name: str, *pages: Mapping[str, str]) -> Form:
    """Return the answers to a form: for each page, its labels with the values that the consumer gave."""
    filled = [
        {"items": [{"label": label, "value": value} for label, value in page.items()]}
        for page in pages
    ]
    data = json.dumps({"name": name, "pages": filled})
    return {"MessageType": "interactive", "Body": "", "InteractiveData": data}


def opt_out(word: str, kind: str) -> Form:
    """Return a keyword with its meaning, which is STOP, START or HELP, as with Advanced Opt-Out."""
    return {"Body": word, "OptOutType": kind}


def file_without_address() -> Form:
    """Return the announcement of a file that is not in the form."""
    return {"NumMedia": "1"}
