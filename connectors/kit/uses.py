"""Tests that nothing is carried along in vain: each part of a locator matters, and each element of a reply."""

from dataclasses import replace
from typing import Any

from connectors.contract import Sent

from .exchanges import Exchange, exchanges
from .paths import lists, shown
from .replies import ReplyChecks
from .trials import fresh_value, leaves, parse

#: A sign in place of the last one of an id or a key; hexadecimal stays hexadecimal.
_AFTER = {
    "a": "b",
    "0": "1",
    **dict.fromkeys("123456789", "0"),
    "A": "B",
    **dict.fromkeys("BCDEF", "A"),
}


class UseChecks(ReplyChecks):
    """Tests that flows use what they are given and what they learn."""

    def test_every_part_of_a_locator_is_used(self) -> None:
        """What `parse` keeps to find a file must matter when it is fetched."""
        used: dict[str, bool] = {}
        where: dict[str, str] = {}
        for exchange in exchanges(self.payloads):
            if exchange.flow != "media" or exchange.refused is not None:
                continue
            ended = self._run(exchange)
            for name, value in exchange.given.get("locator", {}).items():
                other = _similar(value)
                if other is None or str(value) in self._accounts_of_events():
                    continue
                locator = {**exchange.given["locator"], name: other}
                moved = replace(exchange, given={**exchange.given, "locator": locator})
                again = self._run(moved)
                matters = (again.calls, again.result) != (ended.calls, ended.result)
                used[name] = used.get(name, False) or matters
                where.setdefault(name, exchange.name)
        for name, matters in used.items():
            assert matters, (
                f"{where[name]}: the file is fetched in the same way whatever {name} of its locator is; use it in"
                " media, such as a key to decrypt the file, or leave it out of MediaRef"
            )

    def test_every_element_in_a_reply_is_read(self) -> None:
        """What is read of the first element of a list is read of the others."""
        for exchange in exchanges(self.payloads):
            ended = self._run(exchange).result
            if exchange.refused is not None or ended is None or isinstance(ended, Sent):
                continue
            for at, step in enumerate(exchange.steps):
                for path, entries in lists(step["reply"].get("content")):
                    decide = [self._matters(exchange, at, path, one) for one in range(len(entries))]
                    for number, matters in enumerate(decide):
                        assert matters or not decide[0], (
                            f"{exchange.name}: element {number} of {shown(path)} of the reply changes nothing, but the"
                            " first one does; read every element, or record a reply with one element"
                        )

    # helpers ----------------------------------------------------------------------------------------

    def _matters(self, exchange: Exchange, at: int, path: Any, number: int) -> bool:
        """Whether any value in an element of a reply changes the end of the flow."""
        ended = self._run(exchange).result
        content = exchange.steps[at]["reply"].get("content")
        inside = [
            (inner, fresh_value(value))
            for inner, value in leaves(content)
            if inner[: len(path) + 1] == (*path, number)
        ]
        others = (self._with_reply(exchange, at, *one).result for one in inside if one[1])
        return any(other != ended for other in others)

    def _accounts_of_events(self) -> frozenset[str]:
        """Our own accounts: a locator names them for a platform with several credentials."""
        events = (event for one in self.recorded for event in parse(self.connector, one))
        return frozenset(event.account for event in events if event.account)


def _similar(value: Any) -> Any:
    """Another value of exactly the same form: keys and ids stay valid. None if there is none."""
    match value:
        case bool():
            return None
        case int():
            return value + 1
        case str() if value[-1:].isascii() and value[-1:].isalnum():
            return value[:-1] + _AFTER.get(value[-1], "a")
    return None
