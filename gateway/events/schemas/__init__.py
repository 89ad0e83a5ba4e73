"""The shape of every event the core gets (contract, section 3), strict: as JSON Schema and as a check.

The one place that says what an event may hold. Keys that are not named here are mistakes, except inside what
a platform tells in its own words (`raw`, `details`, `referral`, `contacts`, `location`).
"""

from collections.abc import Mapping
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from .envelopes import AnyEvent

_EVENTS: TypeAdapter[Any] = TypeAdapter(AnyEvent)

#: The types of events, in the order of the contract.
TYPES: tuple[str, ...] = tuple(
    get_args(event.model_fields["type"].annotation)[0] for event in get_args(get_args(AnyEvent)[0])
)


def schema() -> dict[str, Any]:
    """One JSON Schema (2020-12) that any event must match; `$defs` has one for each type of event."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of an Airlock gateway",
        **_EVENTS.json_schema(schema_generator=_Untitled),
    }


def validate(event: Mapping[str, Any] | bytes) -> None:
    """Raise pydantic's ValidationError unless this is an event exactly as the contract has it."""
    _EVENTS.validate_json(event if isinstance(event, bytes) else orjson.dumps(event))


class _Untitled(GenerateJsonSchema):
    """Without a title for each key, which would only repeat it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


__all__ = ["TYPES", "schema", "validate"]
