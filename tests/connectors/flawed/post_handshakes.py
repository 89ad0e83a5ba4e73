"""Flaws in handshakes by POST."""

from typing import Any

import orjson

from connectors import Request, Response, matches_any
from tests.connectors.sound import TOKEN, Acme

from .registry import fails


@fails("a_handshake_by_post_does_not_answer_a_stranger")
class AnswersEverybody(Acme):
    def knows(self, content: dict[str, Any]) -> bool:
        return True


@fails("a_handshake_by_post_does_not_answer_a_stranger")
class AnswersAnEmptyWord(Acme):
    def knows(self, content: dict[str, Any]) -> bool:
        return not content.get("clientToken") or super().knows(content)


@fails("a_handshake_by_post_does_not_answer_a_stranger")
class AnswersHalfOfTheWord(Acme):
    def knows(self, content: dict[str, Any]) -> bool:
        given = str(content.get("clientToken"))
        return bool(given) and self.config.token.get_secret_value().startswith(given)


@fails("a_handshake_by_post_needs_the_secrets_of_the_settings")
class KnowsAWordOfItsOwn(Acme):
    def knows(self, content: dict[str, Any]) -> bool:
        return matches_any([TOKEN], str(content.get("clientToken")))


@fails("a_handshake_leaves_deliveries_to_parse")
class TakesDeliveriesForHandshakes(Acme):
    def handshake(self, request: Request) -> Response | None:
        if b"kind" in request.body:
            return Response(body=request.body)
        return super().handshake(request)


@fails("a_handshake_by_post_never_crashes")
class CrashesOnGarbage(Acme):
    def handshake(self, request: Request) -> Response | None:
        orjson.loads(request.body or b"{}")
        return super().handshake(request)


@fails("a_handshake_by_post_compares_our_word_in_constant_time")
class LooksItsWordUpInAList(Acme):
    def knows(self, content: dict[str, Any]) -> bool:
        return content.get("clientToken") in (TOKEN, self.config.token.get_secret_value())


@fails("a_handshake_by_post_looks_at_each_value")
class AnswersAlwaysTheSame(Acme):
    def handshake(self, request: Request) -> Response | None:
        found = super().handshake(request)
        return Response(body=b"ok") if found is not None and found.status < 300 else found
