"""Tests of recorded handshakes: only who knows our word gets an answer."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from connectors.contract import Connector, Request, Response
from connectors.recordings import RECEIVED_AT, URL

from .exchanges import exchanges
from .purity import sources
from .subject import Subject, secret_forms
from .watched import listening, watched

#: What a wrong word looks like, made from the right one.
_WRONG = ("", "wrong", "{word}x", "x{word}", "{start}", "{swapped}")


class HandshakeChecks(Subject):
    """Tests of `handshake` with the recorded exchanges, changed."""

    def test_a_handshake_answers_only_to_our_word(self) -> None:
        for given in self._answered():
            words = self._our_words(given)
            assert words, (
                "a handshake is answered although it contains none of our secrets; compare a verify token of the"
                " settings (a Secret) first"
            )
            for name in words:
                for query in _without_word(given, name):
                    answer = self._shake(query)
                    assert answer is None or answer.status >= 400, (
                        f"the handshake is answered with {answer.status if answer else ''} although {name} is"
                        f" {query.get(name, 'missing')!r}; compare all of it with constant_time_equal"
                    )

    def test_a_handshake_compares_our_word_in_constant_time(self) -> None:
        for given in self._answered():
            query = {name: watched(value) for name, value in given.items()}
            with listening(sources(type(self.connector))) as reports, suppress(Exception):
                self._shake(query)
            known = secret_forms(self.connector)
            assert not any(value in known for _, value in reports), (
                "the handshake compares our word with ==, which takes longer the more of it is right; use"
                " constant_time_equal"
            )

    def test_a_handshake_shows_no_secret(self) -> None:
        for given in self._answered():
            hidden = self._our_words(given)
            answer = self._shake(given)
            if answer is not None:
                said = answer.body.decode(errors="replace")
                assert not hidden or not self.leaks(said), (
                    "the answer to a handshake contains a secret; return the challenge alone"
                )

    # helpers ----------------------------------------------------------------------------------------

    def _answered(self) -> Iterator[Mapping[str, str]]:
        """The queries of the recorded handshakes that are answered with a success."""
        if type(self.connector).handshake is Connector.handshake:
            return
        for exchange in exchanges(self.payloads):
            if exchange.flow == "handshake":
                answer = self._shake(dict(exchange.given))
                if answer is not None and answer.status < 400:
                    yield dict(exchange.given)

    def _our_words(self, given: Mapping[str, str]) -> list[str]:
        known = secret_forms(self.connector)
        return [name for name, value in given.items() if any(one in str(value) for one in known)]

    def _shake(self, query: Mapping[str, str]) -> Response | None:
        request = Request("GET", URL, {}, b"", RECEIVED_AT, {})
        return self.connector.handshake(replace(request, query=query))


def _without_word(given: Mapping[str, str], name: str) -> Iterator[dict[str, str]]:
    word = given[name]
    parts = {"word": word, "start": word[: len(word) // 2], "swapped": word.swapcase()}
    for wrong in _WRONG:
        changed = wrong.format(**parts)
        if changed != word:
            yield {**given, name: changed}
    yield {key: value for key, value in given.items() if key != name}
