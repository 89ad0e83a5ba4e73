"""Flaws in what platforms are informed of."""

from collections.abc import Generator
from dataclasses import replace
from urllib.parse import quote

from connectors import Call, Outcome, Reply
from tests.connectors.sound import Acme

from .registry import fails

Reports = Generator[Call, Reply, None]
GONE = frozenset({404})


class Informed(Acme):
    """Is informed of everything. The flaws below break one thing in it."""

    capabilities = replace(
        Acme.capabilities,
        features={
            **Acme.capabilities.features,
            "outcome": "yes",
            "forget": "yes",
            "send_close": "yes",
        },
    )

    def tell_outcome(self, out: Outcome) -> Reports:
        content = {"message": out.message_id, "state": out.state, "reason": out.reason}
        at = {**content, "position": out.position}
        yield Call("POST", f"{self.config.api}/outcomes", json=at, expects=GONE)

    def forget(self, account: str, to: str) -> Reports:
        address = f"{self.config.api}/consumers/{quote(to, safe='')}"
        yield Call("DELETE", address, expects=GONE)

    def tell_closed(self, account: str, to: str) -> Reports:
        yield Call("POST", f"{self.config.api}/closed", json={"to": to})


@fails("a_report_names_its_consumer_or_message")
class ForgetsEverybody(Informed):
    def forget(self, account: str, to: str) -> Reports:
        yield Call("DELETE", f"{self.config.api}/consumers")


@fails("a_report_is_the_same_on_every_attempt")
class NumbersItsReports(Informed):
    made = 0

    def tell_closed(self, account: str, to: str) -> Reports:
        type(self).made += 1
        yield Call("POST", f"{self.config.api}/closed/{self.made}", json={"to": to})


@fails("an_outcome_says_what_became_of_the_file")
class ReportsEverythingAsShown(Informed):
    def tell_outcome(self, out: Outcome) -> Reports:
        yield Call("POST", f"{self.config.api}/outcomes", json={"message": out.message_id})


@fails("an_outcome_names_its_attachment")
class ReportsMessagesAsAWhole(Informed):
    def tell_outcome(self, out: Outcome) -> Reports:
        content = {"message": out.message_id, "state": out.state, "reason": out.reason}
        yield Call("POST", f"{self.config.api}/outcomes", json=content, expects=GONE)


@fails("a_report_about_somebody_unknown_succeeds")
class FailsForWhomThePlatformForgot(Informed):
    def forget(self, account: str, to: str) -> Reports:
        yield Call("DELETE", f"{self.config.api}/consumers/{quote(to, safe='')}")


@fails("capabilities_match_the_implemented_methods")
class OffersToForgetButDoesNot(Acme):
    capabilities = replace(
        Acme.capabilities, features={**Acme.capabilities.features, "forget": "yes"}
    )
