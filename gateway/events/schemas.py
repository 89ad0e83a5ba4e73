"""The schemas of all events, strict: as JSON Schema and as a check (contract, section 3).

Unknown keys are refused, except inside what a platform tells in its own words (`raw`, `details`, `referral`,
`contacts`, `location`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from .event_types import AnyEvent, EventType

#: The types of events, in the order of the contract.
TYPES: tuple[str, ...] = get_args(EventType)


def schema() -> dict[str, Any]:
    """One JSON Schema (2020-12) that any event must match; `$defs` has one for each type of event."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of an Airlock gateway",
        **_adapter().json_schema(schema_generator=_Untitled),
    }


def validate(event: Mapping[str, Any] | bytes) -> None:
    """Raise pydantic's ValidationError unless this is an event exactly as the contract has it."""
    _adapter().validate_json(event if isinstance(event, bytes) else orjson.dumps(event))


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(AnyEvent, config=ConfigDict(extra="forbid", strict=True))


class _Untitled(GenerateJsonSchema):
    """Without a title for each key, which would only repeat it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


__all__ = ["TYPES", "schema", "validate"]
